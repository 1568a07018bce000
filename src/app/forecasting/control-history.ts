/** What the control path asks of history; one part of the app keeps it, others stand on this. */
import type { HistoryView } from '../../core/forecasts';
import type { ClassInfo, FigureName, ObservationBatch, SignalSample } from '../../core/observation';
import type { ResolutionMs, Series } from '../../core/series';
import type { ModelState } from '../../forecast/model/model';

/** A kept state, such as a version of a class's model. */
export interface KeptState {
  readonly classId: string;
  /** What the state is of. */
  readonly kind: string;
  readonly version: number;
  readonly createdMs: number;
  readonly active: boolean;
  readonly state: ModelState;
}

/** A class and when it was seen. */
export interface SeenClass {
  readonly info: ClassInfo;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Something that happened. */
export interface KeptEvent {
  readonly atMs: number;
  readonly kind: string;
  readonly classId?: string;
  readonly data: unknown;
}

/** See the file's head. No call throws: history degrades, and says so in its view. */
export interface ControlHistory {
  take(batch: ObservationBatch, nowMs: number): boolean;
  put(sample: SignalSample, info: ClassInfo, nowMs: number): boolean;
  /** Packs, writes and forgets what is due; called each second. */
  turn(nowMs: number): void;
  series(
    classId: string,
    figure: FigureName,
    stepMs: ResolutionMs,
    fromMs: number,
    toMs: number,
    nowMs: number,
  ): Series;
  /** One figure of a recent step; NaN when it is missing. */
  value(classId: string, figure: FigureName, stepMs: ResolutionMs, atMs: number): number;
  classes(): Iterable<SeenClass>;
  seen(classId: string): SeenClass | undefined;
  keepState(kept: KeptState): void;
  /** Newest version first; those that cannot be read are left out. */
  states(classId: string, kind: string): readonly KeptState[];
  /** Forgets all versions but the newest `keep` and the active one. */
  pruneStates(classId: string, kind: string, keep: number): void;
  keepEvent(event: KeptEvent): void;
  keepAccuracy(classId: string, measure: string, atMs: number, value: number): void;
  view(): HistoryView;
  close(nowMs: number): void;
}
