/** What was asked of a pool, tick by tick, as it is recorded to be replayed. Plain data, structured-cloneable. */
import type { MemberForecast, MemberPolicy, PoolPolicy, ServiceHealth } from '../../core/control';

/** One tick, member by member in the order of {@link RecordedInterval.members}. */
export interface RecordedTick {
  readonly atMs: number;
  /** Requests that came in the tick; NaN where nobody told. */
  readonly arrived: Float64Array;
  /** What was foreseen; undefined: as at the tick before. */
  readonly forecasts: readonly (MemberForecast | undefined)[] | undefined;
  readonly health: readonly ServiceHealth[];
}

/** Ticks that follow each other without a gap, of one set of members. */
export interface RecordedInterval {
  readonly policy: PoolPolicy;
  readonly members: readonly MemberPolicy[];
  /** Requests that may wait for each member; 0 for rules without a queue. */
  readonly queueLimits: Float64Array;
  readonly ticks: readonly RecordedTick[];
}
