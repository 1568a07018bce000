import { seededRandom } from '../../../src/forecast/numeric/random';
import { autoregression, kpss, levelWanders } from '../../../src/forecast/numeric/stationarity';

function simulated(phi: number, count: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  const values = new Float64Array(count);
  for (let at = 1; at < count; at += 1) values[at] = phi * (values[at - 1] ?? 0) + random.normal();
  return values;
}

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed + 1);

describe('whether a level wanders', () => {
  it.each([
    ['white noise', 0, 500],
    ['a slow autoregression', 0.8, 500],
    ['a slower one, over more values', 0.95, 4000],
  ])('says no of %s, but for about one in twenty', (_, phi, count) => {
    const wrong = SEEDS.filter((seed) => levelWanders(simulated(phi, count, seed))).length;
    expect(wrong).toBeLessThanOrEqual(6);
  });

  it('says yes of most random walks', () => {
    const right = SEEDS.filter((seed) => levelWanders(simulated(1, 2000, seed))).length;
    expect(right).toBeGreaterThanOrEqual(30);
  });

  it('says no of what does not vary', () => {
    expect(kpss(new Float64Array(50).fill(7))).toBe(0);
    expect(levelWanders(new Float64Array(50).fill(7))).toBe(false);
  });
});

describe('autoregression', () => {
  it('finds the coefficients of a second-order process', () => {
    const random = seededRandom(5);
    const values = new Float64Array(8000);
    for (let at = 2; at < values.length; at += 1) {
      values[at] = 0.6 * (values[at - 1] ?? 0) - 0.3 * (values[at - 2] ?? 0) + random.normal();
    }
    const { coefficients, variance } = autoregression(values, 8);
    expect(coefficients[0]).toBeCloseTo(0.6, 1);
    expect(coefficients[1]).toBeCloseTo(-0.3, 1);
    expect(variance).toBeCloseTo(1, 1);
  });
});
