/** What tokens were worth, and how rewards change with actions: worked out by hand, and against the environment itself. */
import { AllocationEnvironment } from '../../../src/learn/allocation/allocation-environment';
import { ActionSlopes } from '../../../src/learn/allocation/action-slopes';
import { EPISODE_RULES } from '../../../src/learn/allocation/episode';
import { REWARD_WEIGHTS } from '../../../src/learn/allocation/reward';
import { TokenWorth } from '../../../src/learn/allocation/token-worth';
import { seriesOf, smallScenario } from './scenario-samples';

/** `d` drops, `o` a bucket that runs over, `.` neither. */
function worths(intervals: readonly string[], weight = 4): (readonly [number, number])[] {
  const worth = new TokenWorth([weight]);
  return intervals.map((ticks) => {
    for (const tick of ticks) {
      worth.tick({
        dropped: Float64Array.of(tick === 'd' ? 3 : 0),
        tokens: Float64Array.of(tick === 'o' ? 5 : 1),
        capacities: Float64Array.of(5),
      });
    }
    const [into, before] = [Float64Array.of(NaN), Float64Array.of(NaN)];
    worth.end(into, before);
    return [into[0] ?? NaN, before[0] ?? NaN];
  });
}

describe('what tokens were worth', () => {
  it.each([
    ['all that is dropped later', ['...d'], [[16, 0]]],
    ['nothing where the bucket runs over first', ['..od'], [[4, 0]]],
    ['nothing after the last drop, where it runs over then', ['.do.o'], [[8, 0]]],
    [
      'what the next interval says of the ticks that were open',
      ['d..', '..d'],
      [
        [4, 0],
        [12, 8],
      ],
    ],
    [
      'nothing where it runs over there',
      ['d..', 'od'],
      [
        [4, 0],
        [4, 0],
      ],
    ],
    [
      'nothing where not even that says anything',
      ['..', '..', 'd'],
      [
        [0, 0],
        [0, 0],
        [4, 8],
      ],
    ],
    ['nothing of no tick', [''], [[0, 0]]],
  ])('is %s', (_, intervals, expected) => {
    expect(worths(intervals)).toEqual(expected);
  });
});

describe('slopes of actions', () => {
  it('are those of the shares times what tokens are worth, for what was done last and before', () => {
    const slopes = new ActionSlopes(2, 4);
    // Shares by the logarithm of factors: an action more is half of ln 4 more.
    const shares = (factors: Float64Array) =>
      Float64Array.of(
        3 * Math.log(factors[0] ?? NaN) - Math.log(factors[1] ?? NaN),
        Math.log(factors[1] ?? NaN),
      );
    const ln = Math.log(4) / 2;
    slopes.acted(new Float64Array(4), shares);
    slopes.ended(Float64Array.of(1, 10), Float64Array.of(5, 5));
    const expected = [3 * ln, 0, 9 * ln, 0];
    expected.forEach((slope, at) => expect(slopes.now[at]).toBeCloseTo(slope, 9));
    expect([...slopes.later]).toEqual([0, 0, 0, 0]);
    slopes.acted(Float64Array.of(0.2, 5, -0.3, 5), (factors) => shares(factors).map((share) => 2 * share));
    slopes.ended(Float64Array.of(0, 1), Float64Array.of(2, 0));
    [0, 0, 2 * ln, 0].forEach((slope, at) => expect(slopes.now[at]).toBeCloseTo(slope, 9));
    [6 * ln, 0, -2 * ln, 0].forEach((slope, at) => expect(slopes.later[at]).toBeCloseTo(slope, 9));
  });

  const reward = { ...REWARD_WEIGHTS, utilization: 0, queue: 0, guarantee: 0, churn: 0, critical: 1 };
  const options = { reward, episodes: { ...EPISODE_RULES, minutes: 6, loads: [1, 1.3] as const } };

  it('foretell what actions a little different are paid', () => {
    const scenario = smallScenario({ lending: false, arrivals: 'even' });
    const environment = new AllocationEnvironment(scenario, seriesOf(scenario), options);
    const paid = (seed: number, second: Float64Array): readonly [number, Float64Array] => {
      const { services } = environment.reset(seed);
      environment.step(new Float64Array(services * 2));
      const { reward: sum, slopes } = environment.step(second.slice(0, services * 2));
      return [sum, slopes?.slice() ?? new Float64Array(0)];
    };
    let [both, foretold, came] = [0, 0, 0];
    for (let seed = 0; seed < 25; seed += 1) {
      const [, slopes] = paid(seed, new Float64Array(8));
      for (const service of [0, 1]) {
        const moved = new Float64Array(8);
        moved[2 * service] = 0.3;
        const [change] = paid(seed, moved);
        const expected = 0.3 * (slopes[2 * service] ?? NaN);
        both += change * expected;
        foretold += expected ** 2;
        came += change ** 2;
      }
    }
    expect(came).toBeGreaterThan(0);
    expect(both / Math.sqrt(foretold * came)).toBeGreaterThan(0.6);
    // Shares bend, and the guard leaves small changes: less comes than is foretold.
    expect(both / foretold).toBeGreaterThan(0.4);
    expect(both / foretold).toBeLessThan(1.2);
  });

  it('are not told where the pool lends', () => {
    const scenario = smallScenario();
    const environment = new AllocationEnvironment(scenario, seriesOf(scenario), options);
    const { services } = environment.reset(1);
    expect(environment.step(new Float64Array(services * 2)).slopes).toBeUndefined();
  });
});
