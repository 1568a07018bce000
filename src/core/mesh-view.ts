/** Discovery and traffic as people see them. */
import type { Priority } from './priority';
import type { GroupDecision, TargetHealth, TargetReason, TrafficMode } from './traffic';
import type { TrafficSnapshot } from './traffic-telemetry';

/** Where one type of resource stands on one discovery stream. */
export interface MeshTypeView {
  readonly typeUrl: string;
  readonly wildcard: boolean;
  /** Names subscribed to beside a wildcard. */
  readonly names: number;
  /** The version last sent, and the one last accepted. */
  readonly sentVersion?: string;
  readonly ackedVersion?: string;
  /** Whether an answer to the last response is awaited. */
  readonly pending: boolean;
  /** The refusal that holds now. */
  readonly rejection?: { readonly version: string; readonly message: string; readonly atMs: number };
}

/** Discovery streams with what was sent, accepted and refused; groups of nodes with what they should have. */
export interface MeshStatusView {
  readonly streams: readonly {
    /** Missing before its first request. */
    readonly node?: { readonly id: string; readonly cluster: string };
    readonly group?: string;
    readonly method: string;
    readonly delta: boolean;
    readonly connectedAtMs: number;
    /** Whether the client does not read. */
    readonly blocked: boolean;
    readonly types: readonly MeshTypeView[];
  }[];
  readonly groups: readonly {
    readonly group: string;
    readonly types: readonly {
      readonly typeUrl: string;
      readonly version: string;
      readonly resources: number;
    }[];
  }[];
}

/** A weight that differs from what the user's resources say. */
export interface WeightDifference {
  readonly resource: string;
  readonly typeUrl: string;
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

/** A traffic group, for the nodes of one group. */
export interface TrafficGroupView {
  /** The group of nodes; `all` for those that fit no row of the settings. */
  readonly nodes: string;
  readonly name: string;
  readonly state: GroupDecision['state'];
  readonly why: string;
  readonly atMs: number;
  readonly changedAtMs: number | null;
  /** In the order in which they stay: the first moves last. */
  readonly classes: readonly {
    readonly name: string;
    readonly priority: Priority;
    readonly demandPerS: number | null;
  }[];
  readonly targets: readonly {
    readonly id: string;
    readonly weight: number;
    readonly backup: boolean;
    readonly maxShare: number;
    /** Of each class, in their order. */
    readonly shares: readonly number[];
    readonly tokens: number | null;
    readonly health: { readonly [F in keyof TargetHealth]: number | null } | null;
    readonly reason: TargetReason;
  }[];
}

/** A share that changed. */
export interface ShareChange {
  readonly atMs: number;
  readonly nodes: string;
  readonly group: string;
  readonly class: string;
  readonly target: string;
  readonly from: number;
  readonly to: number;
  readonly why: string;
}

/** How traffic is spread, and why. */
export interface TrafficView {
  readonly mode: TrafficMode;
  readonly groups: readonly TrafficGroupView[];
  /** What Envoys are sent otherwise than the user wrote it. */
  readonly differences: readonly WeightDifference[];
  /** What in the settings means nothing to the resources. */
  readonly warnings: readonly string[];
  /** The last changes, newest first. */
  readonly changes: readonly ShareChange[];
}

/** What is asked of the mesh, with its answers. */
export interface MeshAsks {
  mesh: { ask: Record<string, never>; answer: MeshStatusView };
  traffic: { ask: Record<string, never>; answer: TrafficView };
  telemetry: { ask: Record<string, never>; answer: TrafficSnapshot };
}

/** The name of an ask. */
export type MeshAskName = keyof MeshAsks;

/** Answers asks; rejects with TG_MESH_OFF where nothing is served. */
export interface MeshDeskPort {
  askMesh<N extends MeshAskName>(name: N, ask: MeshAsks[N]['ask']): Promise<MeshAsks[N]['answer']>;
}
