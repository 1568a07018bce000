/** What metrics tell of Envoys and of traffic. */
import type { TrafficGroupView } from '../../core/mesh-view';
import type { TrafficSnapshot } from '../../core/traffic-telemetry';
import type { MeshFigures } from '../../telemetry/mesh-series';
import type { Discovery } from './discovery';

/** Targets that metrics tell of. */
const MAX_TARGETS = 500;

/** See the file's head. */
export function meshFigures(
  { counts, view }: { readonly counts: Discovery['counts']; readonly view: ReturnType<Discovery['view']> },
  groups: readonly TrafficGroupView[],
  told: TrafficSnapshot | undefined,
): MeshFigures {
  const types = view.streams.flatMap((stream) => stream.types);
  let left = MAX_TARGETS;
  return {
    streams: view.streams.length,
    rejected: types.filter(({ rejection }) => rejection !== undefined).length,
    pending: types.filter(({ pending }) => pending).length,
    ...counts,
    logEntries: told?.counters.entries ?? 0,
    logEntriesDropped: told?.counters.dropped ?? 0,
    groups: groups.map(({ nodes, name, state, targets }) => {
      const told = targets.slice(0, left);
      left -= told.length;
      return {
        nodes,
        name,
        state,
        targets: told.map(({ id, shares, reason }) => ({
          id,
          share: shares.at(-1) ?? 0,
          depletionS: reason.depletionMs === null ? null : reason.depletionMs / 1_000,
          healthFactor: reason.healthFactor,
        })),
      };
    }),
  };
}
