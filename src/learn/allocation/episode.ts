/** Draws episodes: which services share what, from when on, how loaded, and what befalls them. */
import { seededRandom, type Random } from '../../forecast/numeric/random';
import { MINUTE_MS, type Scenario, type ScenarioService } from '../../simulate/scenario';
import type { WarmSeries } from './warm-series';

/** How episodes differ. Chances and parts are 0 to 1. */
export interface EpisodeRules {
  /** Mean demand over the total, from and to. */
  readonly loads: readonly [least: number, most: number];
  /** Longest, minutes; shorter where the train days are. */
  readonly minutes: number;
  /** That services keep the scenario's time, instead of one each. */
  readonly together: number;
  /** That services swap traces. */
  readonly swapped: number;
  /** That some services stay away. */
  readonly fewer: number;
  readonly flash: number;
  readonly regime: number;
  readonly capacityLoss: number;
}

/** What an environment draws by where nothing is said. */
export const EPISODE_RULES: EpisodeRules = {
  loads: [0.55, 1.3],
  minutes: 180,
  together: 0.4,
  swapped: 0.5,
  fewer: 0.2,
  flash: 0.35,
  regime: 0.15,
  capacityLoss: 0.1,
};

/** Demand of one service is multiplied from one minute of the episode to another. */
export interface Swell {
  readonly service: number;
  readonly fromMinute: number;
  readonly toMinute: number;
  readonly factor: number;
}

/** An episode. */
export interface Episode {
  /** The scenario with the services that take part, and their total. */
  readonly scenario: Scenario;
  readonly load: number;
  readonly minutes: number;
  /** Of each service, its series and which of the series' starts it begins at. */
  readonly series: readonly WarmSeries[];
  readonly starts: readonly number[];
  readonly swells: readonly Swell[];
  /** The total is `part` of it from one minute to another; none for an empty span. */
  readonly loss: { readonly fromMinute: number; readonly toMinute: number; readonly part: number };
  readonly seed: number;
}

/** @param seed the same gives the same episode. */
export function drawEpisode(
  scenario: Scenario,
  series: readonly WarmSeries[],
  rules: EpisodeRules,
  seed: number,
): Episode {
  const random = seededRandom(seed);
  const chance = (part: number): boolean => random.next() < part;
  const between = (least: number, most: number): number => least + (most - least) * random.next();
  const chosen = chance(rules.fewer) ? someOf(scenario.services.length, random) : allOf(scenario.services);
  const traces = chance(rules.swapped) ? shuffled(chosen, random) : chosen;
  const services = chosen.flatMap((at): ScenarioService[] => scenario.services.slice(at, at + 1));
  const warm = traces.flatMap((at) => series.slice(at, at + 1));
  const shares = services.reduce((sum, { share }) => sum + share, 0);
  const all = scenario.services.reduce((sum, { share }) => sum + share, 0);
  const totalPerS = (scenario.totalPerS * shares) / all;
  const minutes = Math.min(rules.minutes, ...warm.map(longest));
  const start = Math.floor(random.next() * 1e6);
  const together = chance(rules.together);
  const starts = warm.map((one) => {
    const room = roomOf(one, minutes);
    return (together ? start : Math.floor(random.next() * 1e6)) % room;
  });
  const load = between(...rules.loads);
  const span = (least: number, most: number): { fromMinute: number; toMinute: number } => {
    const fromMinute = Math.floor(random.next() * minutes);
    return { fromMinute, toMinute: fromMinute + Math.round(between(least, most)) };
  };
  const one = (): number => Math.floor(random.next() * services.length);
  const swells: Swell[] = [];
  if (chance(rules.flash)) {
    for (let crowds = 1 + Math.floor(2 * random.next()); crowds > 0; crowds -= 1) {
      swells.push({ service: one(), ...span(5, 30), factor: between(2, 5) });
    }
  }
  if (chance(rules.regime)) {
    const { fromMinute } = span(0, 0);
    swells.push({ service: one(), fromMinute, toMinute: minutes, factor: Math.exp(between(-0.8, 0.8)) });
  }
  const loss = chance(rules.capacityLoss)
    ? { ...span(10, 60), part: between(0.5, 0.9) }
    : { fromMinute: 0, toMinute: 0, part: 1 };
  return {
    // Shares are of what the services that take part share.
    scenario: {
      ...scenario,
      totalPerS,
      services: services.map((service) => ({ ...service, share: (service.share * all) / shares })),
      flash: undefined,
      capacityLoss: undefined,
    },
    ...{ load, minutes, series: warm, starts, swells, loss },
    seed: Math.floor(random.next() * 4_294_967_296),
  };
}

/** Times that an episode's demand is multiplied by, and the part of the total that there is. */
export function swellOf({ swells }: Episode, service: number, minute: number): number {
  let factor = 1;
  for (const swell of swells) {
    if (swell.service === service && minute >= swell.fromMinute && minute < swell.toMinute) {
      factor *= swell.factor;
    }
  }
  return factor;
}

/** The total at a time of an episode, ms from its start; requests a second. */
export function totalOf({ scenario, loss }: Episode, atMs: number): number {
  const minute = Math.floor(atMs / MINUTE_MS);
  return minute >= loss.fromMinute && minute < loss.toMinute
    ? scenario.totalPerS * loss.part
    : scenario.totalPerS;
}

function longest({ shape, starts }: WarmSeries): number {
  return shape.length - (starts[0] ?? 0);
}

/** Starts after which there are so many minutes. */
function roomOf({ shape, starts }: WarmSeries, minutes: number): number {
  const fitting = starts.filter((at) => at + minutes <= shape.length).length;
  return Math.max(1, fitting);
}

function allOf(services: readonly ScenarioService[]): readonly number[] {
  return services.map((_, at) => at);
}

/** Half of them at least, and two where there are two, in their order. */
function someOf(count: number, random: Random): readonly number[] {
  const least = Math.min(count, Math.max(2, Math.ceil(count / 2)));
  const kept = least + Math.floor(random.next() * (count - least + 1));
  const order = shuffled(
    Array.from({ length: count }, (_, at) => at),
    random,
  );
  return [...order.slice(0, kept)].sort((a, b) => a - b);
}

/** Fisher and Yates' shuffle. */
function shuffled(items: readonly number[], random: Random): readonly number[] {
  const order = [...items];
  for (let at = order.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random.next() * (at + 1));
    [order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0];
  }
  return order;
}
