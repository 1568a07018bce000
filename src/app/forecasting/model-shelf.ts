/** The versions of classes' models, and their forecasters as they stand, in history's records. */
import { TidegateError } from '../../core/errors';
import type { ModelView } from '../../core/forecasts';
import type { Logger } from '../../core/ports';
import type { SavedClass } from '../../forecast/class-forecast';
import type { ForecastScale } from '../../forecast/learning/fit-queue';
import type { ModelState } from '../../forecast/model/model';
import type { ModelVersion as KeptVersion, Records } from '../../history/records';

/** One version of a model. */
export interface ModelVersion {
  readonly classId: string;
  readonly scale: ForecastScale;
  readonly version: number;
  readonly kind: string;
  readonly state: ModelState;
  /** The first instant that the state has not seen, Unix ms. */
  readonly fittedAtMs: number;
  readonly why: string;
  readonly points: number;
  readonly ratio: number | null;
}

const TRACKS = 'tracks';
const kindOf = (scale: ForecastScale): string => `model:${scale}`;
const SCALES = ['fine', 'coarse'] as const;

/** See the file's head. */
export class ModelShelf {
  /** The version under which a class's forecasters are kept. */
  private readonly trackVersions = new Map<string, number>();

  constructor(
    private readonly records: () => Records,
    private readonly logger: Logger,
  ) {}

  /** Keeps a model and makes it the active one. @returns its version. */
  put(model: Omit<ModelVersion, 'version'>): number {
    const { classId, scale, fittedAtMs, ...rest } = model;
    const kept = { classId, kind: kindOf(scale), createdMs: fittedAtMs, state: { ...rest }, active: true };
    return this.records().saveModel(kept);
  }

  /** The version in use. */
  active(classId: string, scale: ForecastScale): ModelVersion | undefined {
    return this.read(
      scale,
      this.versions(classId, scale).find(({ active }) => active),
    );
  }

  /** A version by its number. */
  version(classId: string, scale: ForecastScale, version: number): ModelVersion | undefined {
    return this.read(
      scale,
      this.versions(classId, scale).find((one) => one.version === version),
    );
  }

  /** Makes one version the active one. */
  activate(classId: string, scale: ForecastScale, version: number): void {
    this.records().activate(classId, kindOf(scale), version);
  }

  /** All versions of a class, newest first. */
  views(classId: string): readonly ModelView[] {
    return SCALES.flatMap((scale) =>
      this.versions(classId, scale).flatMap((kept) => {
        const model = this.read(scale, kept);
        if (model === undefined) return [];
        const { version, kind, fittedAtMs, why, points, ratio } = model;
        return [{ classId, scale, version, kind, fittedAtMs, why, points, ratio, active: kept.active }];
      }),
    );
  }

  /** Keeps a class's forecasters as they stand. */
  saveTracks(classId: string, saved: SavedClass, nowMs: number): void {
    const records = this.records();
    const state: ModelState = { ...saved };
    const version = this.trackVersion(classId);
    if (version !== undefined) return records.updateModel(classId, TRACKS, version, state);
    const kept = { classId, kind: TRACKS, createdMs: nowMs, state, active: true };
    this.trackVersions.set(classId, records.saveModel(kept));
  }

  /** A class's forecasters as they stood. */
  tracks(classId: string): SavedClass | undefined {
    return this.state(classId, TRACKS, this.trackVersion(classId));
  }

  /** Deletes all that is kept of a class. */
  drop(classId: string): void {
    this.forget(classId);
    this.records().removeModels(classId);
  }

  /** Deletes what is kept of classes that are no more. */
  dropAllBut(has: (classId: string) => boolean): void {
    const gone = new Set(
      this.records()
        .models()
        .map(({ classId }) => classId)
        .filter((id) => !has(id)),
    );
    for (const classId of gone) this.drop(classId);
  }

  /** Forgets where a class's forecasters are kept, not what is kept. */
  forget(classId: string): void {
    this.trackVersions.delete(classId);
  }

  private trackVersion(classId: string): number | undefined {
    const known = this.trackVersions.get(classId);
    if (known !== undefined) return known;
    const kept = this.records()
      .models(classId)
      .find(({ kind }) => kind === TRACKS);
    if (kept !== undefined) this.trackVersions.set(classId, kept.version);
    return kept?.version;
  }

  private versions(classId: string, scale: ForecastScale): readonly KeptVersion[] {
    return this.records()
      .models(classId)
      .filter(({ kind }) => kind === kindOf(scale));
  }

  private read(scale: ForecastScale, kept: KeptVersion | undefined): ModelVersion | undefined {
    if (kept === undefined) return undefined;
    const { classId, version, createdMs } = kept;
    const { kind, state, why, points, ratio } = this.state(classId, kept.kind, version) ?? {};
    if (typeof kind !== 'string' || typeof why !== 'string' || typeof points !== 'number') return undefined;
    if (typeof state !== 'object' || state === null) return undefined;
    return {
      classId,
      scale,
      version,
      kind,
      state: state as ModelState,
      fittedAtMs: createdMs,
      why,
      points,
      ratio: typeof ratio === 'number' ? ratio : null,
    };
  }

  /** @returns undefined for one that is not there or cannot be read: the class does without it then. */
  private state(classId: string, kind: string, version: number | undefined): ModelState | undefined {
    if (version === undefined) return undefined;
    try {
      return this.records().model(classId, kind, version);
    } catch (thrown) {
      this.logger.warn({ error: TidegateError.from(thrown), class: classId, kind }, 'a model cannot be read');
      return undefined;
    }
  }
}
