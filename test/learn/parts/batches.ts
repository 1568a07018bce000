/** Batches to try networks on. */
import { seededRandom } from '../../../src/forecast/numeric/random';
import type { EnvironmentShape } from '../../../src/learn/environment';
import type { ServiceBatch } from '../../../src/learn/network/service-batch';

/** A batch of random figures with so many services in each sample. */
export function randomBatch(
  shape: EnvironmentShape,
  services: readonly number[],
  seed: number,
): ServiceBatch {
  const random = seededRandom(seed);
  const starts = Int32Array.from({ length: services.length + 1 }, (_, sample) =>
    services.slice(0, sample).reduce((sum, count) => sum + count, 0),
  );
  const rows = starts[services.length] ?? 0;
  return {
    samples: services.length,
    starts,
    perService: Float64Array.from({ length: rows * shape.serviceFeatures }, () => random.normal()),
    global: Float64Array.from({ length: services.length * shape.globalFeatures }, () => random.normal()),
  };
}

/** Slopes of a function by central differences. */
export function differences(of: (weights: Float64Array) => number, weights: Float64Array): Float64Array {
  const width = 1e-5;
  return weights.map((weight, at) => {
    const moved = weights.slice();
    moved[at] = weight + width;
    const above = of(moved);
    moved[at] = weight - width;
    return (above - of(moved)) / (2 * width);
  });
}

/** The largest difference of two arrays of slopes, as a part of their size. */
export function mismatch(one: Float64Array, other: Float64Array): number {
  let most = 0;
  for (let at = 0; at < one.length; at += 1) {
    const [a, b] = [one[at] ?? NaN, other[at] ?? NaN];
    const miss = Math.abs(a - b) / (1e-3 + Math.abs(a) + Math.abs(b));
    if (!(miss <= most)) most = miss;
  }
  return most;
}
