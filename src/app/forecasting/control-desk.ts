/** Answers what is asked of the control path. */
import type { AskName, ForecastAsks, ForecastDesk } from '../../core/forecast-desk';
import { TidegateError } from '../../core/errors';
import type { AccuracyView, AnomalyView, ClassView } from '../../core/forecasts';
import { RESOURCES, type ResourceName } from '../../core/observation';
import type { ClassBook } from '../../forecast/class-book';
import { consumptionOf } from '../../forecast/prediction';
import type { AlertDesk } from './alert-desk';
import type { History } from '../../history/history';
import type { ControlLoop } from './control-loop';
import type { FiguresMaker } from './figures';
import type { FitRunner } from './fit-runner';
import type { LearnedCosts } from './learned-costs';
import type { ModelShelf } from './model-shelf';
import type { ReplicaDesk } from './replica-desk';
import type { ResourceCosts } from './resource-costs';

/** What is asked. */
export interface DeskParts {
  readonly history: History;
  readonly book: ClassBook;
  readonly shelf: ModelShelf;
  readonly fits: FitRunner;
  readonly alerts: AlertDesk;
  readonly replicas: ReplicaDesk;
  readonly figures: FiguresMaker;
  readonly costs: ResourceCosts;
  readonly learned: Pick<LearnedCosts, 'page'>;
  readonly loop: ControlLoop;
  readonly nowMs: () => number;
}

/** The longest series that one answer tells, steps; the latest ones. */
const MAX_SERIES_STEPS = 10_000;
/** What is told of a series when the ask does not say from when. */
const DEFAULT_SERIES_STEPS = 360;
const MINUTE_MS = 60_000;

type SeenClass = ReturnType<History['classes']>[number];
type Answers = { readonly [N in AskName]: (ask: ForecastAsks[N]['ask']) => ForecastAsks[N]['answer'] };

/** See the file's head. */
export class ControlDesk implements ForecastDesk {
  private readonly answers: Answers = {
    classes: (ask) => this.classes(ask),
    series: (ask) => this.series(ask),
    prediction: (ask) => this.prediction(ask),
    accuracy: (ask) => this.accuracy(ask),
    accuracyHistory: (ask) => this.accuracyHistory(ask),
    anomalies: (ask) => this.anomalies(ask),
    models: ({ classId }) => ({ models: this.parts.shelf.views(this.known(classId)) }),
    rollback: (ask) => this.rollback(ask),
    refit: (ask) => this.refit(ask),
    costs: (ask) => this.parts.learned.page(ask),
    alerts: () => ({ alerts: this.parts.alerts.views() }),
    replicas: () => ({ replicas: this.parts.replicas.views() }),
    status: () => this.status(),
  };

  constructor(private readonly parts: DeskParts) {}

  async ask<N extends AskName>(name: N, ask: ForecastAsks[N]['ask']): Promise<ForecastAsks[N]['answer']> {
    const answer = this.answers[name] as Answers[N] | undefined;
    if (answer === undefined) throw new TidegateError('TG_INTERNAL', `nothing answers ${String(name)}`);
    return answer(ask);
  }

  private classes(ask: ForecastAsks['classes']['ask']): ForecastAsks['classes']['answer'] {
    const nowMs = this.parts.nowMs();
    const chosen = [...this.parts.history.classes()].filter(
      ({ kind, id }) =>
        (ask.kind === undefined || kind === ask.kind) &&
        (ask.search === undefined || id.includes(ask.search)),
    );
    const rated = chosen.map((seen) => ({
      seen,
      ratePerS: this.parts.figures.ratePerS(seen.id, nowMs),
    }));
    rated.sort((a, b) => b.ratePerS - a.ratePerS || (a.seen.id < b.seen.id ? -1 : 1));
    const page = rated.slice(ask.offset, ask.offset + ask.limit);
    const allPerS = this.allPerS(nowMs);
    return {
      total: chosen.length,
      classes: page.map(({ seen, ratePerS }) => this.classView(seen, ratePerS, allPerS, nowMs)),
    };
  }

  /** Hits a second of all services: each request is of one. */
  private allPerS(nowMs: number): number {
    let sum = 0;
    for (const { kind, id } of this.parts.history.classes())
      if (kind === 'service') sum += this.parts.figures.ratePerS(id, nowMs);
    return sum;
  }

  private classView(seen: SeenClass, ratePerS: number, allPerS: number, nowMs: number): ClassView {
    const atMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS - MINUTE_MS;
    const denied = this.parts.history.value(seen.id, 'denied', MINUTE_MS, atMs);
    const { id, kind, parent, service, tenant, operation } = seen;
    const wholePerS = parent === undefined ? allPerS : this.parts.figures.ratePerS(parent, nowMs);
    return {
      id,
      kind,
      ...(parent === undefined ? {} : { parent }),
      ...(service === undefined ? {} : { service }),
      ...(tenant === undefined ? {} : { tenant }),
      ...(operation === undefined ? {} : { operation }),
      firstSeenMs: seen.sinceMs,
      lastSeenMs: seen.lastMs,
      ratePerS,
      deniedPerS: Number.isFinite(denied) ? denied / 60 : 0,
      share: kind === 'signal' || !(wholePerS > 0) ? null : Math.min(1, ratePerS / wholePerS),
      anomalous: this.parts.book.of(id)?.anomalous ?? false,
    };
  }

  private series(ask: ForecastAsks['series']['ask']): ForecastAsks['series']['answer'] {
    const classId = this.known(ask.classId);
    const { figure, resolutionMs } = ask;
    const nowMs = this.parts.nowMs();
    const toMs = Math.min(ask.toMs ?? nowMs, nowMs);
    const asked = ask.fromMs ?? toMs - DEFAULT_SERIES_STEPS * resolutionMs;
    const fromMs = Math.max(asked, toMs - MAX_SERIES_STEPS * resolutionMs);
    const resource = RESOURCES.find((one) => one === figure);
    const source = resource === undefined ? figure : 'arrivals';
    const read = this.parts.history.series(classId, source, resolutionMs, fromMs, toMs);
    const factor = resource === undefined ? 1 : this.costOf(classId, resource);
    const values = Array.from(read.values, (value) => (Number.isFinite(value) ? value * factor : null));
    return { classId, figure, startMs: read.startMs, stepMs: read.stepMs, values };
  }

  private prediction(ask: ForecastAsks['prediction']['ask']): ForecastAsks['prediction']['answer'] {
    const { figure, horizon, level } = ask;
    const classId = this.known(ask.classId);
    const prediction = this.parts.book.predict(classId, horizon, level, this.parts.nowMs());
    if (prediction === undefined) {
      throw new TidegateError('TG_FORECAST_UNKNOWN_CLASS', `nothing is forecast of ${classId}`);
    }
    const resource = RESOURCES.find((one) => one === figure);
    if (resource !== undefined) return consumptionOf(prediction, figure, this.costOf(classId, resource));
    if (figure === prediction.figure || figure === 'hits') return prediction;
    throw new TidegateError('TG_ADMIN_BAD_REQUEST', `${figure} of ${classId} is not forecast`, {
      remedy: `ask for ${prediction.figure}, or one of ${RESOURCES.join(', ')}`,
    });
  }

  private costOf(classId: string, resource: ResourceName): number {
    return this.parts.costs.perRequest(classId, resource, this.parts.nowMs());
  }

  private accuracy(ask: ForecastAsks['accuracy']['ask']): ForecastAsks['accuracy']['answer'] {
    const { book } = this.parts;
    const ids = ask.classId === undefined ? [...book.ids()].sort() : [this.known(ask.classId)];
    const page = ids.slice(ask.offset, ask.offset + ask.limit);
    return { total: ids.length, accuracy: page.flatMap((id): readonly AccuracyView[] => book.accuracy(id)) };
  }

  private accuracyHistory(
    ask: ForecastAsks['accuracyHistory']['ask'],
  ): ForecastAsks['accuracyHistory']['answer'] {
    const classId = this.known(ask.classId);
    const { horizon, measure } = ask;
    const { records } = this.parts.history;
    const toMs = ask.toMs ?? this.parts.nowMs() + 1;
    const points = records.accuracy(classId, `${horizon}:${measure}`, ask.fromMs ?? 0, toMs);
    return { classId, horizon, measure, points };
  }

  private anomalies(ask: ForecastAsks['anomalies']['ask']): ForecastAsks['anomalies']['answer'] {
    const { book } = this.parts;
    const sinceMs = ask.sinceMs ?? 0;
    const ids = ask.classId === undefined ? [...book.ids()] : [this.known(ask.classId)];
    const all = ids
      .flatMap((id): readonly AnomalyView[] => book.anomalies(id))
      .filter(({ endMs, startMs }) => (endMs ?? Infinity) >= sinceMs || startMs >= sinceMs)
      .sort((a, b) => b.startMs - a.startMs);
    const drifts = book
      .drifts()
      .filter(({ classId, atMs }) => atMs >= sinceMs && (ask.classId ?? classId) === classId);
    return { total: all.length, anomalies: all.slice(ask.offset, ask.offset + ask.limit), drifts };
  }

  private rollback(ask: ForecastAsks['rollback']['ask']): ForecastAsks['rollback']['answer'] {
    const { shelf, fits } = this.parts;
    const classId = this.known(ask.classId);
    const version = shelf.version(classId, ask.scale, ask.version);
    if (version === undefined || !fits.use(version)) {
      throw new TidegateError('TG_ADMIN_BAD_REQUEST', `${classId} has no ${ask.scale} model ${ask.version}`, {
        remedy: 'see /api/v1/models for the versions there are',
      });
    }
    shelf.activate(classId, ask.scale, ask.version);
    return { models: shelf.views(classId) };
  }

  private refit(ask: ForecastAsks['refit']['ask']): ForecastAsks['refit']['answer'] {
    const { book } = this.parts;
    if (ask.classId === undefined) book.requestFits('nightly');
    else book.requestFits('asked', this.known(ask.classId));
    return { waiting: book.waitingFits };
  }

  private status(): ForecastAsks['status']['answer'] {
    const { loop, nowMs } = this.parts;
    const { madeAtMs, refits, tracked, waitingFits, stepMs, history, leader } = loop.figures(nowMs());
    const hosts = [...loop.hostLoads()].map(([source, host]) => ({ source, ...host }));
    return { madeAtMs, refits, tracked, waitingFits, stepMs, history, leader, hosts };
  }

  private known(classId: string): string {
    if (!this.parts.history.has(classId) && !this.parts.book.has(classId)) {
      throw new TidegateError('TG_FORECAST_UNKNOWN_CLASS', `there is no class ${classId.slice(0, 200)}`);
    }
    return classId;
  }
}
