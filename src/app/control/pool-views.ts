/** Pools as people see them. */
import type { AllocationView, BucketView, PoolView } from '../../core/control-desk';
import { NO_REASON, orNull, reasonView } from './decision-views';
import type { PoolRunner } from './pool-runner';

/** A pool as a whole. */
export function poolView(runner: PoolRunner, nowMs: number): PoolView {
  const { link, policy, table, decision } = runner;
  const { leader, epoch } = link.role();
  const { fairness, reclaimMs, breaker } = runner.controller.lendingView();
  const sum = (of: (id: string) => number | undefined): number =>
    [...runner.members.keys()].reduce((total, id) => total + finite(of(id)), 0);
  return {
    name: runner.name,
    mode: runner.mode,
    configuredMode: policy.mode,
    modeOrder: link.orders().mode ?? null,
    leader,
    epoch,
    sequence: table?.sequence ?? 0,
    version: table?.version ?? 0,
    publishedAtMs: table?.madeAtMs ?? null,
    stale: table !== undefined && nowMs > table.madeAtMs + table.lifeMs,
    state: decision?.state ?? 'normal',
    why: decision?.why ?? '',
    configuredTotalPerS: policy.totalPerS,
    totalPerS: decision?.totalPerS ?? policy.totalPerS,
    demandPerS: sum((id) => runner.seenOf(id)?.demandPerS),
    admittedPerS: sum((id) => runner.seenOf(id)?.admittedPerS),
    members: runner.members.size,
    fairness,
    reclaimMs,
    level: runner.mode === 'off' ? 'configured' : runner.learning.level,
    learningMode: runner.mode === 'off' ? 'off' : runner.learning.mode,
    breaker,
    shadow: runner.shadow.view(),
  };
}

/** Every member's bucket. */
export function bucketViews(runner: PoolRunner): readonly BucketView[] {
  const { overrides } = runner.link.orders();
  const tuned = new Map((runner.table?.buckets ?? []).map((bucket) => [bucket.id, bucket]));
  return [...runner.members.values()].map(({ policy }): BucketView => {
    const { id, nominalPerS, nominalCapacity } = policy;
    const output = runner.outputOf(id);
    const seen = runner.seenOf(id);
    const inForce = runner.mode === 'active' ? tuned.get(id) : undefined;
    return {
      pool: runner.name,
      id,
      bucketKey: policy.bucketKey,
      service: policy.service,
      priority: policy.priority,
      weight: policy.weight,
      nominalPerS,
      nominalCapacity,
      ratePerS: inForce?.ratePerS ?? nominalPerS,
      capacity: inForce?.capacity ?? nominalCapacity,
      proposedPerS: output?.ratePerS ?? nominalPerS,
      proposedCapacity: output?.capacity ?? nominalCapacity,
      minPerS: policy.minPerS,
      maxPerS: policy.maxPerS,
      guaranteePerS: policy.guaranteePerS,
      tokens: orNull(seen?.tokens),
      demandPerS: orNull(seen?.demandPerS),
      admittedPerS: orNull(seen?.admittedPerS),
      deniedPerS: orNull(seen?.deniedPerS),
      forecastPerS: orNull(seen?.forecast?.meanPerS),
      balance: runner.controller.balanceOf(id),
      why: output === undefined ? NO_REASON : reasonView(output.reason),
      override: overrides.find(({ member }) => member === id) ?? null,
    };
  });
}

/** What each service gets. */
export function allocationViews(runner: PoolRunner): readonly AllocationView[] {
  const services = new Map<string, { -readonly [K in keyof AllocationView]: AllocationView[K] }>();
  for (const bucket of bucketViews(runner)) {
    const known = services.get(bucket.service) ?? {
      pool: runner.name,
      service: bucket.service,
      priority: bucket.priority,
      nominalPerS: 0,
      allocatedPerS: 0,
      demandPerS: 0,
      admittedPerS: 0,
      guaranteePerS: 0,
    };
    known.nominalPerS += bucket.nominalPerS;
    known.allocatedPerS += bucket.proposedPerS;
    known.demandPerS += bucket.demandPerS ?? 0;
    known.admittedPerS += bucket.admittedPerS ?? 0;
    known.guaranteePerS += bucket.guaranteePerS;
    services.set(bucket.service, known);
  }
  return [...services.values()];
}

function finite(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) ? value : 0;
}
