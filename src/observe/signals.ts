/** Signals of Prometheus: each query is asked at its interval, and what it answers becomes samples. */
import type { ErrorCode } from '../core/error-catalogue';
import {
  SignalSeries,
  type LeftOut,
  type MeasuredValue,
  type SignalBatch,
  type SignalOptions,
} from './signal-series';
import { SteadyPull, type PullParts } from './steady-pull';

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
export interface SignalParts extends PullParts {
  readonly source: SignalSource;
  /** Gets what came; must not throw. */
  readonly take: (batch: SignalBatch) => void;
}

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
  private readonly pull: SteadyPull<readonly MeasuredValue[]>;
  private samples = 0;

  constructor(
    private readonly query: SignalQuery,
    private readonly parts: SignalParts,
  ) {
    const { name, service, intervalMs } = query;
    this.series = new SignalSeries(query);
    this.pull = new SteadyPull(
      {
        intervalMs,
        named: { signal: name, service },
        ask: () => parts.source.query(query.query),
        take: (values, nowMs) => this.take(values, nowMs),
        miss: (nowMs) => this.hand({ added: [], ended: this.series.endStale(nowMs), samples: [] }),
      },
      parts,
    );
  }

  start(): void {
    this.pull.start();
  }

  stop(): void {
    this.pull.stop();
  }

  state(): SignalState {
    const { name, service, unit } = this.query;
    const { error, failures, answeredAtMs } = this.pull;
    const answered = this.series.size > 0 ? 'ok' : 'empty';
    return {
      name,
      service,
      unit,
      state: error !== undefined ? 'failing' : answeredAtMs === undefined ? 'waiting' : answered,
      series: this.series.size,
      answeredAtMs,
      error: error === undefined ? undefined : { code: error.code, message: error.message },
      failures,
      samples: this.samples,
      leftOut: { ...this.series.leftOut },
    };
  }

  private take(values: readonly MeasuredValue[], nowMs: number): void {
    const batch = this.series.take(values, nowMs);
    this.samples += batch.samples.length;
    this.hand(batch);
  }

  private hand(batch: SignalBatch): void {
    if (batch.samples.length > 0 || batch.ended.length > 0) this.parts.take(batch);
  }
}
