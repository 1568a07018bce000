/**
 * Signals of Prometheus: each query is asked at its interval, one at a time, and what it answers becomes samples. When
 * Prometheus is down, slow, or answers nonsense, that is counted and seen in the signal's state, and the query waits longer
 * from failure to failure; it never stops.
 */
import type { Clock } from '../core/clock';
import type { ErrorCode } from '../core/error-catalogue';
import { TidegateError } from '../core/errors';
import type { Logger } from '../core/ports';
import {
  SignalSeries,
  type LeftOut,
  type MeasuredValue,
  type SignalBatch,
  type SignalOptions,
} from './signal-series';

/** A query that is a signal. */
export interface SignalQuery extends SignalOptions {
  /** PromQL. */
  readonly query: string;
  /** For people. */
  readonly unit: string;
}

/** Whoever answers queries. Rejects with a TidegateError, within a time of its own. */
export interface SignalSource {
  query(promql: string): Promise<readonly MeasuredValue[]>;
}

/** How a signal is. */
export interface SignalState {
  readonly name: string;
  readonly service: string;
  readonly unit: string;
  /** `waiting` before the first answer; `empty` where answers have no series. */
  readonly state: 'waiting' | 'ok' | 'empty' | 'failing';
  readonly series: number;
  /** Unix time of the last good answer, ms. */
  readonly answeredAtMs: number | undefined;
  /** The last failure, while it fails. */
  readonly error: { readonly code: ErrorCode; readonly message: string } | undefined;
  /** Failures since the start. */
  readonly failures: number;
  /** Samples taken since the start. */
  readonly samples: number;
  readonly leftOut: Readonly<LeftOut>;
}

/** What signals stand on. */
export interface SignalParts {
  readonly source: SignalSource;
  readonly clock: Clock;
  /** Gets what came; must not throw. */
  readonly take: (batch: SignalBatch) => void;
  readonly logger: Logger;
  /** Uniform in [0, 1): spreads queries over their interval. */
  readonly random: () => number;
}

/** No failing query waits longer, unless its interval is. */
const MAX_BACK_OFF_MS = 60_000;

/** All signals of one Prometheus. */
export class Signals {
  private readonly pulls: readonly SignalPull[];

  constructor(queries: readonly SignalQuery[], parts: SignalParts) {
    this.pulls = queries.map((query) => new SignalPull(query, parts));
  }

  start(): void {
    for (const pull of this.pulls) pull.start();
  }

  /** Asks no more; what is under way is dropped when it answers. */
  stop(): void {
    for (const pull of this.pulls) pull.stop();
  }

  states(): readonly SignalState[] {
    return this.pulls.map((pull) => pull.state());
  }
}

class SignalPull {
  private readonly series: SignalSeries;
  private timer: NodeJS.Timeout | undefined;
  private stopped = true;
  private failures = 0;
  private failuresInARow = 0;
  private samples = 0;
  private answeredAtMs: number | undefined;
  private error: TidegateError | undefined;

  constructor(
    private readonly query: SignalQuery,
    private readonly parts: SignalParts,
  ) {
    this.series = new SignalSeries(query);
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.askIn(this.parts.random() * Math.min(1_000, this.query.intervalMs));
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  state(): SignalState {
    const { name, service, unit } = this.query;
    const { error } = this;
    const answered = this.series.size > 0 ? 'ok' : 'empty';
    return {
      name,
      service,
      unit,
      state: error !== undefined ? 'failing' : this.answeredAtMs === undefined ? 'waiting' : answered,
      series: this.series.size,
      answeredAtMs: this.answeredAtMs,
      error: error === undefined ? undefined : { code: error.code, message: error.message },
      failures: this.failures,
      samples: this.samples,
      leftOut: { ...this.series.leftOut },
    };
  }

  private askIn(waitMs: number): void {
    this.timer = setTimeout(() => void this.ask(), waitMs);
    this.timer.unref();
  }

  private async ask(): Promise<void> {
    const { clock, source } = this.parts;
    const askedMs = clock.monotonicMs();
    try {
      const values = await source.query(this.query.query);
      if (this.stopped) return;
      this.answered(values);
    } catch (thrown) {
      if (this.stopped) return;
      this.failed(TidegateError.from(thrown, 'TG_SOURCE_REPLY'));
    }
    const { intervalMs } = this.query;
    const longest = Math.max(intervalMs, MAX_BACK_OFF_MS);
    const periodMs = Math.min(longest, intervalMs * 2 ** Math.min(this.failuresInARow, 20));
    this.askIn(Math.max(0, periodMs - (clock.monotonicMs() - askedMs)));
  }

  private answered(values: readonly MeasuredValue[]): void {
    const nowMs = this.nowMs();
    const batch = this.series.take(values, nowMs);
    this.answeredAtMs = nowMs;
    this.samples += batch.samples.length;
    if (this.error !== undefined) this.parts.logger.info(this.named(), 'the signal answers again');
    this.error = undefined;
    this.failuresInARow = 0;
    this.hand(batch);
  }

  private failed(error: TidegateError): void {
    this.failures += 1;
    this.failuresInARow += 1;
    if (this.error?.code !== error.code)
      this.parts.logger.warn({ ...this.named(), error }, 'a signal cannot be read');
    this.error = error;
    const ended = this.series.endStale(this.nowMs());
    this.hand({ added: [], ended, samples: [] });
  }

  private hand(batch: SignalBatch): void {
    if (batch.samples.length > 0 || batch.ended.length > 0) this.parts.take(batch);
  }

  private nowMs(): number {
    return this.parts.clock.nowUs() / 1_000;
  }

  private named(): { readonly signal: string; readonly service: string } {
    return { signal: this.query.name, service: this.query.service };
  }
}
