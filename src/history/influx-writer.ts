/**
 * Writes points to InfluxDB beside everything else: queued, bounded, in batches, tried again at growing distances. It has
 * no timer of its own; the control loop turns it.
 */
import type { TidegateError } from '../core/errors';
import type { InfluxClient } from '../remote/influx-client';

/** What bounds the writer. */
export interface InfluxWriterOptions {
  readonly client: Pick<InfluxClient, 'write'>;
  readonly compress: boolean;
  /** Lines that wait at most; beyond it the oldest are dropped. */
  readonly queueMax: number;
  readonly batchLines: number;
  /** Told when writing fails, and (undefined) when it works again. */
  readonly onState?: (error: TidegateError | undefined) => void;
}

const RETRY_MS = { first: 1_000, last: 60_000 } as const;

/** What became of the lines so far. */
export interface WrittenTotals {
  written: number;
  /** Refused by the server for good. */
  refused: number;
  /** Dropped because the queue was full. */
  dropped: number;
}

/** A queue of lines towards InfluxDB. */
export class InfluxWriter {
  readonly totals: WrittenTotals = { written: 0, refused: 0, dropped: 0 };
  private queue: string[] = [];
  private underWay: Promise<void> | undefined;
  private dueMs = -Infinity;
  private waitMs: number = RETRY_MS.first;
  private failing = false;

  constructor(private readonly options: InfluxWriterOptions) {}

  /** Lines that wait. */
  get waiting(): number {
    return this.queue.length;
  }

  /** Queues lines. */
  push(lines: Iterable<string>): void {
    for (const line of lines) this.queue.push(line);
    const excess = this.queue.length - this.options.queueMax;
    if (excess > 0) {
      this.queue.splice(0, excess);
      this.totals.dropped += excess;
    }
  }

  /** Sends the next batch, when there is one, it is due, and none is under way. Never throws. */
  turn(nowMs: number): void {
    if (this.underWay !== undefined || this.queue.length === 0) return;
    // After a clock stepped back, a wait is never longer than the longest.
    if (nowMs < this.dueMs && this.dueMs - nowMs <= RETRY_MS.last) return;
    this.underWay = this.send(nowMs).finally(() => {
      this.underWay = undefined;
    });
  }

  /** Ends when nothing is under way. */
  async settled(): Promise<void> {
    await this.underWay;
  }

  private async send(nowMs: number): Promise<void> {
    const batch = this.queue.splice(0, this.options.batchLines);
    const failure = await this.options.client.write(`${batch.join('\n')}\n`, this.options.compress);
    if (failure === undefined) {
      this.totals.written += batch.length;
      this.waitMs = RETRY_MS.first;
      this.tell(undefined);
      return;
    }
    this.tell(failure.error);
    if (!failure.again) {
      this.totals.refused += batch.length;
      return;
    }
    this.queue.unshift(...batch);
    this.push([]);
    this.dueMs = nowMs + Math.min(RETRY_MS.last, Math.max(this.waitMs, failure.retryAfterMs ?? 0));
    this.waitMs = Math.min(RETRY_MS.last, 2 * this.waitMs);
  }

  private tell(error: TidegateError | undefined): void {
    if (error === undefined && !this.failing) return;
    if (error !== undefined && this.failing) return;
    this.failing = error !== undefined;
    this.options.onState?.(error);
  }
}
