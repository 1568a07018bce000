import fc from 'fast-check';
import { LOSS_WEIGHTS } from '../../../src/control/loss-weights';
import { AllocationEnvironment } from '../../../src/learn/allocation/allocation-environment';
import { ControlledPool } from '../../../src/learn/allocation/controlled-pool';
import { drawEpisode, EPISODE_RULES, totalOf } from '../../../src/learn/allocation/episode';
import { ALLOCATION_SHAPE, FEATURE_MAX } from '../../../src/learn/allocation/features';
import { REWARD_WEIGHTS } from '../../../src/learn/allocation/reward';
import { checkEnvironment } from '../../../src/learn/check-environment';
import { seededRandom } from '../../../src/forecast/numeric/random';
import { ArrivalSource } from '../../../src/simulate/arrivals';
import { cycle, seriesOf, smallScenario } from './scenario-samples';

const scenario = smallScenario();
const series = seriesOf(scenario);
const episodes = { ...EPISODE_RULES, minutes: 20 };
const environment = (options = {}) => new AllocationEnvironment(scenario, series, { episodes, ...options });

/** An episode of random actions. @returns rewards, and the last observation. */
function wander(learned: AllocationEnvironment, seed: number, spread: number) {
  const random = seededRandom(seed);
  let { services } = learned.reset(seed);
  const rewards: number[] = [];
  for (;;) {
    const action = Float64Array.from({ length: services * 2 }, () => spread * random.normal());
    const { reward, observation, truncated } = learned.step(action);
    rewards.push(reward);
    services = observation.services;
    if (truncated) return { rewards, observation };
  }
}

describe('the environment of the learned allocator', () => {
  it.each([true, false])('is one to learn in, with the solver beside it: %s', (overSolver) => {
    expect(checkEnvironment(environment({ overSolver, episodes: { ...episodes, minutes: 8 } }))).toEqual([]);
  });

  it('pays nothing over the solver for actions of 0, whatever befalls', () => {
    const everything = { ...episodes, flash: 1, regime: 1, capacityLoss: 1, fewer: 0.5 };
    for (const seed of [1, 2, 3]) {
      expect(wander(environment({ episodes: everything }), seed, 0).rewards.every((one) => one === 0)).toBe(
        true,
      );
    }
  });

  it('pays otherwise for other actions, and the same for the same', () => {
    const first = wander(environment(), 5, 1);
    expect(first.rewards.some((one) => one !== 0)).toBe(true);
    expect(wander(environment(), 5, 1).rewards).toEqual(first.rewards);
  });

  it('pays for each term by its weight, and tells each apart', () => {
    const reset = (reward: object, overSolver: boolean) => {
      const learned = environment({ reward: { ...REWARD_WEIGHTS, ...reward }, overSolver });
      learned.reset(4);
      return learned.step(new Float64Array(8).fill(0.5));
    };
    for (const overSolver of [false, true]) {
      const plain = reset({}, overSolver);
      const double = reset({ served: 2 * REWARD_WEIGHTS.served, churn: 0 }, overSolver);
      expect(double.terms['served']).toBeCloseTo(2 * (plain.terms['served'] ?? NaN), 12);
      expect(Math.abs(double.terms['churn'] ?? NaN)).toBe(0);
      const named = Object.keys(REWARD_WEIGHTS).filter((name) => name !== 'critical');
      expect(Object.keys(plain.terms).sort()).toEqual(named.sort());
    }
  });

  it('weighs CRITICAL as often as it is told to', () => {
    const paid = (critical: number) => {
      const learned = environment({ reward: { ...REWARD_WEIGHTS, critical }, overSolver: false });
      learned.reset(4);
      return learned.step(new Float64Array(8)).terms['served'] ?? NaN;
    };
    // What the others are paid is the same: each weight more adds as much.
    expect(paid(2) - paid(1)).toBeGreaterThan(0);
    expect(paid(3) - paid(2)).toBeCloseTo(paid(2) - paid(1), 9);
  });

  it('shows finite figures within their bounds, row by row, for any number of services', () => {
    const counts = new Set<number>();
    for (let seed = 0; seed < 12; seed += 1) {
      const { observation } = wander(
        environment({ episodes: { ...episodes, fewer: 0.7, minutes: 6 } }),
        seed,
        2,
      );
      counts.add(observation.services);
      expect(observation.perService).toHaveLength(observation.services * ALLOCATION_SHAPE.serviceFeatures);
      for (const figure of [...observation.perService, ...observation.global]) {
        expect(Math.abs(figure)).toBeLessThanOrEqual(FEATURE_MAX);
      }
    }
    expect(counts.size).toBeGreaterThan(1);
  });

  it('knows nothing of the test days', () => {
    const other = smallScenario({
      services: scenario.services.map((service) => ({
        ...service,
        trace: service.trace.map((value, minute) => (minute < 2 * 1_440 ? value : 7 * value)),
      })),
    });
    const learned = new AllocationEnvironment(other, seriesOf(other), { episodes });
    expect(wander(learned, 8, 1).rewards).toEqual(wander(environment(), 8, 1).rewards);
  });

  it('learns from days that are short, and from a scenario without lending', () => {
    const short = smallScenario({ trainDays: 0.25, testDays: 0.25, lending: false });
    const learned = new AllocationEnvironment(short, seriesOf(short));
    expect(wander(learned, 1, 1).rewards.length).toBeGreaterThan(30);
  });
});

describe('exploring', () => {
  it('never lets in more than the total over any time and what buckets hold', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.boolean(),
        fc.constantFrom(0.3, 2, 1e6),
        (seed, lending, spread) => {
          const drawn = drawEpisode(
            smallScenario({ lending, tickMs: 1_000, intervalMs: 10_000 }),
            series,
            { ...episodes, flash: 1, capacityLoss: 0.5 },
            seed,
          );
          const pool = new ControlledPool(drawn.scenario, drawn.load);
          const random = seededRandom(seed);
          const source = new ArrivalSource('poisson', seed);
          const mean = Float64Array.from(
            drawn.scenario.services,
            ({ share }) => 3 * share * drawn.scenario.totalPerS,
          );
          let excess = -Infinity;
          for (let tick = 0; tick < 150; tick += 1) {
            const totalPerS = totalOf(drawn, tick * 1_000);
            const now = {
              atMs: tick * 1_000,
              totalPerS,
              forecasts: { madeAtMs: tick * 1_000, meanPerS: mean, upperPerS: mean.map((one) => 1.2 * one) },
            };
            pool.look(now);
            const members = pool.control.members.map(({ id }) => ({
              id,
              demandFactor: Math.exp(spread * random.normal()),
              keepFactor: Math.exp(spread * random.normal()),
            }));
            const advice = { model: 'm', madeAtMs: 86_400_000 + tick * 1_000, members };
            const arrivals = mean.map((one) => source.take(one));
            const capacities = pool.environment.capacities.reduce((sum, one) => sum + one, 0);
            pool.pass(now, arrivals, tick % 10 === 0 ? advice : null, 2);
            // Of capacities a larger one may come into force with the tick itself; a bucket is never filled by that.
            const after = pool.environment.capacities.reduce((sum, one) => sum + one, 0);
            excess = Math.max(excess, -Math.max(capacities, after));
            excess += pool.environment.served.reduce((sum, one) => sum + one, 0) - totalPerS;
            expect(excess).toBeLessThanOrEqual(1e-6);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('episodes', () => {
  it('are drawn anew by each seed and the same by the same', () => {
    const loads = Array.from(
      { length: 50 },
      (_, seed) => drawEpisode(scenario, series, EPISODE_RULES, seed).load,
    );
    expect(new Set(loads).size).toBe(50);
    expect(Math.min(...loads)).toBeGreaterThanOrEqual(EPISODE_RULES.loads[0]);
    expect(Math.max(...loads)).toBeLessThanOrEqual(EPISODE_RULES.loads[1]);
    expect(drawEpisode(scenario, series, EPISODE_RULES, 9)).toEqual(
      drawEpisode(scenario, series, EPISODE_RULES, 9),
    );
  });

  it('lie inside the train days, and keep the mean of each priority', () => {
    for (let seed = 0; seed < 100; seed += 1) {
      const drawn = drawEpisode(scenario, series, EPISODE_RULES, seed);
      drawn.series.forEach(({ starts, shape }, at) => {
        expect((starts[drawn.starts[at] ?? -1] ?? NaN) + drawn.minutes).toBeLessThanOrEqual(shape.length);
      });
      expect(drawn.scenario.services.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
      expect(drawn.scenario.services.every(({ priority }) => LOSS_WEIGHTS[priority] > 0)).toBe(true);
    }
  });

  it('have no series where nothing was asked for', () => {
    const silent = smallScenario({
      services: [{ ...scenario.services[0]!, trace: cycle(3, 0).fill(0) }],
    });
    expect(() => seriesOf(silent)).toThrow('no demand');
  });
});
