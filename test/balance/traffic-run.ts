/** Runs a planner over observations that hold still, for the tests of traffic. */
import { TrafficPlanner } from '../../src/balance/traffic-planner';
import type {
  GroupDecision,
  GroupSeen,
  TargetSeen,
  TrafficGroup,
  TrafficPolicy,
} from '../../src/core/traffic';
import { fullBucket, group, seenGroup, seenTarget, target, trafficPolicy } from './traffic-samples';

const TICK_MS = 100;
export const START_MS = 1_000_000;

/** A planner with its clock. */
export class Run {
  readonly planner: TrafficPlanner;
  nowMs = START_MS;

  constructor(
    readonly of: TrafficGroup,
    policy: TrafficPolicy = trafficPolicy(),
  ) {
    this.planner = new TrafficPlanner(policy, [of]);
  }

  /** Ticks with what is seen at each time, for so many seconds. */
  for(seconds: number, seen: (nowMs: number) => GroupSeen): GroupDecision {
    let last: GroupDecision | undefined;
    for (let k = 0; k < seconds * 10; k += 1) last = this.tick(seen);
    return last!;
  }

  tick(seen: (nowMs: number) => GroupSeen, byMs = TICK_MS): GroupDecision {
    this.nowMs += byMs;
    return this.planner.tick(this.nowMs, [seen(this.nowMs)])[0]!;
  }
}

export const pair = group([target('a'), target('b')]);
/** `a` has a small bucket, `b` a large one; each is asked for so much. */
export const uneven =
  (aPerS: number, bPerS = aPerS, over: Partial<TargetSeen> = {}, overB: Partial<TargetSeen> = {}) =>
  (nowMs: number) =>
    seenGroup([
      seenTarget('a', nowMs, aPerS, { ...fullBucket(60), ...over }),
      seenTarget('b', nowMs, bPerS, { ...fullBucket(500), ...overB }),
    ]);
/** What the small bucket can take over 32 s. */
export const SMALL_PER_S = 0.9 * (60 + 60 / 32);
