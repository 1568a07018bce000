/** Records what was asked of a pool, tick by tick, until an interval is whole and goes to be replayed. */
import type { PoolSeen } from '../../../core/control';
import type { RecordedInterval, RecordedTick } from '../../../learn/replay/recorded';
import type { PoolNow } from './pool-history';

/** Figures of an interval, at most: longer ones go in parts. */
const MAX_FIGURES = 200_000;
/** Of a gap between ticks, so many ticks count. */
const MAX_GAP_TICKS = 10;

/** See the file's head. Members beyond what an interval may hold are not replayed at all: it says so. */
export class ArrivalRecorder {
  private pool: PoolNow | undefined;
  private ticks: RecordedTick[] = [];
  private forecasts: RecordedTick['forecasts'];
  private lastMs = NaN;

  /** Whether the pool is so large that it is not recorded. */
  get tooLarge(): boolean {
    return (this.pool?.members.length ?? 0) > MAX_FIGURES / 10;
  }

  /** Takes the pool as it is now. @returns what was recorded of the pool as it was. */
  use(pool: PoolNow): RecordedInterval | undefined {
    const done = this.take();
    this.pool = pool;
    this.forecasts = undefined;
    return done;
  }

  /** Takes a tick. @returns an interval that is whole. */
  tick(nowMs: number, { members: seen, health }: PoolSeen): RecordedInterval | undefined {
    if (this.pool === undefined || this.tooLarge || this.pool.members.length === 0) return undefined;
    const { policy, members } = this.pool;
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
    const { pool, ticks } = this;
    if (pool === undefined || ticks.length === 0) return undefined;
    this.ticks = [];
    return { ...pool, ticks };
  }
}
