/** What is seen of demand, and who it is seen of: the plain data between the data path and the control path. */

/** What a class is made of. */
export type ClassKind = 'rule' | 'key' | 'service' | 'tenant' | 'signal';

/** A class: what is counted and forecast by itself. */
export interface ClassInfo {
  /** Unique over all kinds: a rule's id, `<rule id>|<bucket key>`, `service:<name>`, `tenant:<name>`, `signal:<service>/<instance>/<name>`. */
  readonly id: string;
  readonly kind: ClassKind;
  /** The class one level above, whose forecast a new class starts from. */
  readonly parent?: string;
  readonly service?: string;
  readonly tenant?: string;
  /** What a rule's requests do, as the settings say it. */
  readonly operation?: string;
  /** What one request of a rule uses, in cost units, as the settings say. */
  readonly cost?: Readonly<Record<ResourceName, number>>;
}

/** What is counted of a class, in the order of an observation's columns. */
export const COUNTS = ['arrivals', 'admitted', 'denied', 'queued', 'hits'] as const;
/** One of {@link COUNTS}. */
export type CountName = (typeof COUNTS)[number];

/** Resources whose use is known per class, in cost units a second. */
export const RESOURCES = ['cpu', 'memory', 'io', 'network'] as const;
/** One of {@link RESOURCES}. */
export type ResourceName = (typeof RESOURCES)[number];

/** A figure of a class that has a series of its own; a signal's figure is its `level`. */
export type FigureName = CountName | ResourceName | 'level';

/** What came in one step of one second, as one sidecar saw it. Structured-cloneable. */
export interface ObservationBatch {
  /** The sidecar that saw it. */
  readonly source: string;
  /** Counts up from 1 for each batch of a source; one that was taken already is not taken twice. */
  readonly sequence: number;
  /** The step: Unix time at which it began, ms. */
  readonly atMs: number;
  readonly stepMs: number;
  /** Classes that this source has not named before. */
  readonly added: readonly ClassInfo[];
  /** Classes that end with this step: their rule is gone, or the key is heavy no more. One that is added again goes on. */
  readonly ended?: readonly string[];
  /** Classes with anything to count. */
  readonly classes: readonly string[];
  /** Row by row for `classes`: one figure for each of {@link COUNTS}. */
  readonly counts: Float64Array;
  readonly host?: HostSample;
}

/** The load of a host over a step; NaN what cannot be read. */
export interface HostSample {
  /** Busy parts of all cores, 0 to 1. */
  readonly cpu: number;
  /** Used part of the memory (of the control group's limit, where there is one), 0 to 1. */
  readonly memory: number;
  readonly diskReadBytesPerS: number;
  readonly diskWriteBytesPerS: number;
  readonly networkReceivedBytesPerS: number;
  readonly networkSentBytesPerS: number;
  /** By how long the event loop was late, 99th percentile of the step, ms. */
  readonly eventLoopDelayMs: number;
}

/** One measured value of a signal, as a pull brings it. */
export interface SignalSample {
  readonly classId: string;
  readonly atMs: number;
  readonly value: number;
}
