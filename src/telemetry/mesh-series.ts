/** Discovery and traffic under the names that dashboards draw. */
import { renderFamilies, type Line, type MetricFamily } from './metric-family';

/** What the control thread tells of Envoys and of traffic. */
export interface MeshFigures {
  readonly streams: number;
  /** Types of resources whose newest version a stream has refused. */
  readonly rejected: number;
  /** Types whose answer is awaited. */
  readonly pending: number;
  /** Counted since the start. */
  readonly accepted: number;
  readonly refused: number;
  readonly pushes: number;
  readonly logEntries: number;
  readonly logEntriesDropped: number;
  /** Bounded by whoever tells. */
  readonly groups: readonly {
    readonly nodes: string;
    readonly name: string;
    readonly state: string;
    readonly targets: readonly {
      readonly id: string;
      readonly share: number;
      readonly depletionS: number | null;
      readonly healthFactor: number;
    }[];
  }[];
}

const one = (value: number): Line[] => [[[], value]];

type Group = MeshFigures['groups'][number];

function ofTarget(
  name: string,
  help: string,
  value: (target: Group['targets'][number]) => number | null,
): MetricFamily<MeshFigures> {
  const lines = ({ groups }: MeshFigures): Line[] =>
    groups.flatMap(({ nodes, name: group, targets }) =>
      targets.map((target): Line => {
        const labels = [
          ['nodes', nodes],
          ['group', group],
          ['target', target.id],
        ] as const;
        return [labels, value(target)];
      }),
    );
  return { name, help, type: 'gauge', lines };
}

function figure(
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  value: (figures: MeshFigures) => number,
): MetricFamily<MeshFigures> {
  return { name, help, type, lines: (figures) => one(value(figures)) };
}

const FAMILIES: readonly MetricFamily<MeshFigures>[] = [
  figure('gauge', 'tidegate_mesh_streams', 'Discovery streams of Envoys.', ({ streams }) => streams),
  figure(
    'gauge',
    'tidegate_mesh_rejected',
    'Types of resources whose newest version an Envoy has refused, over all streams.',
    ({ rejected }) => rejected,
  ),
  figure(
    'gauge',
    'tidegate_mesh_pending',
    'Types of resources whose acceptance is awaited, over all streams.',
    ({ pending }) => pending,
  ),
  figure(
    'counter',
    'tidegate_mesh_accepted_total',
    'Responses that Envoys accepted.',
    ({ accepted }) => accepted,
  ),
  figure(
    'counter',
    'tidegate_mesh_refused_total',
    'Responses that Envoys refused.',
    ({ refused }) => refused,
  ),
  figure(
    'counter',
    'tidegate_mesh_pushes_total',
    'Changes of what Envoys should have.',
    ({ pushes }) => pushes,
  ),
  figure(
    'counter',
    'tidegate_mesh_log_entries_total',
    'Access log entries that were looked at.',
    ({ logEntries }) => logEntries,
  ),
  figure(
    'counter',
    'tidegate_mesh_log_entries_dropped_total',
    'Access log entries over the bound, that were only counted.',
    ({ logEntriesDropped }) => logEntriesDropped,
  ),
  ofTarget(
    'tidegate_traffic_share',
    'The part of the default class of a group that a target gets, 0 to 1.',
    ({ share }) => share,
  ),
  ofTarget(
    'tidegate_traffic_depletion_seconds',
    'When its bucket would run dry under the configured weights; absent where it would not.',
    ({ depletionS }) => depletionS,
  ),
  ofTarget(
    'tidegate_traffic_health_factor',
    'What the health of a target leaves of what it can take, 0 to 1.',
    ({ healthFactor }) => healthFactor,
  ),
  {
    name: 'tidegate_traffic_state',
    help: 'The state that a group of targets is in: 1.',
    type: 'gauge',
    lines: ({ groups }) =>
      groups.map(({ nodes, name, state }): Line => [
        [
          ['nodes', nodes],
          ['group', name],
          ['state', state],
        ],
        1,
      ]),
  },
];

/** Envoys and traffic as metrics; nothing where there are none. */
export class MeshSeries {
  private figures: MeshFigures | undefined;

  take(figures: MeshFigures): void {
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
