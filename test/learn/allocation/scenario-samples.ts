/** A small scenario to learn in, for tests. */
import { PRIORITIES } from '../../../src/core/priority';
import { seededRandom } from '../../../src/forecast/numeric/random';
import { warmSeries, type WarmSeries } from '../../../src/learn/allocation/warm-series';
import { DAY_MINUTES, type Scenario } from '../../../src/simulate/scenario';

/** Days with a cycle and noise. */
export function cycle(days: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: days * DAY_MINUTES }, (_, minute) => {
    const angle = (2 * Math.PI * minute) / DAY_MINUTES + seed;
    return 100 * (1 + 0.6 * Math.cos(angle)) * Math.exp(0.1 * random.normal());
  });
}

export function smallScenario(changes: Partial<Scenario> = {}): Scenario {
  return {
    seed: 3,
    totalPerS: 400,
    intervalMs: 60_000,
    tickMs: 5_000,
    lendDelayMs: 100,
    loads: [{ name: '0.9', load: 0.9 }],
    flash: undefined,
    capacityLoss: undefined,
    trainDays: 2,
    testDays: 1,
    lending: true,
    arrivals: 'poisson',
    services: PRIORITIES.map((priority, at) => ({
      name: `s${at}`,
      priority,
      share: 0.25,
      guaranteePerS: priority === 'LOW' ? 20 : 0,
      queueLimitMs: 2_000 * (at + 1),
      trace: cycle(3, at),
      rollMinutes: 60 * at,
    })),
    ...changes,
  };
}

export function seriesOf(scenario: Scenario): readonly WarmSeries[] {
  return scenario.services.map((_, service) => {
    const series = warmSeries(scenario, service);
    if (series === undefined) throw new Error(`service ${service} has no demand`);
    return series;
  });
}
