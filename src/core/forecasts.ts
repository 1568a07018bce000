/** What is forecast and told of it: plain data between the control path, the API and metrics. Structured-cloneable. */
import type { ClassInfo, FigureName, ResourceName } from './observation';

/** How far ahead forecasts look. */
export const HORIZONS = ['1m', '1h', '1d'] as const;
/** One of {@link HORIZONS}. */
export type HorizonName = (typeof HORIZONS)[number];

/** The steps that a horizon is made of. */
export interface HorizonSteps {
  readonly stepMs: number;
  readonly steps: number;
}

/** The next minute is forecast from minutes; the next hour and day from tens of minutes. */
export const HORIZON_STEPS: Readonly<Record<HorizonName, HorizonSteps>> = {
  '1m': { stepMs: 60_000, steps: 1 },
  '1h': { stepMs: 600_000, steps: 6 },
  '1d': { stepMs: 600_000, steps: 144 },
};

/** The probabilities of intervals. */
export const LEVELS = [0.8, 0.95] as const;

/** One step of a forecast. Figures are rates a second (levels as they are). */
export interface PredictedStep {
  /** Unix time at which the step begins, ms. */
  readonly atMs: number;
  readonly mean: number;
  readonly lower: number;
  readonly upper: number;
}

/** Where a forecast comes from. */
export type PredictionSource = 'model' | 'parent' | 'leader' | 'none';

/** A forecast of a class. */
export interface Prediction {
  readonly classId: string;
  readonly figure: FigureName;
  readonly horizon: HorizonName;
  readonly level: number;
  readonly madeAtMs: number;
  readonly stepMs: number;
  /** The kind of model that made it, and its version; empty when there is none. */
  readonly model: string;
  readonly version: number;
  readonly source: PredictionSource;
  /** Whether intervals are calibrated on enough forecasts of this class. */
  readonly warm: boolean;
  /** What to bear in mind, such as `anomaly` or `stale`. */
  readonly flags: readonly string[];
  readonly steps: readonly PredictedStep[];
}

/** How well a class was forecast lately, at one horizon. */
export interface AccuracyView {
  readonly classId: string;
  readonly horizon: HorizonName;
  readonly model: string;
  readonly version: number;
  /** Forecasts scored. */
  readonly scored: number;
  /** Mean absolute error, a second; null before anything was scored. */
  readonly mae: number | null;
  /** The mean absolute error as a part of the naive forecast's. */
  readonly maeRatio: number | null;
  /** The mean error, forecast less actual, a second. */
  readonly bias: number | null;
  readonly coverage80: number | null;
  readonly coverage95: number | null;
}

/** Something unlike what was expected. */
export interface AnomalyView {
  readonly classId: string;
  readonly startMs: number;
  /** Undefined while it lasts. */
  readonly endMs?: number;
  readonly peakMs: number;
  readonly score: number;
  readonly reason: string;
  /** At the peak, a second. */
  readonly actual: number | null;
  readonly expected: number | null;
}

/** A lasting change of a class's behaviour. */
export interface DriftView {
  readonly classId: string;
  readonly atMs: number;
  readonly kind: string;
  readonly score: number;
}

/** One fit of a class's model. */
export interface ModelView {
  readonly classId: string;
  /** `fine` forecasts minutes, `coarse` tens of minutes. */
  readonly scale: 'fine' | 'coarse';
  readonly version: number;
  readonly kind: string;
  readonly fittedAtMs: number;
  /** Why it was fitted: `first`, `grown`, `nightly`, `drift`, `asked`. */
  readonly why: string;
  /** Values it was fitted to. */
  readonly points: number;
  readonly active: boolean;
  /** Errors over the tail that it was proven on, as a part of its predecessor's; null for a first fit. */
  readonly ratio: number | null;
}

/** A class as lists show it. */
export interface ClassView extends ClassInfo {
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** Over the last full minute, a second. */
  readonly ratePerS: number;
  readonly deniedPerS: number;
  /** The part of its parent's hits that are its own; of a service or tenant, the part of all. Null where there were none. */
  readonly share: number | null;
  readonly anomalous: boolean;
}

/** A threshold that a forecast is held against. */
export interface AlertView {
  readonly name: string;
  readonly classId: string;
  readonly horizon: HorizonName;
  readonly abovePerS: number;
  readonly active: boolean;
  readonly sinceMs: number | null;
  /** What was compared last, a second; null when there was no forecast. */
  readonly valuePerS: number | null;
  /** When the threshold is first crossed by the forecast, Unix ms. */
  readonly crossesAtMs: number | null;
}

/** What one request of a rule uses of a resource, in cost units. */
export interface CostView {
  readonly classId: string;
  readonly resource: ResourceName;
  /** As the settings say; null where they say nothing. */
  readonly set: number | null;
  /** As it was learned, whether it is used or not. */
  readonly learned: number | null;
  /** How much of it is learned and not given, 0 to 1. */
  readonly confidence: number | null;
  /** What forecasts are made with. */
  readonly perRequest: number;
}

/** A recommended number of replicas. */
export interface ReplicasView {
  readonly service: string;
  readonly recommended: number | null;
  /** What one replica serves, a second; measured or set. */
  readonly capacityPerReplica: number | null;
  readonly demandPerS: number | null;
  readonly why: string;
}

/** Forecast figures of one class for metrics, a second. */
export interface ClassFigures {
  readonly id: string;
  readonly ratePerS: number;
  readonly horizons: readonly {
    readonly horizon: HorizonName;
    /** The mean over the horizon's last step. */
    readonly ratePerS: number;
    readonly levels: readonly { readonly level: number; readonly lower: number; readonly upper: number }[];
  }[];
  readonly maeRatio: number | null;
  readonly coverage80: number | null;
  readonly coverage95: number | null;
  readonly anomalous: boolean;
}

/** What the control path tells of itself, each minute. */
export interface ForecastFigures {
  readonly madeAtMs: number;
  readonly classes: readonly ClassFigures[];
  /** Totals since the start, by class; bounded as `classes` is. */
  readonly anomalies: readonly { readonly id: string; readonly reason: string; readonly count: number }[];
  readonly drifts: readonly { readonly id: string; readonly count: number }[];
  readonly refits: Readonly<Record<'first' | 'won' | 'lost' | 'unproven' | 'failed', number>>;
  readonly alerts: readonly AlertView[];
  readonly replicas: readonly ReplicasView[];
  readonly tracked: number;
  readonly waitingFits: number;
  /** Time the last step took over all classes, ms. */
  readonly stepMs: number;
  readonly history: HistoryView;
  /** Whether this process forecasts for its group. */
  readonly leader: boolean;
}

/** The state of history. */
export interface HistoryView {
  readonly kind: string;
  readonly degraded: boolean;
  readonly error: string | null;
  readonly classes: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}
