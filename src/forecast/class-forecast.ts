/** One class's forecasters: of minutes and of tens of minutes, each with what says when it wants a new fit. */
import {
  HORIZON_STEPS,
  HORIZONS,
  type AccuracyView,
  type AnomalyView,
  type DriftView,
  type HorizonName,
  type Prediction,
} from '../core/forecasts';
import type { AnomalyEvent } from './anomaly/anomaly-detector';
import type { ClassInfo, FigureName } from '../core/observation';
import {
  ForecastTrack,
  type Past,
  type SavedTrack,
  type ScaleOptions,
  type TrackReport,
} from './forecast-track';
import type { FitWhy, ForecastScale } from './learning/fit-queue';
import type { FittedModel } from './model/model';
import { predictionOf } from './prediction';

/** A class's forecasters as they are kept. */
export interface SavedClass {
  readonly fine?: SavedTrack;
  readonly coarse?: SavedTrack;
}

/** What a class begins with: where it was saved, or what history holds of it. */
export interface BegunClass {
  readonly saved?: SavedClass;
  readonly past?: { readonly fine?: Past; readonly coarse?: Past };
}

/** The scale of each horizon. */
export const SCALE_OF: Readonly<Record<HorizonName, ForecastScale>> = {
  '1m': 'fine',
  '1h': 'coarse',
  '1d': 'coarse',
};

/** What one step came to. */
export interface ClassStep {
  readonly anomaly: AnomalyView | undefined;
  readonly drift: DriftView | undefined;
}

/** A figure of the API: what is not finite is not known. */
const known = (value: number): number | null => (Number.isFinite(value) ? value : null);

function anomalyView(classId: string, event: AnomalyEvent, perS: number): AnomalyView {
  const { startMs, endMs, peakMs, score, reason, actual, expected } = event;
  return {
    classId,
    startMs,
    ...(endMs === undefined ? {} : { endMs }),
    peakMs,
    score,
    reason,
    actual: known(actual * perS),
    expected: known(expected * perS),
  };
}

/** Younger than this a class leans on its parent, as long as that is older. */
const OWN_SEASONS = 2;

/** See the file's head. */
export class ClassForecast {
  private readonly tracks: Readonly<Record<ForecastScale, ForecastTrack>>;
  readonly figure: FigureName;

  constructor(
    readonly info: ClassInfo,
    scales: Readonly<Record<ForecastScale, ScaleOptions>>,
    nowMs: number,
    begun: BegunClass = {},
  ) {
    this.figure = info.kind === 'signal' ? 'level' : 'hits';
    this.tracks = {
      fine: ForecastTrack.open(scales.fine, nowMs, begun.saved?.fine, begun.past?.fine),
      coarse: ForecastTrack.open(scales.coarse, nowMs, begun.saved?.coarse, begun.past?.coarse),
    };
  }

  /** The step after the last one closed begins here, Unix ms; undefined before any. */
  nextAtMs(scale: ForecastScale): number | undefined {
    return this.tracks[scale].nextAtMs;
  }

  /** Closes a step. @param parentValue what came of the parent in it, when there is one. */
  step(scale: ForecastScale, atMs: number, value: number, parentValue: number): ClassStep {
    const track = this.tracks[scale];
    return this.told(track.step(atMs, value, parentValue), track.perS(this.figure));
  }

  /** Whether, and why, a scale's model wants a fit; asked once a step. */
  dueFit(scale: ForecastScale): FitWhy | undefined {
    return this.tracks[scale].dueFit();
  }

  /** Puts a fitted model in place; it has seen everything before the scale's next step. */
  install(scale: ForecastScale, model: FittedModel, kind: string, version: number): void {
    this.tracks[scale].install(model, kind, version);
  }

  /** The version of a scale's model; 0 for the one that a class begins with. */
  version(scale: ForecastScale): number {
    return this.tracks[scale].version;
  }

  /** Whether the class is too young for a forecast of its own, and the parent is not. */
  leansOnParent(scale: ForecastScale, parent: ClassForecast): boolean {
    return this.seasonsSeen(scale) < OWN_SEASONS && parent.seasonsSeen(scale) >= OWN_SEASONS;
  }

  /** The part of the parent's demand that is this class's; undefined before anything is known. */
  shareOfParent(scale: ForecastScale): number | undefined {
    return this.tracks[scale].share;
  }

  /** A forecast; undefined before the first step. */
  predict(horizon: HorizonName, level: number, nowMs: number): Prediction | undefined {
    const track = this.tracks[SCALE_OF[horizon]];
    const firstAtMs = track.nextAtMs;
    if (firstAtMs === undefined) return undefined;
    const { steps, stepMs } = HORIZON_STEPS[horizon];
    const flags = [
      ...(this.anomalous ? ['anomaly'] : []),
      ...(nowMs - firstAtMs > 2 * stepMs ? ['stale'] : []),
      ...(track.warm ? [] : ['uncalibrated']),
    ];
    const { kind: model, version, warm } = track;
    const origin = { classId: this.info.id, figure: this.figure, model, version, warm, flags, firstAtMs };
    return predictionOf(origin, horizon, level, track.predict(steps), nowMs);
  }

  get anomalous(): boolean {
    return this.tracks.fine.anomalous || this.tracks.coarse.anomalous;
  }

  /** How well each horizon was forecast lately. */
  accuracy(): readonly AccuracyView[] {
    return HORIZONS.map((horizon) => {
      const track = this.tracks[SCALE_OF[horizon]];
      const { kind: model, version } = track;
      const scored = track.accuracy(HORIZON_STEPS[horizon].steps, this.figure);
      return { classId: this.info.id, horizon, model, version, ...scored };
    });
  }

  /** Anomalies of both scales, newest first. */
  anomalies(): readonly AnomalyView[] {
    const all = [this.tracks.fine, this.tracks.coarse].flatMap((track) => {
      const perS = track.perS(this.figure);
      return track.anomalies().map((event) => anomalyView(this.info.id, event, perS));
    });
    return all.sort((a, b) => b.startMs - a.startMs);
  }

  save(): SavedClass {
    return { fine: this.tracks.fine.save(), coarse: this.tracks.coarse.save() };
  }

  private seasonsSeen(scale: ForecastScale): number {
    return this.tracks[scale].seasonsSeen;
  }

  private told({ anomaly, drift }: TrackReport, perS: number): ClassStep {
    const { id } = this.info;
    return {
      anomaly: anomaly === undefined ? undefined : anomalyView(id, anomaly, perS),
      drift: drift === undefined ? undefined : { classId: id, ...drift },
    };
  }
}
