/** Says what was decided for a group, and why. */
import type { GroupDecision, TargetReason } from '../core/traffic';
import { depletionS } from './capacity/bucket-outlook';
import { clampsOf, ruleOf } from './target-rule';
import { causeOf, perSecond } from './traffic-words';
import type { GroupStanding } from './group-planner';

/** Causes that are told; more are counted. */
const MAX_CAUSES = 3;

/** What a decision says beside its shares. */
export type GroupReport = Pick<GroupDecision, 'state' | 'why' | 'targets'>;

/** Reports a group's standing. */
export function reportGroup(standing: GroupStanding): GroupReport {
  const targets = standing.targets.map((_, t) => reasonOf(standing, t));
  return { state: standing.state, why: whyOf(standing, targets), targets };
}

function reasonOf(standing: GroupStanding, t: number): TargetReason {
  const { targets, demandPerS, shape, groupShare, demand, aheadS, state } = standing;
  const target = targets[t];
  const share = shape.base[t] ?? 0;
  const counts = demandPerS > 0;
  const isStale = state === 'stale' || target === undefined;
  const stepS = aheadS / (demand.path.length - 1);
  const dryS =
    counts && target?.bucket.known === true ? depletionS(target.bucket, share, demand.path, stepS) : NaN;
  return {
    id: target?.id ?? '',
    bucketPerS: isStale ? null : bound(target.bucketPerS),
    healthFactor: isStale ? 1 : target.steady.held.factor,
    effectivePerS: isStale || !counts ? null : bound(target.effectivePerS),
    configuredDemandPerS: bound(demandPerS * share),
    demandPerS: bound(demandPerS * (groupShare[t] ?? 0)),
    depletionMs: Number.isNaN(dryS) ? null : dryS * 1_000,
    rule: ruleOf(standing, t),
    clamps: clampsOf(standing, t),
  };
}

function bound(figure: number): number | null {
  return Number.isFinite(figure) ? figure : null;
}

function whyOf(standing: GroupStanding, reasons: readonly TargetReason[]): string {
  const { state, demandPerS } = standing;
  switch (state) {
    case 'configured':
      return '';
    case 'stale':
      return 'nothing is known of its targets: the configured weights hold';
    case 'unhealthy':
      return `no target is well: spread by the configured weights (${causes(standing, reasons)})`;
    case 'overloaded': {
      let sum = 0;
      for (const { effectivePerS } of reasons) sum += effectivePerS ?? 0;
      const why = causes(standing, reasons);
      const asked = `asked for ${perSecond(demandPerS)} where all together can take ${perSecond(sum)}`;
      return `${asked}: spread by what each can take${why === '' ? '' : `; ${why}`}`;
    }
    case 'moving':
      return causes(standing, reasons) || 'moves back to the configured weights';
  }
}

function causes({ shape, targets }: GroupStanding, reasons: readonly TargetReason[]): string {
  const told: string[] = [];
  let more = 0;
  for (const [t, reason] of reasons.entries()) {
    const target = targets[t];
    const cause = target === undefined ? '' : causeOf(target, reason, shape.base[t] ?? 0);
    if (cause === '') continue;
    if (told.length < MAX_CAUSES) told.push(cause);
    else more += 1;
  }
  if (more > 0) told.push(`${more} more`);
  return told.join('; ');
}
