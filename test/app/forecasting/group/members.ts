/** Members of a group with one clock of the test's own; each has a control path of its own. */
import { createControl, type Control } from '../../../../src/app/forecasting/control';
import { fitterHere } from '../../../../src/app/forecasting/fit-threads';
import type { AskName, ForecastAsks } from '../../../../src/core/forecast-desk';
import type { ForecastFigures } from '../../../../src/core/forecasts';
import { COUNTS, type ClassInfo, type ObservationBatch } from '../../../../src/core/observation';
import { History } from '../../../../src/history/history';
import { DEFAULT_RETENTION } from '../../../../src/series/levels';
import { loaded } from '../../../config/load';
import { recordedLogger, type RecordedLine } from '../recorded-logger';
import { FakeLink, type FakeStore } from './fake-group';

export const BEGIN_MS = Date.UTC(2026, 0, 5);
export const CLASSES: readonly ClassInfo[] = [
  { id: 'shop.rule', kind: 'rule', parent: 'service:shop', service: 'shop' },
  { id: 'service:shop', kind: 'service', service: 'shop' },
];

/** One clock for all. */
export interface TestClock {
  nowMs: number;
}

export class Member {
  readonly history: History;
  readonly control: Control;
  readonly figures: ForecastFigures[] = [];
  readonly lines: RecordedLine[];
  private readonly sequences = new Map<string, number>();

  constructor(
    readonly source: string,
    clock: TestClock,
    store: FakeStore | undefined,
    file?: string,
    /** The file of history; in memory without one. */
    path?: string,
  ) {
    const { logger, lines } = recordedLogger();
    this.lines = lines;
    const { settings } = loaded({ file: file ?? '' });
    this.history = new History(
      {
        retention: DEFAULT_RETENTION,
        flushMs: 10_000,
        classesMax: 1_000,
        lateMs: 120_000,
        memoryMaxBytes: 1e9,
        fileMaxBytes: 1e9,
        ...(path === undefined ? {} : { path }),
      },
      clock.nowMs,
    );
    this.control = createControl({
      settings: { ...settings, history: { ...settings.history, lateWindowMs: 120_000 } },
      source,
      link: store === undefined ? undefined : new FakeLink(store, source),
      history: this.history,
      fitter: fitterHere,
      clock: { nowUs: () => clock.nowMs * 1_000, monotonicMs: () => performance.now() },
      logger,
      tell: (figures) => void this.figures.push(figures),
      learnedCost: () => undefined,
    });
  }

  /** Counts hits of every class in the step that began then. @param process a worker, or the first process. */
  count(atMs: number, hits: number, process = this.source, ended?: readonly string[]): void {
    const sequence = (this.sequences.get(process) ?? 0) + 1;
    this.sequences.set(process, sequence);
    const counts = new Float64Array(CLASSES.length * COUNTS.length).fill(hits);
    const batch: ObservationBatch = {
      source: process,
      sequence,
      atMs,
      stepMs: 1_000,
      added: sequence === 1 ? CLASSES : [],
      classes: ended === undefined ? CLASSES.map(({ id }) => id) : [],
      counts: ended === undefined ? counts : new Float64Array(0),
      ...(ended === undefined ? {} : { ended }),
    };
    this.control.observe(batch);
  }

  async turn(): Promise<void> {
    this.control.turn();
    // What was asked of the group comes in turns of the event loop.
    for (let wait = 0; wait < 10; wait += 1) await Promise.resolve();
    await this.control.fits.idle();
  }

  ask<N extends AskName>(name: N, ask: ForecastAsks[N]['ask']): Promise<ForecastAsks[N]['answer']> {
    return this.control.desk.ask(name, ask);
  }

  predict(horizon: '1m' | '1h' | '1d' = '1m') {
    return this.ask('prediction', { classId: 'service:shop', figure: 'hits', horizon, level: 0.8 });
  }

  /** Hits of the service over a span, second by second; null where nothing is known. */
  hits(fromMs: number, toMs: number): readonly (number | null)[] {
    const { values } = this.history.series('service:shop', 'hits', 1_000, fromMs, toMs);
    return Array.from(values, (value) => (Number.isNaN(value) ? null : value));
  }
}

/** Lets seconds pass. @param hits what each member counts a second. */
export async function pass(
  clock: TestClock,
  members: readonly Member[],
  seconds: number,
  hits: number | ((member: Member) => number),
): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    const atMs = clock.nowMs;
    clock.nowMs += 1_000;
    for (const member of members) member.count(atMs, typeof hits === 'number' ? hits : hits(member));
    for (const member of members) await member.turn();
  }
}
