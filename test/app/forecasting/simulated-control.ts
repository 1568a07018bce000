/** The control path with a clock of the test's own: minutes pass as fast as they can be counted. */
import { createControl, type Control } from '../../../src/app/forecasting/control';
import { fitterHere, type Fitter } from '../../../src/app/forecasting/fit-threads';
import type { LearnedCost } from '../../../src/app/forecasting/resource-costs';
import type { Settings } from '../../../src/config/settings-shape';
import type { AskName, ForecastAsks } from '../../../src/core/forecast-desk';
import type { ForecastFigures } from '../../../src/core/forecasts';
import { COUNTS, type ClassInfo, type ObservationBatch } from '../../../src/core/observation';
import { History } from '../../../src/history/history';
import { DEFAULT_RETENTION } from '../../../src/series/levels';
import { loaded } from '../../config/load';
import { recordedLogger, type RecordedLine } from './recorded-logger';

/** A Monday, 00:00 UTC. */
export const BEGIN_MS = Date.UTC(2026, 0, 5);
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** What one class counts over a minute that begins at a time: hits, and how many of them were denied. */
export type Demand = (atMs: number, minute: number) => number;

export interface SimulatedOptions {
  /** Settings, as YAML. */
  readonly settings?: string;
  readonly classes?: readonly ClassInfo[];
  readonly fitter?: Fitter;
  readonly learnedCost?: LearnedCost;
  /** The file of history; in memory without one. */
  readonly path?: string;
  readonly beginMs?: number;
  readonly source?: string;
  readonly maxClasses?: number;
}

export const RULE: ClassInfo = {
  id: 'shop.rule',
  kind: 'rule',
  parent: 'service:shop',
  service: 'shop',
  cost: { cpu: 2, memory: 0.5, io: 0, network: 3 },
};
export const SERVICE: ClassInfo = { id: 'service:shop', kind: 'service', service: 'shop' };

/** Deterministic noise around 1. */
export function noise(minute: number): number {
  const x = Math.sin(minute * 12.9898) * 43_758.5453;
  return 0.95 + 0.1 * (x - Math.floor(x));
}

/** A day's rise and fall around 600 a minute. */
export const daily: Demand = (atMs, minute) =>
  (600 + 300 * Math.sin((2 * Math.PI * (atMs % DAY_MS)) / DAY_MS)) * noise(minute);

/** See the file's head. */
export class SimulatedControl {
  nowMs: number;
  readonly figures: ForecastFigures[] = [];
  readonly lines: RecordedLine[];
  readonly settings: Settings;
  readonly history: History;
  readonly control: Control;
  private sequence = 0;
  private readonly named = new Set<string>();

  constructor(private readonly options: SimulatedOptions = {}) {
    this.nowMs = options.beginMs ?? BEGIN_MS;
    const { logger, lines } = recordedLogger();
    this.lines = lines;
    this.settings = loaded({
      ...(options.settings === undefined ? {} : { file: options.settings }),
    }).settings;
    const history = {
      retention: DEFAULT_RETENTION,
      flushMs: 10_000,
      classesMax: options.maxClasses ?? 1_000,
      lateMs: 30_000,
      memoryMaxBytes: 1e9,
      fileMaxBytes: 1e9,
    };
    const { path } = options;
    this.history = new History({ ...history, ...(path === undefined ? {} : { path }) }, this.nowMs);
    this.control = createControl({
      settings: this.settings,
      history: this.history,
      fitter: options.fitter ?? fitterHere,
      clock: { nowUs: () => this.nowMs * 1_000, monotonicMs: () => performance.now() },
      logger,
      tell: (figures) => void this.figures.push(figures),
      source: options.source ?? 'one',
      link: undefined,
      learnedCost: options.learnedCost ?? (() => undefined),
    });
  }

  /** A batch of one second; a minute's demand may come in one. */
  batch(atMs: number, demand: Readonly<Record<string, number>>, denied = 0): ObservationBatch {
    const classes = Object.keys(demand);
    const infos = this.options.classes ?? [RULE, SERVICE];
    const added = infos.filter(({ id }) => id in demand && !this.named.has(id));
    for (const { id } of added) this.named.add(id);
    const counts = new Float64Array(classes.length * COUNTS.length);
    classes.forEach((id, row) => {
      const hits = demand[id] ?? 0;
      counts.set([hits, hits * (1 - denied), hits * denied, 0, hits], row * COUNTS.length);
    });
    this.sequence += 1;
    const source = this.options.source ?? 'one';
    return { source, sequence: this.sequence, atMs, stepMs: 1_000, added, classes, counts };
  }

  /** Lets minutes pass; fits that are begun are over before the next. @param demand by class. */
  async pass(minutes: number, demand: Readonly<Record<string, Demand>>, denied = 0): Promise<void> {
    for (let minute = 0; minute < minutes; minute += 1) {
      this.passOne(demand, denied);
      await this.control.fits.idle();
    }
  }

  /** As {@link pass}, a minute, without waiting for fits. */
  passOne(demand: Readonly<Record<string, Demand>>, denied = 0): void {
    const atMs = Math.floor(this.nowMs / MINUTE_MS) * MINUTE_MS;
    const index = Math.round(atMs / MINUTE_MS);
    const counts = Object.fromEntries(Object.entries(demand).map(([id, of]) => [id, of(atMs, index)]));
    // Each second is looked at; the minute's demand comes in the last.
    for (let second = 1_000; second < MINUTE_MS; second += 1_000) {
      this.nowMs = atMs + second;
      this.control.observe(this.batch(this.nowMs - 1_000, {}));
    }
    this.nowMs = atMs + MINUTE_MS;
    this.control.observe(this.batch(atMs + MINUTE_MS - 1_000, counts, denied));
    this.nowMs = atMs + MINUTE_MS + 2_500;
    this.control.turn();
  }

  ask<N extends AskName>(name: N, ask: ForecastAsks[N]['ask']): Promise<ForecastAsks[N]['answer']> {
    return this.control.desk.ask(name, ask);
  }

  predict(
    classId: string,
    horizon: '1m' | '1h' | '1d',
    level = 0.8,
    figure: 'hits' | 'cpu' | 'network' = 'hits',
  ) {
    return this.ask('prediction', { classId, figure, horizon, level });
  }

  /** The last figures told. */
  get last(): ForecastFigures {
    const last = this.figures.at(-1);
    if (last === undefined) throw new Error('no figures were told');
    return last;
  }

  logged(message: string): readonly RecordedLine[] {
    return this.lines.filter((line) => line.message.includes(message));
  }

  close(): Promise<void> {
    return this.control.close();
  }
}
