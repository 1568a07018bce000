/** A trained policy that advises a pool's controller, interval by interval. */
import type { MemberPolicy, PoolAdvice, PoolDecision, PoolPolicy, PoolSeen } from '../../core/control';
import { Elapsed } from '../../control/elapsed';
import type { PoolAdvisor } from '../../simulate/policy/predictive';
import type { Actor, LearnerObservation } from '../environment';
import { adviceOf } from './factors';
import { AllocationObserver } from './observation';

/** The settings' default of `pools.learning.max_factor`. */
export const MAX_FACTOR = 2;

/**
 * Asks an actor at the start of each interval, by what the interval before has shown. For one pool, in order; with the controller from its
 * first tick on, both keep the same intervals.
 */
export class AllocationAdvisor implements PoolAdvisor {
  private readonly observer = new AllocationObserver();
  private elapsed = new Elapsed(0);
  private intervalMs = NaN;
  private nextMs = 0;
  private advice: PoolAdvice | undefined;
  private seen: LearnerObservation | undefined;

  /** @param model its version, for reasons. */
  constructor(
    private readonly actor: Actor,
    private readonly model: string,
    private readonly maxFactor: number = MAX_FACTOR,
  ) {}

  /** What the last advice was given by; undefined before the first. Its arrays hold until the next. */
  get observation(): LearnerObservation | undefined {
    return this.seen;
  }

  /** @returns the interval's advice; undefined before anything was seen of a whole interval. */
  advise(
    nowMs: number,
    policy: PoolPolicy,
    members: readonly MemberPolicy[],
    seen: PoolSeen,
  ): PoolAdvice | undefined {
    if (policy.intervalMs !== this.intervalMs) this.begin(policy.intervalMs);
    this.elapsed.look(nowMs);
    this.observer.tick(nowMs, policy, members, seen);
    if (this.elapsed.totalMs < this.nextMs - policy.tickMs / 2) return this.advice;
    this.nextMs = this.elapsed.totalMs + policy.intervalMs;
    this.seen = this.observer.observe();
    this.advice = adviceOf(
      this.model,
      nowMs,
      members.map(({ id }) => id),
      this.actor.act(this.seen),
      this.maxFactor,
    );
    return this.advice;
  }

  decided(decision: PoolDecision): void {
    this.observer.decided(decision);
  }

  private begin(intervalMs: number): void {
    this.intervalMs = intervalMs;
    this.elapsed = new Elapsed(intervalMs);
    this.nextMs = intervalMs;
    this.advice = undefined;
  }
}
