/**
 * Signals of Jaeger: what the traces of the last while tell of each service, as samples like those of Prometheus. The instance
 * is `jaeger`: traces tell of a service as a whole.
 */
import type { Logger } from '../core/ports';
import { SignalSeries, type SignalBatch } from './signal-series';
import { SteadyPull, type PullParts } from './steady-pull';

/** The names of the signals, each a class `signal:<service>/jaeger/<name>`. */
export const JAEGER_SIGNALS = ['latency_p50_ms', 'latency_p99_ms', 'error_share'] as const;
/** The instance that they are of. */
const INSTANCE = 'jaeger';

/** What a server did for one request. */
export interface JaegerSpan {
  readonly durationMs: number;
  readonly failed: boolean;
}

/** Whoever has the traces. Rejects with a TidegateError, within a time of its own. */
export interface SpanSource {
  serverSpans(query: {
    readonly service: string;
    readonly fromMs: number;
    readonly toMs: number;
    readonly maxTraces: number;
  }): Promise<readonly JaegerSpan[]>;
}

/** What is asked, and how often. */
export interface JaegerOptions {
  readonly services: readonly string[];
  readonly intervalMs: number;
  /** How far back. */
  readonly lookbackMs: number;
  readonly maxTraces: number;
}

/** What they stand on. */
export interface JaegerParts extends PullParts {
  readonly source: SpanSource;
  /** Gets what came; must not throw. */
  readonly take: (batch: SignalBatch) => void;
}

/** See the file's head. */
export class JaegerSignals {
  private readonly pulls: readonly SteadyPull<readonly JaegerSpan[]>[];
  /** When the first service is not answered for, and when all are again: nobody needs to read it for each. */
  private readonly outageLog: Logger;
  /** One answer is held at a time: they may be long. */
  private line: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly options: JaegerOptions,
    private readonly parts: JaegerParts,
  ) {
    const { logger } = parts;
    const failing = (): number => this.pulls.filter(({ error }) => error !== undefined).length;
    this.outageLog = {
      debug: (fields, message) => logger.debug(fields, message),
      info: (fields, message) => (failing() === 1 ? logger.info(fields, message) : undefined),
      warn: (fields, message) => (failing() === 0 ? logger.warn(fields, message) : undefined),
      error: (fields, message) => logger.error(fields, message),
    };
    this.pulls = [...new Set(options.services)].map((service) => this.pullOf(service));
  }

  start(): void {
    for (const pull of this.pulls) pull.start();
  }

  /** Asks no more; what is under way is dropped when it answers. */
  stop(): void {
    for (const pull of this.pulls) pull.stop();
  }

  private pullOf(service: string): SteadyPull<readonly JaegerSpan[]> {
    const { intervalMs } = this.options;
    const series = JAEGER_SIGNALS.map(
      (name) => new SignalSeries({ name, service, intervalMs, instanceLabel: 'instance', maxSeries: 1 }),
    );
    const hand = (batches: readonly SignalBatch[]): void => {
      const batch = {
        added: batches.flatMap(({ added }) => added),
        ended: batches.flatMap(({ ended }) => ended),
        samples: batches.flatMap(({ samples }) => samples),
      };
      if (batch.samples.length > 0 || batch.ended.length > 0) this.parts.take(batch);
    };
    return new SteadyPull(
      {
        intervalMs,
        named: { signal: INSTANCE, service },
        ask: () => this.inLine(() => this.ask(service)),
        take: (spans, nowMs) => {
          const labels = { instance: INSTANCE };
          const values = figuresOf(spans);
          hand(
            series.map((one, index) =>
              one.take(
                values === undefined ? [] : [{ labels, atMs: nowMs, value: values[index] ?? NaN }],
                nowMs,
              ),
            ),
          );
        },
        miss: (nowMs) => hand(series.map((one) => ({ added: [], ended: one.endStale(nowMs), samples: [] }))),
      },
      { ...this.parts, logger: this.outageLog },
    );
  }

  private ask(service: string): Promise<readonly JaegerSpan[]> {
    const { lookbackMs, maxTraces } = this.options;
    const toMs = this.parts.clock.nowUs() / 1_000;
    return this.parts.source.serverSpans({ service, fromMs: toMs - lookbackMs, toMs, maxTraces });
  }

  private inLine<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.line.then(act);
    this.line = turn.catch(() => undefined);
    return turn;
  }
}

/** In the order of {@link JAEGER_SIGNALS}; undefined where there are no spans. */
function figuresOf(spans: readonly JaegerSpan[]): readonly number[] | undefined {
  if (spans.length === 0) return undefined;
  const durationsMs = Float64Array.from(spans, ({ durationMs }) => durationMs).sort();
  const nearestRank = (part: number): number => durationsMs[Math.ceil(part * durationsMs.length) - 1] ?? NaN;
  const failed = spans.filter((one) => one.failed).length;
  return [nearestRank(0.5), nearestRank(0.99), failed / spans.length];
}
