/** Records what was asked of a pool, tick by tick, until an interval is whole and goes to be replayed. */
import type { MemberPolicy, PoolPolicy, PoolSeen } from '../../../core/control';
import type { RecordedInterval, RecordedTick } from '../../../learn/replay/recorded';

/** Figures of an interval, at most: longer ones go in parts. */
const MAX_FIGURES = 200_000;
/** Of a gap between ticks, so many ticks count. */
const MAX_GAP_TICKS = 10;

/** See the file's head. Members beyond what an interval may hold are not replayed at all: it says so. */
export class ArrivalRecorder {
  private policy: PoolPolicy | undefined;
  private members: readonly MemberPolicy[] = [];
  private ticks: RecordedTick[] = [];
  private forecasts: RecordedTick['forecasts'];
  private lastMs = NaN;

  /** Whether the pool is so large that it is not recorded. */
  get tooLarge(): boolean {
    return this.members.length > MAX_FIGURES / 10;
  }

  /** Takes the pool as it is now. @returns what was recorded of the pool as it was. */
  use(policy: PoolPolicy, members: readonly MemberPolicy[]): RecordedInterval | undefined {
    const done = this.take();
    this.policy = policy;
    this.members = members;
    this.forecasts = undefined;
    return done;
  }

  /** Takes a tick. @returns an interval that is whole. */
  tick(nowMs: number, { members: seen, health }: PoolSeen): RecordedInterval | undefined {
    const { policy, members } = this;
    if (policy === undefined || this.tooLarge || members.length === 0) return undefined;
    const told = new Map(seen.map((one) => [one.id, one]));
    const sinceMs = this.since(nowMs, policy.tickMs);
    const forecasts = members.map(({ id }) => told.get(id)?.forecast);
    const before = this.forecasts;
    const same = before !== undefined && before.every((forecast, at) => forecast === forecasts[at]);
    this.forecasts = forecasts;
    this.ticks.push({
      atMs: nowMs,
      arrived: Float64Array.from(members, ({ id }) => ((told.get(id)?.demandPerS ?? NaN) * sinceMs) / 1_000),
      forecasts: same && this.ticks.length > 0 ? undefined : forecasts,
      health,
    });
    const most = Math.max(1, Math.min(policy.intervalMs / policy.tickMs, MAX_FIGURES / members.length));
    return this.ticks.length >= Math.floor(most) ? this.take() : undefined;
  }

  private since(nowMs: number, tickMs: number): number {
    const sinceMs = nowMs - this.lastMs;
    if (Number.isFinite(nowMs)) this.lastMs = nowMs;
    return sinceMs > 0 ? Math.min(sinceMs, MAX_GAP_TICKS * tickMs) : tickMs;
  }

  private take(): RecordedInterval | undefined {
    const { policy, members, ticks } = this;
    if (policy === undefined || ticks.length === 0) return undefined;
    this.ticks = [];
    return { policy, members, queueLimits: new Float64Array(members.length), ticks };
  }
}
