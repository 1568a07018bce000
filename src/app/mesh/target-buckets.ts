/** The buckets of traffic's targets, by the limits in use: plain data, from the thread that serves to the thread that controls. */
import type { Settings } from '../../config/settings-shape';
import type { BucketRef } from '../../core/pool-link';
import type { LimitTable } from '../../limiter/limit-table';
import type { TuningBounds } from '../../limiter/tuned-size';
import { bucketKeyOfRule } from '../../limiter/tuning';
import type { RlsCurrentLimit } from '../../core/rls';
import { PoolMap } from '../control/pool-setup';

/** A bucket that limits targets. */
export interface TargetBucket {
  /** As settings name it: the class of its demand. */
  readonly id: string;
  readonly ruleId: string;
  readonly bucket: BucketRef;
  readonly currentLimit: RlsCurrentLimit;
  /** Where a pool may change its size. */
  readonly bounds: TuningBounds | undefined;
}

/** Every bucket that a target names and the limits have. */
export function targetBuckets(settings: Settings, table: LimitTable): readonly TargetBucket[] {
  const wanted = new Set(settings.mesh.targets.map(({ bucket }) => bucket).filter((id) => id !== ''));
  if (wanted.size === 0) return [];
  const pools = new PoolMap(settings);
  const rules = new Map(table.rules.map((rule) => [rule.id, rule]));
  return [...wanted].flatMap((id): TargetBucket[] => {
    const bar = id.indexOf('|');
    const rule = rules.get(bar < 0 ? id : id.slice(0, bar));
    const place = rule?.demand?.place;
    if (rule === undefined || place === undefined || rule.unlimited) return [];
    const key = bar < 0 ? bucketKeyOfRule(place) : id.slice(bar + 1);
    if (key === undefined) return [];
    const group = settings.store.colocate === 'domain' ? place.domain : key;
    return [
      {
        id,
        ruleId: rule.id,
        bucket: { key, group, params: rule.params },
        currentLimit: rule.currentLimit,
        bounds: pools.boundsOf(rule.id, rule.params),
      },
    ];
  });
}
