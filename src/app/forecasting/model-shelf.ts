/** The versions of classes' models, and their forecasters as they stand, in history. */
import type { ModelView } from '../../core/forecasts';
import type { SavedClass } from '../../forecast/class-forecast';
import type { ForecastScale } from '../../forecast/learning/fit-queue';
import type { ModelState } from '../../forecast/model/model';
import type { ControlHistory, KeptState } from './control-history';

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

/** Versions kept of each model. */
const VERSIONS_KEPT = 3;
const TRACKS = 'tracks';
const kindOf = (scale: ForecastScale): string => `model:${scale}`;

/** See the file's head. */
export class ModelShelf {
  constructor(private readonly history: ControlHistory) {}

  /** The next free version. */
  nextVersion(classId: string, scale: ForecastScale): number {
    return (this.history.states(classId, kindOf(scale))[0]?.version ?? 0) + 1;
  }

  /** Keeps a version and makes it the active one. */
  put(model: ModelVersion): void {
    this.keep(model, true);
    this.activate(model.classId, model.scale, model.version);
    this.history.pruneStates(model.classId, kindOf(model.scale), VERSIONS_KEPT);
  }

  /** The version in use. */
  active(classId: string, scale: ForecastScale): ModelVersion | undefined {
    const kept = this.history.states(classId, kindOf(scale)).find(({ active }) => active);
    return kept === undefined ? undefined : versionOf(kept, scale);
  }

  version(classId: string, scale: ForecastScale, version: number): ModelVersion | undefined {
    const kept = this.history.states(classId, kindOf(scale)).find((one) => one.version === version);
    return kept === undefined ? undefined : versionOf(kept, scale);
  }

  /** Makes one version the active one. */
  activate(classId: string, scale: ForecastScale, version: number): void {
    for (const kept of this.history.states(classId, kindOf(scale))) {
      const active = kept.version === version;
      if (active !== kept.active) this.history.keepState({ ...kept, active });
    }
  }

  /** All versions of a class, newest first. */
  views(classId: string): readonly ModelView[] {
    return (['fine', 'coarse'] as const).flatMap((scale) =>
      this.history.states(classId, kindOf(scale)).flatMap((kept) => {
        const model = versionOf(kept, scale);
        if (model === undefined) return [];
        const { version, kind, fittedAtMs, why, points, ratio } = model;
        return [{ classId, scale, version, kind, fittedAtMs, why, points, ratio, active: kept.active }];
      }),
    );
  }

  /** Keeps a class's forecasters as they stand. */
  saveTracks(classId: string, saved: SavedClass, nowMs: number): void {
    const state = { ...saved };
    this.history.keepState({ classId, kind: TRACKS, version: 1, createdMs: nowMs, active: true, state });
  }

  /** A class's forecasters as they stood. */
  tracks(classId: string): SavedClass | undefined {
    const state = this.history.states(classId, TRACKS)[0]?.state;
    return state === undefined ? undefined : state;
  }

  private keep(model: ModelVersion, active: boolean): void {
    const { classId, scale, version, fittedAtMs, ...rest } = model;
    const state: ModelState = { ...rest };
    this.history.keepState({ classId, kind: kindOf(scale), version, createdMs: fittedAtMs, active, state });
  }
}

/** @returns undefined for a state that is no model. */
function versionOf(kept: KeptState, scale: ForecastScale): ModelVersion | undefined {
  const { kind, state, why, points, ratio } = kept.state;
  if (typeof kind !== 'string' || typeof why !== 'string' || typeof points !== 'number') return undefined;
  if (typeof state !== 'object' || state === null) return undefined;
  return {
    classId: kept.classId,
    scale,
    version: kept.version,
    kind,
    state: state as ModelState,
    fittedAtMs: kept.createdMs,
    why,
    points,
    ratio: typeof ratio === 'number' ? ratio : null,
  };
}
