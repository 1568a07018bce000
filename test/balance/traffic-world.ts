/** A small world for closed loops: targets with token buckets, calls that arrive at random, and what is seen of both, late. */
import { evaluateTokenBucket, newTokenBucket, tokensAtUt } from '../../src/bucket/token-bucket';
import { bucketParams } from '../../src/bucket/params';
import type { GroupDecision, GroupSeen, TrafficGroup } from '../../src/core/traffic';
import { seededRandom } from '../../src/forecast/numeric/random';
import type { TrafficPlanner } from '../../src/balance/traffic-planner';
import { seenGroup, seenTarget } from './traffic-samples';

const TICK_MS = 100;
const SECOND_MS = 1_000;
const UT_PER_TOKEN = 1_000_000;

/** A world: a group whose targets have a bucket each. */
export interface World {
  readonly group: TrafficGroup;
  readonly buckets: readonly { readonly refillPerS: number; readonly capacity: number }[];
  /** Calls a second of each class at a time, s. */
  readonly load: (second: number) => readonly number[];
  readonly seed: number;
  /** How long decided shares need to be in force, ms. */
  readonly pushMs: number;
  /** Changes what is seen before the planner is told. */
  readonly disturb?: (seen: GroupSeen, atMs: number) => GroupSeen;
}

/** What happened. */
export interface Course {
  /** Calls denied at each target. */
  readonly denied: readonly number[];
  readonly calls: number;
  readonly changes: number;
  readonly decisions: readonly GroupDecision[];
}

/** Runs the world for `seconds`; without a planner the configured weights hold. */
export function live(world: World, seconds: number, planner: TrafficPlanner | undefined): Course {
  const { group, buckets, load } = world;
  const source = seededRandom(world.seed);
  const random = () => source.next();
  const params = buckets.map(({ refillPerS, capacity }) =>
    bucketParams({ algorithm: 'token_bucket', limit: refillPerS, windowUs: 1_000_000, capacity }),
  );
  const states = params.map((each) => newTokenBucket(each, 0));
  const weights = group.targets.map(({ weight, backup }) => (backup ? 0 : weight));
  let inForce: readonly (readonly number[])[] = group.classes.map(() => weights);
  const onTheWay: { readonly atMs: number; readonly shares: readonly (readonly number[])[] }[] = [];
  const denied = states.map(() => 0);
  const counts = states.map(() => 0);
  const classCounts = group.classes.map(() => 0);
  let told: GroupSeen | undefined;
  let waiting: { readonly demand: number[]; readonly classes: number[] } | undefined;
  const decisions: GroupDecision[] = [];
  let calls = 0;
  let changes = 0;
  for (let nowMs = 0; nowMs < seconds * SECOND_MS; nowMs += TICK_MS) {
    while ((onTheWay[0]?.atMs ?? Infinity) <= nowMs) inForce = onTheWay.shift()?.shares ?? inForce;
    const rates = load(nowMs / SECOND_MS);
    for (const { atMs, ofClass } of arrivals(rates, nowMs, random)) {
      const t = choose(inForce[ofClass] ?? weights, random);
      const state = states[t];
      const offered = params[t];
      if (state === undefined || offered === undefined) continue;
      calls += 1;
      counts[t] = (counts[t] ?? 0) + 1;
      classCounts[ofClass] = (classCounts[ofClass] ?? 0) + 1;
      if (!evaluateTokenBucket(state, offered, 1, Math.floor(atMs * 1_000), 'allowed').allowed) {
        denied[t] = (denied[t] ?? 0) + 1;
      }
    }
    const endMs = nowMs + TICK_MS;
    if (endMs % SECOND_MS === 0) {
      // What was counted in a second is told a second later.
      const ready = waiting;
      waiting = { demand: counts.slice(), classes: classCounts.slice() };
      counts.fill(0);
      classCounts.fill(0);
      if (ready !== undefined) {
        const rows = group.targets.map(({ id }, t) => seenTarget(id, endMs, ready.demand[t] ?? NaN));
        told = seenGroup(rows, ready.classes, group.name);
      }
    }
    if (planner === undefined) continue;
    const targets = group.targets.map(({ id }, t) =>
      seenTarget(id, endMs, told?.targets[t]?.demandPerS ?? NaN, {
        tokens: Math.floor(tokensAtUt(states[t]!, endMs * 1_000) / UT_PER_TOKEN),
        capacity: buckets[t]?.capacity ?? NaN,
        refillPerS: buckets[t]?.refillPerS ?? NaN,
      }),
    );
    const seen = seenGroup(targets, told?.classDemandPerS ?? group.classes.map(() => NaN), group.name);
    const decision = planner.tick(endMs, [world.disturb?.(seen, endMs) ?? seen])[0];
    if (decision === undefined) continue;
    decisions.push(decision);
    if (!decision.changed) continue;
    changes += 1;
    onTheWay.push({ atMs: endMs + world.pushMs, shares: decision.shares });
  }
  return { denied, calls, changes, decisions };
}

/** Calls of one tick, a Poisson process each class, in the order in which they come. */
function arrivals(
  ratesPerS: readonly number[],
  fromMs: number,
  random: () => number,
): readonly { readonly atMs: number; readonly ofClass: number }[] {
  const calls: { readonly atMs: number; readonly ofClass: number }[] = [];
  for (const [ofClass, rate] of ratesPerS.entries()) {
    if (!(rate > 0)) continue;
    for (let atMs = fromMs; ;) {
      atMs += (-Math.log(1 - random()) * SECOND_MS) / rate;
      if (atMs >= fromMs + TICK_MS) break;
      calls.push({ atMs, ofClass });
    }
  }
  return calls.sort((a, b) => a.atMs - b.atMs);
}

function choose(weights: readonly number[], random: () => number): number {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [t, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return t;
  }
  return weights.findIndex((weight) => weight > 0);
}
