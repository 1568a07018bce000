/**
 * The control path, whatever thread it runs in: takes what was seen, closes steps, forecasts, fits, and tells. It is turned
 * once a second; everything it knows of time comes with the turn.
 */
import type { ForecastFigures } from '../../core/forecasts';
import type { ClassInfo, HostSample, ObservationBatch, SignalSample } from '../../core/observation';
import type { Logger } from '../../core/ports';
import { HORIZON_STEPS } from '../../core/forecasts';
import type { ClassBook, StepSummary } from '../../forecast/class-book';
import type { ForecastScale } from '../../forecast/learning/fit-queue';
import type { History } from '../../history/history';
import type { AlertDesk } from './alert-desk';
import type { ClassOpener } from './class-opener';
import type { FiguresMaker } from './figures';
import type { FitRunner } from './fit-runner';
import type { ModelShelf } from './model-shelf';
import type { ReplicaDesk } from './replica-desk';
import type { ResourceCosts } from './resource-costs';
import { StepClock } from './step-clock';

/** What the loop turns. */
export interface ControlLoopParts {
  readonly history: History;
  readonly book: ClassBook;
  readonly opener: ClassOpener;
  readonly shelf: ModelShelf;
  readonly fits: FitRunner;
  readonly alerts: AlertDesk;
  readonly replicas: ReplicaDesk;
  readonly figures: FiguresMaker;
  readonly costs: ResourceCosts;
  readonly tell: (figures: ForecastFigures) => void;
  readonly logger: Logger;
  /** For durations alone. */
  readonly monotonicMs: () => number;
}

/** After a step's end, until what was counted in it has come. */
const GRACE_MS = 2_000;
/** Steps that are caught up with after the thread was held up; what lies before is missing to the models. */
const MAX_STEPS = 60;
/** Each class's forecasters are kept once in as many turns, a few at each. */
const KEPT_EVERY_TURNS = 600;
/** What opening classes may take of the start and of a turn, ms: thousands must not hold all else up. */
const OPENING_MS = { start: 5_000, turn: 200 } as const;
/** A step of which less was seen says nothing. */
const LEAST_SEEN = 0.5;
const SECOND_MS = 1_000;
const MAX_HOSTS = 256;
/** Accuracy over time, of the busiest classes. */
const ACCURACY_EVERY_MS = 3_600_000;
const SCALES = ['fine', 'coarse'] as const;

/** See the file's head. */
export class ControlLoop {
  private readonly clocks: Readonly<Record<ForecastScale, StepClock>>;
  private readonly hosts = new Map<string, HostSample & { readonly atMs: number }>();
  private toKeep: string[] = [];
  private readonly toOpen = new Map<string, ClassInfo>();
  private stepMs = 0;
  /** From the last that history holds of before, to the start. */
  private readonly absence: { readonly fromMs: number; readonly untilMs: number };
  private rewinds = 0;

  constructor(
    private readonly parts: ControlLoopParts,
    nowMs: number,
  ) {
    const clock = (horizon: '1m' | '1h'): StepClock =>
      new StepClock(HORIZON_STEPS[horizon].stepMs, GRACE_MS, MAX_STEPS, nowMs);
    this.clocks = { fine: clock('1m'), coarse: clock('1h') };
    parts.shelf.dropAllBut((id) => parts.history.has(id));
    const lastMs = parts.history.classes().reduce((last, known) => Math.max(last, known.lastMs), -Infinity);
    this.absence = { fromMs: lastMs + SECOND_MS, untilMs: nowMs };
    this.matchHistory(nowMs, OPENING_MS.start);
  }

  /** Takes one source's counts of a step. */
  take(batch: ObservationBatch, nowMs: number): void {
    const { history, opener, costs } = this.parts;
    if (!history.take(batch, nowMs)) return;
    for (const info of batch.added) {
      costs.note(info);
      opener.open(info, nowMs);
    }
    for (const id of batch.ended ?? []) this.end(id, nowMs);
    if (batch.host !== undefined) this.seeHost(batch.source, batch.atMs, batch.host);
  }

  /** Takes one value of a signal. */
  put(sample: SignalSample, info: ClassInfo, nowMs: number): void {
    if (this.parts.history.putSignal(sample, info, nowMs)) this.parts.opener.open(info, nowMs);
  }

  /** Does what is due. */
  turn(nowMs: number): void {
    this.parts.history.closeStep(nowMs);
    const due = { fine: this.clocks.fine.due(nowMs), coarse: this.clocks.coarse.due(nowMs) };
    if (this.clocks.fine.rewinds > this.rewinds) this.setBack(nowMs);
    for (const scale of SCALES) for (const atMs of due[scale]) this.step(scale, atMs);
    if (due.fine.length > 0) this.minute(nowMs);
    else this.openSome(nowMs, OPENING_MS.turn);
    this.keepSome(nowMs);
    this.parts.fits.turn(nowMs);
  }

  /** Asks for fits of every model, as the nightly schedule does. */
  refitAll(): void {
    this.parts.book.requestFits('nightly');
  }

  /** The figures of now. */
  figures(nowMs: number): ForecastFigures {
    const { figures, fits, alerts, replicas } = this.parts;
    return figures.make(nowMs, {
      refits: { ...fits.counts },
      alerts: alerts.views(),
      replicas: replicas.views(),
      stepMs: this.stepMs,
    });
  }

  /** The last load of each host. */
  hostLoads(): ReadonlyMap<string, HostSample & { readonly atMs: number }> {
    return this.hosts;
  }

  /** Keeps everything, and ends. */
  async close(nowMs: number): Promise<void> {
    const { fits, book, history } = this.parts;
    await fits.close();
    for (const id of book.ids()) this.keep(id, nowMs);
    history.close(nowMs);
  }

  private step(scale: ForecastScale, atMs: number): void {
    const { book, history, monotonicMs } = this.parts;
    const { stepMs } = HORIZON_STEPS[scale === 'fine' ? '1m' : '1h'];
    const startedMs = monotonicMs();
    const resolution = scale === 'fine' ? 60_000 : 600_000;
    const whole = this.madeWhole(atMs, stepMs);
    const summary = book.step(scale, atMs, (id) => {
      const figure = book.of(id)?.figure ?? 'hits';
      const value = history.value(id, figure, resolution, atMs);
      return figure === 'level' ? value : value * whole;
    });
    this.stepMs = monotonicMs() - startedMs;
    this.tellEvents(summary, atMs + stepMs);
    if (scale === 'coarse' && (atMs + stepMs) % ACCURACY_EVERY_MS === 0) this.keepAccuracy(atMs + stepMs);
  }

  /**
   * What makes the sum of a step that this process was not there for all of, as at its start, that of a whole one; NaN when
   * it was there for less than half of it.
   */
  private madeWhole(atMs: number, stepMs: number): number {
    const { fromMs, untilMs } = this.absence;
    const missed = Math.min(atMs + stepMs, untilMs) - Math.max(atMs, fromMs);
    if (missed <= 0) return 1;
    const seen = 1 - missed / stepMs;
    return seen < LEAST_SEEN ? NaN : 1 / seen;
  }

  private tellEvents({ anomalies, drifts }: StepSummary, atMs: number): void {
    const { history, logger, figures } = this.parts;
    for (const anomaly of anomalies) {
      figures.anomaly(anomaly);
      history.records.addEvent({ atMs, kind: 'anomaly', classId: anomaly.classId, data: { ...anomaly } });
      logger.warn({ anomaly }, 'a class is unlike its forecasts');
    }
    for (const drift of drifts) {
      figures.drift(drift);
      history.records.addEvent({ atMs, kind: 'drift', classId: drift.classId, data: { ...drift } });
      logger.info({ drift }, 'a class has changed for good');
    }
  }

  private keepAccuracy(atMs: number): void {
    const { book, history, figures } = this.parts;
    for (const { id } of figures.busiest(atMs)) {
      for (const { horizon, mae, maeRatio, coverage80, coverage95 } of book.accuracy(id)) {
        const measures = { mae, maeRatio, coverage80, coverage95 };
        for (const [measure, value] of Object.entries(measures)) {
          if (value !== null) history.records.putAccuracy(id, `${horizon}:${measure}`, atMs, value);
        }
      }
    }
  }

  private minute(nowMs: number): void {
    this.matchHistory(nowMs, OPENING_MS.turn);
    this.parts.alerts.look(nowMs);
    this.parts.tell(this.figures(nowMs));
  }

  /** Keeps a part of the classes, so that no turn is long. */
  private keepSome(nowMs: number): void {
    const { book } = this.parts;
    if (this.toKeep.length === 0) this.toKeep = [...book.ids()];
    const part = Math.ceil(book.size / KEPT_EVERY_TURNS);
    for (const id of this.toKeep.splice(0, part)) this.keep(id, nowMs);
  }

  private keep(id: string, nowMs: number): void {
    const forecast = this.parts.book.of(id);
    if (forecast !== undefined) this.parts.shelf.saveTracks(id, forecast.save(), nowMs);
  }

  /** Forecasts what history has, and nothing else: it may have let a class give way to another. */
  private matchHistory(nowMs: number, openingMs: number): void {
    const { history, book, shelf, costs } = this.parts;
    for (const id of [...book.ids()]) {
      if (history.has(id)) continue;
      book.close(id);
      shelf.drop(id);
      costs.forget(id);
    }
    this.toOpen.clear();
    for (const info of history.classes())
      if (!info.ended && !book.has(info.id)) this.toOpen.set(info.id, info);
    this.openSome(nowMs, openingMs);
  }

  /** Opens some of the classes that are not forecast yet; the others at the next turns. */
  private openSome(nowMs: number, openingMs: number): void {
    const { opener, monotonicMs } = this.parts;
    if (this.toOpen.size === 0) return;
    const untilMs = monotonicMs() + openingMs;
    for (const [id, info] of this.toOpen) {
      this.toOpen.delete(id);
      opener.open(info, nowMs);
      if (monotonicMs() >= untilMs) return;
    }
  }

  /** The clock was set back, and history has forgotten what lies ahead of it: forecasters begin anew, from what is left. */
  private setBack(nowMs: number): void {
    const { book, opener, logger } = this.parts;
    this.rewinds = this.clocks.fine.rewinds;
    logger.warn({}, 'the clock was set back: classes are forecast anew from their history');
    for (const id of [...book.ids()]) {
      const info = book.of(id)?.info;
      book.close(id);
      if (info !== undefined) opener.openAnew(info, nowMs);
    }
  }

  private end(id: string, nowMs: number): void {
    this.toOpen.delete(id);
    this.keep(id, nowMs);
    this.parts.book.close(id);
    this.parts.costs.forget(id);
    this.parts.shelf.forget(id);
  }

  private seeHost(source: string, atMs: number, host: HostSample): void {
    this.hosts.delete(source);
    this.hosts.set(source, { ...host, atMs });
    const oldest = this.hosts.keys().next();
    if (this.hosts.size > MAX_HOSTS && oldest.done !== true) this.hosts.delete(oldest.value);
  }
}
