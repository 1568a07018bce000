/** What is remembered of a pool's members, for training. */
import type { MemberPolicy, PoolPolicy } from '../../../core/control';
import type { History } from '../../../history/history';
import type { PoolHistory } from '../../training/history-scenario';

const MINUTE_MS = 60_000;
/** More is not learned from. */
const DAYS_MAX = 14;
const DAY_MS = 86_400_000;
/** Members that are read of, at most: those with the largest configured rates. */
const MEMBERS_MAX = 256;

/** A pool as it is: `queueLimits` are tokens that may be waited for, in the order of its members. */
export interface PoolNow {
  readonly policy: PoolPolicy;
  readonly members: readonly MemberPolicy[];
  readonly queueLimits: Float64Array;
}

/** By the minute, until now, in tokens a second. */
export function poolHistory(
  history: Pick<History, 'series'>,
  { policy, members, queueLimits }: PoolNow,
  nowMs: number,
): PoolHistory {
  const toMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
  const read = members
    .map((policy, at) => ({ ...policy, queueLimit: queueLimits[at] ?? 0 }))
    .sort((a, b) => b.nominalPerS - a.nominalPerS)
    .slice(0, MEMBERS_MAX);
  return {
    totalPerS: policy.totalPerS,
    intervalMs: policy.intervalMs,
    tickMs: policy.tickMs,
    lending: policy.lending.enabled,
    members: read.map(({ id, priority, nominalPerS, guaranteePerS, queueLimit }) => ({
      name: id,
      priority,
      nominalPerS,
      guaranteePerS,
      queueLimitMs: nominalPerS > 0 ? (queueLimit * 1_000) / nominalPerS : 0,
      perMinute: history
        .series(id, 'hits', MINUTE_MS, toMs - DAYS_MAX * DAY_MS, toMs)
        .values.map((hits) => (hits * 1_000) / MINUTE_MS),
    })),
  };
}
