/** Traces become demand: split first, rolled inside the part, scaled to the mean; crowds and lost capacity. */
import fc from 'fast-check';
import { ArrivalSource, poisson } from '../../src/simulate/arrivals';
import { crowdedService, partDemand, shapedPart, totalAt, traceMistake } from '../../src/simulate/demand';
import { seededRandom } from '../../src/forecast/numeric/random';
import type { ScenarioService } from '../../src/simulate/scenario';

const service = (trace: readonly number[], rollMinutes = 0, share = 0.5): ScenarioService => ({
  name: 's',
  priority: 'HIGH',
  share,
  guaranteePerS: 0,
  queueLimitMs: 1_000,
  trace: Float64Array.from(trace),
  rollMinutes,
});

describe('a part of a trace', () => {
  test.each([
    ['not rolled', 0, [1, 2, 3]],
    ['rolled ahead', 1, [2, 3, 1]],
    ['rolled back', -1, [3, 1, 2]],
    ['rolled by more than the part', 4, [2, 3, 1]],
  ])('%s: the value at t is the one at t + roll, wrapping', (_, roll, expected) => {
    const shape = shapedPart(service([9, 9, 1, 2, 3, 9], roll), 2, 3);
    expect(Array.from(shape ?? [])).toEqual(expected.map((value) => value / 2));
  });

  test('a minute without a value gets the one before it, a leading one the first', () => {
    const shape = shapedPart(service([NaN, 3, NaN, 6]), 0, 4);
    expect(Array.from(shape ?? [], (value) => value * 3.75)).toEqual([3, 3, 3, 6]);
  });

  test.each([
    ['too short', [1, 2], 0, 3],
    ['nothing asked', [0, 0, 0], 0, 3],
  ])('%s: there is none', (_, trace, from, minutes) => {
    expect(shapedPart(service(trace), from, minutes)).toBeUndefined();
  });

  test('each part has the mean of its share of the total', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 1e6 }), { minLength: 30, maxLength: 30 }),
        fc.nat(60),
        (trace, roll) => {
          const scenario = {
            trainDays: 20 / 1_440,
            testDays: 10 / 1_440,
            totalPerS: 100,
            services: [service(trace, roll, 0.4)],
          };
          for (const part of ['train', 'test'] as const) {
            const [demand] = partDemand(scenario, part);
            const sum = demand!.reduce((all, one) => all + one, 0);
            expect(sum / demand!.length).toBeCloseTo(40, 6);
          }
        },
      ),
    );
  });

  test.each([
    ['holds', [1, 2, 3], undefined],
    ['is too short', [1, 2], /^the trace holds/],
    ['asks for nothing when it counts', [1, 0, 0], /nothing on the test days/],
    ['has nothing to learn from', [0, 1, 1], /nothing on the train days/],
  ])('a trace that %s', (_, trace, mistake) => {
    const found = traceMistake(service(trace), 1 / 1_440, 2 / 1_440);
    if (mistake === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(mistake);
  });
});

test('one service after another has a crowd, in the middle of each span', () => {
  const flash = { factor: 4, durationMs: 20, everyMs: 100 };
  const at = (ms: number): number => crowdedService(flash, ms, 2);
  expect([0, 49, 50, 69, 70, 150, 250].map(at)).toEqual([-1, -1, 0, 0, -1, 1, 0]);
  expect(crowdedService(undefined, 50, 2)).toBe(-1);
});

test('capacity is lost for its time, on test days alone', () => {
  const scenario = { totalPerS: 100, capacityLoss: { fraction: 0.5, atMs: 10, forMs: 5 } };
  expect([9, 10, 14, 15].map((ms) => totalAt(scenario, 'test', ms))).toEqual([100, 50, 50, 100]);
  expect(totalAt(scenario, 'train', 12)).toBe(100);
});

describe('arrivals', () => {
  test.each([0.3, 4, 11.9, 12, 80, 5_000])(
    'of a mean of %d have the mean and variance of Poisson counts',
    (mean) => {
      const random = seededRandom(3);
      const count = 40_000;
      let [sum, squares, counts] = [0, 0, 0];
      for (let at = 0; at < count; at += 1) {
        const drawn = poisson(mean, random);
        if (Number.isInteger(drawn) && drawn >= 0) counts += 1;
        sum += drawn;
        squares += (drawn - mean) ** 2;
      }
      expect(counts).toBe(count);
      expect(Math.abs(sum / count - mean)).toBeLessThan(5 * Math.sqrt(mean / count));
      expect(Math.abs(squares / count / mean - 1)).toBeLessThan(0.05);
    },
  );

  test('even ones are their mean; the same seed draws the same', () => {
    expect(new ArrivalSource('even', 1).take(2.5)).toBe(2.5);
    const draw = (): number[] => {
      const source = new ArrivalSource('poisson', 5);
      return [3, 30, 300].map((mean) => source.take(mean));
    };
    expect(draw()).toEqual(draw());
  });
});
