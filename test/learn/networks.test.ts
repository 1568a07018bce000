/** The networks: slopes against finite differences, and what the order and the number of services mean. */
import fc from 'fast-check';
import { seededRandom } from '../../src/forecast/numeric/random';
import { orthogonal } from '../../src/learn/network/orthogonal';
import { PolicyNetwork } from '../../src/learn/network/policy-network';
import { addInputSlopes, addProducts, addWeightSlopes } from '../../src/learn/network/products';
import type { ServiceBatch } from '../../src/learn/network/service-batch';
import { squash } from '../../src/learn/network/squash';
import { ValueNetwork } from '../../src/learn/network/value-network';
import { differences, mismatch, randomBatch } from './parts/batches';

const shape = { serviceFeatures: 5, globalFeatures: 3, serviceActions: 2 };

/** Parameters with nothing at 0, so that every slope counts. */
function someWeights(count: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: count }, () => 0.4 * random.normal());
}

describe('products', () => {
  test.each([
    [1, 1, 1],
    [3, 5, 2],
    [4, 4, 4],
    [7, 6, 9],
    [8, 3, 1],
  ])('of %i rows, %i inputs and %i outputs are those of plain sums', (rows, inputs, outputs) => {
    const layer = { inputs, outputs, at: 3 };
    const weights = someWeights(3 + inputs * outputs, 1);
    const from = someWeights(rows * inputs, 2);
    const slopes = someWeights(rows * outputs, 3);
    const to = new Float64Array(rows * outputs).fill(1);
    const inputSlopes = new Float64Array(rows * inputs).fill(1);
    const gradient = new Float64Array(weights.length).fill(1);
    addProducts(layer, weights, from, rows, to);
    addInputSlopes(layer, weights, slopes, rows, inputSlopes);
    addWeightSlopes(layer, slopes, from, rows, gradient);
    const weightOf = (output: number, input: number) => weights[3 + output * inputs + input] ?? NaN;
    const sum = (length: number, term: (at: number) => number) =>
      Array.from({ length }, (_, at) => term(at)).reduce((all, one) => all + one, 1);
    for (let row = 0; row < rows; row += 1) {
      for (let output = 0; output < outputs; output += 1) {
        const plain = sum(inputs, (input) => weightOf(output, input) * (from[row * inputs + input] ?? NaN));
        expect(to[row * outputs + output]).toBeCloseTo(plain, 12);
      }
      for (let input = 0; input < inputs; input += 1) {
        const plain = sum(
          outputs,
          (output) => weightOf(output, input) * (slopes[row * outputs + output] ?? NaN),
        );
        expect(inputSlopes[row * inputs + input]).toBeCloseTo(plain, 12);
      }
    }
    for (let output = 0; output < outputs; output += 1) {
      for (let input = 0; input < inputs; input += 1) {
        const plain = sum(
          rows,
          (row) => (slopes[row * outputs + output] ?? NaN) * (from[row * inputs + input] ?? NaN),
        );
        expect(gradient[3 + output * inputs + input]).toBeCloseTo(plain, 12);
      }
    }
    expect([...gradient.subarray(0, 3)]).toEqual([1, 1, 1]);
  });
});

describe('the squashing function', () => {
  test('is tanh but for a millionth, everywhere', () => {
    const given = Float64Array.from({ length: 40_001 }, (_, at) => at / 1_000 - 20);
    const squashed = given.slice();
    squash(squashed, squashed.length);
    const misses = squashed.map((figure, at) => Math.abs(figure - Math.tanh(given[at] ?? NaN)));
    expect(Math.max(...misses)).toBeLessThan(1e-6);
    const turned = given.map((figure) => -figure);
    squash(turned, turned.length);
    expect(turned.map((figure) => -figure)).toEqual(squashed);
  });

  test.each([
    [0, 0],
    [Infinity, 1],
    [-Infinity, -1],
    [1e300, 1],
    [NaN, NaN],
  ])('takes %p to %p, and leaves what is beyond its count', (given, expected) => {
    const figures = Float64Array.of(given, 3);
    squash(figures, 1);
    expect([figures[0]?.toFixed(5), figures[1]]).toEqual([expected.toFixed(5), 3]);
  });
});

describe('weights to start from', () => {
  test.each([
    [4, 9],
    [9, 4],
    [5, 5],
    [1, 6],
  ])('%i x %i stand at right angles and are as long as the gain', (rows, columns) => {
    const weights = orthogonal(rows, columns, 0.7, seededRandom(5));
    const byRow = rows <= columns;
    const vectors = Array.from({ length: Math.min(rows, columns) }, (_, one) =>
      Array.from({ length: Math.max(rows, columns) }, (_unused, at) =>
        byRow ? (weights[one * columns + at] ?? NaN) : (weights[at * columns + one] ?? NaN),
      ),
    );
    for (const [i, a] of vectors.entries()) {
      for (const [j, b] of vectors.entries()) {
        const product = a.reduce((sum, figure, at) => sum + figure * (b[at] ?? NaN), 0);
        expect(product).toBeCloseTo(i === j ? 0.49 : 0, 10);
      }
    }
  });

  test('of a policy act by next to nothing', () => {
    const network = new PolicyNetwork(shape, 32);
    network.forward(randomBatch(shape, [8, 8], 1), network.start(seededRandom(1), 0.01));
    expect(Math.max(...network.means.subarray(0, 32).map(Math.abs))).toBeLessThan(0.1);
    expect(network.means.some((mean) => mean !== 0)).toBe(true);
  });
});

describe('slopes are those of finite differences', () => {
  const batches: readonly (readonly [string, readonly number[]])[] = [
    ['one service', [1]],
    ['several samples of several services', [3, 1, 5]],
    ['a sample without services', [2, 0, 4]],
  ];

  test.each(batches)('of the policy: %s', (_, services) => {
    const network = new PolicyNetwork(shape, 6);
    const weights = someWeights(network.parameters, 3);
    const batch = randomBatch(shape, services, 4);
    const rows = services.reduce((sum, count) => sum + count, 0);
    const worth = someWeights(rows * 2, 9);
    // Not linear in the means, so that slopes depend on where they are.
    const loss = (at: Float64Array): number => {
      network.forward(batch, at);
      return worth.reduce((sum, part, place) => sum + part * Math.sin(network.means[place] ?? NaN), 0);
    };
    loss(weights);
    const slopes = worth.map((part, place) => part * Math.cos(network.means[place] ?? NaN));
    const gradient = new Float64Array(network.parameters);
    network.backward(batch, weights, slopes, gradient);
    expect(mismatch(gradient, differences(loss, weights))).toBeLessThan(1e-5);
    expect(gradient.every((slope) => slope !== 0)).toBe(true);
  });

  test.each(batches)('of the critic: %s', (_, services) => {
    const network = new ValueNetwork(shape, 6);
    const weights = someWeights(network.parameters, 3);
    const batch = randomBatch(shape, services, 4);
    const loss = (at: Float64Array): number => {
      network.forward(batch, at);
      return network.values
        .subarray(0, services.length)
        .reduce((sum, value, at_) => sum + 0.5 * (value - at_) ** 2, 0);
    };
    loss(weights);
    const slopes = network.values.slice(0, services.length).map((value, at) => value - at);
    const gradient = new Float64Array(network.parameters);
    network.backward(batch, weights, slopes, gradient);
    expect(mismatch(gradient, differences(loss, weights))).toBeLessThan(1e-5);
  });

  test('also of a batch that comes after a larger one', () => {
    const network = new PolicyNetwork(shape, 6);
    const weights = someWeights(network.parameters, 3);
    const small = randomBatch(shape, [2], 4);
    const slopesOf = (used: PolicyNetwork): Float64Array => {
      const gradient = new Float64Array(used.parameters);
      used.forward(small, weights);
      used.backward(small, weights, new Float64Array(64).fill(1), gradient);
      return gradient;
    };
    const large = randomBatch(shape, [9, 9, 9], 5);
    network.forward(large, weights);
    network.backward(large, weights, new Float64Array(64).fill(1), new Float64Array(network.parameters));
    expect(slopesOf(network)).toEqual(slopesOf(new PolicyNetwork(shape, 6)));
  });
});

describe('services', () => {
  const services = fc.integer({ min: 1, max: 12 });

  /** The same batch of one sample with its services in another order. */
  function reordered(batch: ServiceBatch, order: readonly number[]): ServiceBatch {
    const width = shape.serviceFeatures;
    const perService = new Float64Array(batch.perService.length);
    order.forEach((from, to) => {
      perService.set(batch.perService.subarray(from * width, (from + 1) * width), to * width);
    });
    return { ...batch, perService };
  }

  test('in another order get the same actions in that order, and the same value', () => {
    const policy = new PolicyNetwork(shape, 8);
    const critic = new ValueNetwork(shape, 8);
    const policyWeights = someWeights(policy.parameters, 1);
    const criticWeights = someWeights(critic.parameters, 2);
    const orders = services.chain((count) =>
      fc.shuffledSubarray(
        Array.from({ length: count }, (_, at) => at),
        { minLength: count },
      ),
    );
    fc.assert(
      fc.property(orders, fc.integer(), (order, seed) => {
        const batch = randomBatch(shape, [order.length], seed);
        policy.forward(batch, policyWeights);
        const means = policy.means.slice(0, order.length * 2);
        critic.forward(batch, criticWeights);
        const value = critic.values[0] ?? NaN;
        const other = reordered(batch, order);
        policy.forward(other, policyWeights);
        critic.forward(other, criticWeights);
        order.forEach((from, to) => {
          expect(policy.means[to * 2]).toBeCloseTo(means[from * 2] ?? NaN, 10);
          expect(policy.means[to * 2 + 1]).toBeCloseTo(means[from * 2 + 1] ?? NaN, 10);
        });
        expect(critic.values[0]).toBeCloseTo(value, 10);
      }),
      { numRuns: 50 },
    );
  });

  test('get the same actions whichever samples are in the batch with theirs', () => {
    const network = new PolicyNetwork(shape, 8);
    const weights = someWeights(network.parameters, 1);
    fc.assert(
      fc.property(fc.array(fc.nat(7), { minLength: 2, maxLength: 5 }), fc.integer(), (counts, seed) => {
        const batch = randomBatch(shape, counts, seed);
        network.forward(batch, weights);
        const together = network.means.slice();
        const last = counts.length - 1;
        const start = batch.starts[last] ?? NaN;
        const count = counts[last] ?? NaN;
        network.forward(
          {
            samples: 1,
            starts: Int32Array.of(0, count),
            perService: batch.perService.subarray(start * shape.serviceFeatures),
            global: batch.global.subarray(last * shape.globalFeatures),
          },
          weights,
        );
        for (let at = 0; at < count * 2; at += 1) {
          expect(network.means[at]).toBeCloseTo(together[start * 2 + at] ?? NaN, 10);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('are told of each other: one more changes what is done for the rest', () => {
    const network = new PolicyNetwork(shape, 8);
    const weights = someWeights(network.parameters, 1);
    const batch = randomBatch(shape, [3], 7);
    network.forward({ ...batch, starts: Int32Array.of(0, 2) }, weights);
    const two = network.means[0] ?? NaN;
    network.forward(batch, weights);
    expect(Math.abs((network.means[0] ?? NaN) - two)).toBeGreaterThan(1e-3);
  });
});
