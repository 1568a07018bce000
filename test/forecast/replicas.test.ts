import fc from 'fast-check';
import { measuredCapacityPerS, replicasFor } from '../../src/forecast/replicas';

describe('recommended replicas', () => {
  it.each([
    [100, 50, 1, 10, 2],
    [101, 50, 1, 10, 3],
    [0, 50, 1, 10, 1],
    [0, 50, 0, 10, 0],
    [1e9, 50, 1, 10, 10],
    [NaN, 50, 1, 10, 10],
    [100, 0, 1, 10, 10],
  ])('for %d a second at %d each within %d to %d are %d', (demand, capacity, min, max, expected) => {
    expect(replicasFor(demand, capacity, { min, max })).toBe(expected);
  });

  it('always serve the demand when the bounds let them', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.double({ min: 0.1, max: 1e3, noNaN: true }),
        (demand, capacity) => {
          const count = replicasFor(demand, capacity, { min: 0, max: 1e9 });
          expect(count * capacity).toBeGreaterThanOrEqual(demand * (1 - 1e-6) - 1e-6);
          expect((count - 1) * capacity).toBeLessThan(demand + 1e-6);
        },
      ),
    );
  });
});

describe('the measured capacity of a replica', () => {
  const load = (cpu: number, replicas = 4) => ({ ratePerS: 200 * cpu * replicas, replicas, cpu });

  it('is its rate at the CPU use aimed at, whatever a few odd steps say', () => {
    const loads = [0.2, 0.3, 0.4, 0.5, 0.6, 0.3, 0.4, 0.5, 0.2, 0.7, 0.6].map((cpu) => load(cpu));
    const odd = [
      { ratePerS: 1e9, replicas: 1, cpu: 0.5 },
      load(0.01),
      { ratePerS: NaN, replicas: 1, cpu: 0.5 },
    ];
    expect(measuredCapacityPerS([...loads, ...odd], 0.7)).toBeCloseTo(140, 6);
  });

  it('is not known from too few steps', () => {
    expect(measuredCapacityPerS([load(0.5), load(0.6)], 0.7)).toBeUndefined();
    expect(measuredCapacityPerS(Array(50).fill(load(0.01)), 0.7)).toBeUndefined();
  });
});
