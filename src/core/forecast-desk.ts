/** What can be asked of the control path, and what it answers: all plain data, for asks cross between threads. */
import type {
  AccuracyView,
  AlertView,
  AnomalyView,
  ClassView,
  CostView,
  DriftView,
  ForecastFigures,
  HorizonName,
  ModelView,
  Prediction,
  ReplicasView,
} from './forecasts';
import type { GroupCounts, GroupMember } from './group';
import type { ClassKind, FigureName, HostSample } from './observation';
import type { ResolutionMs } from './series';

/** A page of a list. */
export interface PageAsk {
  readonly offset: number;
  readonly limit: number;
}

/** Steps of history; a step that is not known is null. Sums per step (levels as they are). */
export interface SeriesAnswer {
  readonly classId: string;
  readonly figure: FigureName;
  readonly startMs: number;
  readonly stepMs: number;
  readonly values: readonly (number | null)[];
}

/** The load of one member of the group. */
export interface HostView extends HostSample {
  readonly source: string;
  readonly atMs: number;
}

/** A process's group, as it sees it. */
export interface GroupView {
  readonly name: string;
  readonly leader: boolean;
  readonly epoch: number;
  /** Who forecasts, as far as its board is known. */
  readonly leaderSource: string | null;
  /** How long the group's counts could not be read, ms. */
  readonly silentMs: number;
  /** How old the leader's forecasts are, ms. */
  readonly boardAgeMs: number | null;
  readonly boardClasses: number;
  readonly members: readonly GroupMember[];
  readonly counts: GroupCounts;
}

/** The state of forecasting as a whole. */
export type ForecastStatus = Omit<
  ForecastFigures,
  'classes' | 'anomalies' | 'drifts' | 'alerts' | 'replicas'
> & {
  readonly hosts: readonly HostView[];
  /** Missing for a process that is alone. */
  readonly group?: GroupView;
  /** Other systems that history is exchanged with, and what is wrong with them; missing where there are none. */
  readonly external?: readonly { readonly what: string; readonly error: string | null }[];
};

/** What is kept of accuracy over time. */
export const ACCURACY_MEASURES = ['mae', 'maeRatio', 'coverage80', 'coverage95'] as const;
/** One of {@link ACCURACY_MEASURES}. */
export type AccuracyMeasure = (typeof ACCURACY_MEASURES)[number];

/** A measure of accuracy hour by hour, oldest first. */
export interface AccuracyHistory {
  readonly classId: string;
  readonly horizon: HorizonName;
  readonly measure: AccuracyMeasure;
  readonly points: readonly { readonly atMs: number; readonly value: number }[];
}

/** Every ask by name, with its answer. */
export interface ForecastAsks {
  classes: {
    ask: PageAsk & { readonly kind?: ClassKind; readonly search?: string };
    answer: { readonly total: number; readonly classes: readonly ClassView[] };
  };
  series: {
    ask: {
      readonly classId: string;
      readonly figure: FigureName;
      readonly resolutionMs: ResolutionMs;
      readonly fromMs?: number;
      readonly toMs?: number;
    };
    answer: SeriesAnswer;
  };
  prediction: {
    ask: {
      readonly classId: string;
      readonly figure: FigureName;
      readonly horizon: HorizonName;
      readonly level: number;
    };
    answer: Prediction;
  };
  accuracy: {
    ask: PageAsk & { readonly classId?: string };
    answer: { readonly total: number; readonly accuracy: readonly AccuracyView[] };
  };
  accuracyHistory: {
    ask: {
      readonly classId: string;
      readonly horizon: HorizonName;
      readonly measure: AccuracyMeasure;
      readonly fromMs?: number;
      readonly toMs?: number;
    };
    answer: AccuracyHistory;
  };
  anomalies: {
    ask: PageAsk & { readonly classId?: string; readonly sinceMs?: number };
    answer: {
      readonly total: number;
      readonly anomalies: readonly AnomalyView[];
      readonly drifts: readonly DriftView[];
    };
  };
  models: { ask: { readonly classId: string }; answer: { readonly models: readonly ModelView[] } };
  rollback: {
    ask: { readonly classId: string; readonly scale: 'fine' | 'coarse'; readonly version: number };
    answer: { readonly models: readonly ModelView[] };
  };
  refit: { ask: { readonly classId?: string }; answer: { readonly waiting: number } };
  costs: {
    ask: PageAsk & { readonly classId?: string };
    answer: {
      readonly total: number;
      /** Where costs are learned from: `off`, `host` or `signals`. */
      readonly learnedFrom: string;
      readonly costs: readonly CostView[];
    };
  };
  alerts: { ask: Record<string, never>; answer: { readonly alerts: readonly AlertView[] } };
  replicas: { ask: Record<string, never>; answer: { readonly replicas: readonly ReplicasView[] } };
  status: { ask: Record<string, never>; answer: ForecastStatus };
}

/** The name of an ask. */
export type AskName = keyof ForecastAsks;

/** Answers asks. Rejects with a TidegateError, such as TG_FORECAST_UNKNOWN_CLASS and TG_FORECAST_OFF. */
export interface ForecastDesk {
  ask<N extends AskName>(name: N, ask: ForecastAsks[N]['ask']): Promise<ForecastAsks[N]['answer']>;
}
