/** Backfill at the start, beside everything else: coarse steps first, fine ones after; tried again while the source is down. */
import { TidegateError } from '../core/errors';
import { backfill, type BackfillQuery, type BackfillResult, type FigureSource } from './backfill';
import type { History } from './history';

/** What is asked, of what, and how far back. */
export interface BackfillRunOptions {
  readonly history: Pick<History, 'fill'>;
  readonly source: FigureSource;
  readonly queries: readonly BackfillQuery[];
  /** How far back steps of 1 minute and of 10 minutes are asked for, ms. */
  readonly minutesMs: number;
  readonly tenMinutesMs: number;
  readonly nowMs: () => number;
  /** Told of what came in, and of what went wrong. */
  readonly onFilled: (results: readonly BackfillResult[]) => void;
  readonly onFailure: (error: TidegateError) => void;
}

const RETRY_MS = { first: 10_000, last: 600_000 } as const;
/** The source may be up to so far behind, ms: the newest steps are left to what is counted here. */
const BEHIND_MS = 120_000;

/** One backfill, turned by the control loop until it is done. */
export class BackfillRun {
  private underWay: Promise<void> | undefined;
  private dueMs = -Infinity;
  private waitMs: number = RETRY_MS.first;
  private left: readonly BackfillQuery[];
  private readonly untilMs: number;

  constructor(private readonly options: BackfillRunOptions) {
    this.left = options.queries;
    this.untilMs = options.nowMs() - BEHIND_MS;
  }

  /** Whether nothing is left to be asked. */
  get done(): boolean {
    return this.left.length === 0;
  }

  /** Asks for the next class, when it is due and nothing is under way. Never throws. */
  turn(nowMs: number): void {
    if (this.done || this.underWay !== undefined) return;
    if (nowMs < this.dueMs && this.dueMs - nowMs <= RETRY_MS.last) return;
    this.underWay = this.next(nowMs).finally(() => {
      this.underWay = undefined;
    });
  }

  /** Ends when nothing is under way. */
  async settled(): Promise<void> {
    await this.underWay;
  }

  private async next(nowMs: number): Promise<void> {
    const { history, source, minutesMs, tenMinutesMs, onFilled, onFailure } = this.options;
    const id = this.left[0]?.class.id;
    const own = this.left.filter((query) => query.class.id === id);
    const toMs = this.untilMs;
    try {
      for (const [stepMs, backMs] of [
        [600_000, tenMinutesMs],
        [60_000, minutesMs],
      ] as const) {
        const range = { fromMs: toMs - backMs, toMs, stepMs };
        onFilled(await backfill(history, source, own, range, this.options.nowMs));
      }
      this.waitMs = RETRY_MS.first;
    } catch (thrown) {
      const error = TidegateError.from(thrown);
      onFailure(error);
      if (error.transient) {
        this.dueMs = nowMs + this.waitMs;
        this.waitMs = Math.min(RETRY_MS.last, 2 * this.waitMs);
        return;
      }
    }
    this.left = this.left.filter((query) => query.class.id !== id);
  }
}
