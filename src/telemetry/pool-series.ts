/** Pools under the names that dashboards draw: totals, rates against the configured ones, loans, and whether all is well. */
import type { BucketView, PoolView } from '../core/control-desk';
import { LEARNING_FAMILIES, type LearningFigures } from './learning-series';
import { renderFamilies, type Line, type MetricFamily } from './metric-family';

/** What the control path tells of its pools. */
export interface PoolFigures extends LearningFigures {
  readonly pools: readonly PoolView[];
  /** Bounded by whoever tells. */
  readonly buckets: readonly BucketView[];
}

function ofPool(
  name: string,
  help: string,
  value: (pool: PoolView) => number | boolean | null,
): MetricFamily<PoolFigures> {
  const lines = ({ pools }: PoolFigures): Line[] =>
    pools.map((pool): Line => {
      const figure = value(pool);
      return [[['pool', pool.name]], typeof figure === 'boolean' ? Number(figure) : figure];
    });
  return { name, help, type: 'gauge', lines };
}

function ofBucket(
  name: string,
  help: string,
  value: (bucket: BucketView) => number | null,
): MetricFamily<PoolFigures> {
  const lines = ({ buckets }: PoolFigures): Line[] =>
    buckets.map((bucket): Line => {
      const labels = [
        ['pool', bucket.pool],
        ['member', bucket.id],
        ['service', bucket.service],
        ['priority', bucket.priority],
      ] as const;
      return [labels, value(bucket)];
    });
  return { name, help, type: 'gauge', lines };
}

const FAMILIES: readonly MetricFamily<PoolFigures>[] = [
  ofPool('tidegate_pool_leader', 'Whether this process leads the pool.', ({ leader }) => leader),
  ofPool('tidegate_pool_active', 'Whether what is decided is applied.', ({ mode }) => mode === 'active'),
  ofPool(
    'tidegate_pool_fallback',
    'Whether the configured limits hold because control could not decide.',
    ({ state }) => state === 'fallback',
  ),
  ofPool('tidegate_pool_stale', 'Whether the published table has run out.', ({ stale }) => stale),
  ofPool('tidegate_pool_total_rate', 'Tokens a second that are shared.', ({ totalPerS }) => totalPerS),
  ofPool('tidegate_pool_demand_rate', 'Tokens a second that are asked for.', ({ demandPerS }) => demandPerS),
  ofPool(
    'tidegate_pool_admitted_rate',
    'Tokens a second that are admitted.',
    ({ admittedPerS }) => admittedPerS,
  ),
  ofPool(
    'tidegate_pool_fairness',
    "Jain's index of what members were served over what they asked for, 0 to 1.",
    ({ fairness }) => fairness,
  ),
  ofPool(
    'tidegate_pool_reclaim_seconds',
    'How long lenders waited for their tokens of late, mean.',
    ({ reclaimMs }) => (reclaimMs === null ? null : reclaimMs / 1_000),
  ),
  ofPool(
    'tidegate_pool_lending_breaker_open',
    'Whether lending is off because transfers failed.',
    ({ breaker }) => breaker !== 'closed',
  ),
  ofPool(
    'tidegate_pool_nominal_loss_ratio',
    'What the configured limits would have denied over the last hour, weighted by priority, 0 to 1.',
    ({ shadow }) => shadow.nominalLoss,
  ),
  ofPool(
    'tidegate_pool_proposed_loss_ratio',
    'What the proposals would have denied over the last hour, weighted by priority, 0 to 1.',
    ({ shadow }) => shadow.proposedLoss,
  ),
  ofBucket('tidegate_member_rate', 'Tokens a second that a bucket gets.', ({ ratePerS }) => ratePerS),
  ofBucket(
    'tidegate_member_nominal_rate',
    'Tokens a second that the limits say.',
    ({ nominalPerS }) => nominalPerS,
  ),
  ofBucket(
    'tidegate_member_proposed_rate',
    'Tokens a second that control wants a bucket to get.',
    ({ proposedPerS }) => proposedPerS,
  ),
  ofBucket(
    'tidegate_member_tokens',
    'Tokens in a bucket when it was looked at last.',
    ({ tokens }) => tokens,
  ),
  ofBucket(
    'tidegate_member_loan_balance',
    'Tokens of open loans: lent less borrowed.',
    ({ balance }) => balance,
  ),
  ...LEARNING_FAMILIES,
];

/** The control path's pools as metrics; nothing where there are none. */
export class PoolSeries {
  private figures: PoolFigures | undefined;

  /** Takes the figures of the last second. */
  take(figures: PoolFigures): void {
    this.figures = figures;
  }

  metricNames(): string[] {
    return FAMILIES.map(({ name }) => name);
  }

  /** The lines of the text format. */
  async render(): Promise<string> {
    return this.figures === undefined ? '' : renderFamilies(FAMILIES, this.figures);
  }
}
