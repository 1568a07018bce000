/** What users give for weights: their resources, and rows of settings that say what is a target and what a class. */
import type { Priority } from '../../core/priority';

/** A resource as a user wrote it. */
export interface ResourceDocument {
  readonly typeUrl: string;
  /** A JSON object, in JSON names or proto names, with or without its `@type`. */
  readonly value: unknown;
  /** Where it stands: the file, and the path in it. */
  readonly file: string;
  readonly path: string;
}

/** A row of `mesh.targets`. Empty text: not given. */
export interface TargetRow {
  readonly group: string;
  readonly cluster: string;
  /** `address:port` of one of the cluster's endpoints. */
  readonly endpoint: string;
  /** `key=value,...`: the subset that an entry of weighted clusters names by its `metadata_match`. */
  readonly subset: string;
  readonly backup: boolean;
  readonly maxShare: number;
  /** Counts where no resource gives a weight. */
  readonly weight: number;
  /** Of routes that another control plane owns: the `runtime_key_prefix` that they have. */
  readonly runtimePrefix: string;
}

/** A row of `mesh.classes`. Empty: not given. */
export interface ClassRow {
  readonly group: string;
  readonly name: string;
  readonly priority: Priority;
  readonly header: string;
  readonly values: readonly string[];
  readonly methods: readonly string[];
  readonly path: string;
}

/** What weights are put into, and by which policy. */
export interface WeightInput {
  readonly resources: readonly ResourceDocument[];
  readonly targets: readonly TargetRow[];
  readonly classes: readonly ClassRow[];
  /** The name of the runtime layer that carries the weights of routes; empty: the routes themselves do. */
  readonly runtimeLayer: string;
  /** How long Envoys keep the layer when nothing is heard, ms. */
  readonly runtimeTtlMs: number;
}
