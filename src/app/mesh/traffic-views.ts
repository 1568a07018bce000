/** Traffic as people see it. JSON has no NaN: what is not known is null. */
import type { ShareChange, TrafficGroupView } from '../../core/mesh-view';
import type { GroupDecision, GroupSeen, TargetHealth, TrafficGroup } from '../../core/traffic';

/** A group with what was seen of it and what was decided. */
export function groupView(
  nodes: string,
  group: TrafficGroup,
  seen: GroupSeen,
  { state, why, atMs, shares, targets }: GroupDecision,
  changedAtMs: number | null,
): TrafficGroupView {
  return {
    nodes,
    name: group.name,
    state,
    why,
    atMs,
    changedAtMs,
    classes: group.classes.map(({ name, priority }, at) => ({
      name,
      priority,
      demandPerS: known(seen.classDemandPerS[at]),
    })),
    targets: group.targets.flatMap(({ id, weight, backup, maxShare }, at) => {
      const reason = targets[at];
      const { tokens, health } = seen.targets[at] ?? {};
      if (reason === undefined) return [];
      return [
        {
          id,
          weight,
          backup,
          maxShare,
          shares: shares.map((ofClass) => ofClass[at] ?? 0),
          tokens: known(tokens),
          health: health === undefined ? null : healthView(health),
          reason,
        },
      ];
    }),
  };
}

/** What differs between two decisions of a group; of the first, what differs from the configured weights is not told. */
export function shareChanges(
  nodes: string,
  group: TrafficGroup,
  before: GroupDecision | undefined,
  after: GroupDecision,
): readonly ShareChange[] {
  if (before === undefined) return [];
  return after.shares.flatMap((shares, row) =>
    shares.flatMap((to, at) => {
      const from = before.shares[row]?.[at];
      const target = group.targets[at];
      if (from === to || target === undefined) return [];
      const { atMs, targets, why } = after;
      const rule = targets[at]?.rule ?? '';
      const change: ShareChange = {
        atMs,
        nodes,
        group: group.name,
        class: group.classes[row]?.name ?? '',
        target: target.id,
        from: from ?? 0,
        to,
        why: why === '' ? rule : `${rule}: ${why}`,
      };
      return [change];
    }),
  );
}

function healthView(health: TargetHealth) {
  const { errorShare, latencyP50Ms, latencyP99Ms, cpu, memory, out } = health;
  return {
    errorShare: known(errorShare),
    latencyP50Ms: known(latencyP50Ms),
    latencyP99Ms: known(latencyP99Ms),
    cpu: known(cpu),
    memory: known(memory),
    out: known(out),
  };
}

function known(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
