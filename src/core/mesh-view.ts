/** Discovery as people see it. */

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
