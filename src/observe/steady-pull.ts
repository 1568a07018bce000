/**
 * One thing that is asked for at an interval, one ask at a time. When whoever is asked is down, slow, or answers nonsense, that
 * is counted, told once, and waited for longer from failure to failure; it never stops.
 */
import type { Clock } from '../core/clock';
import { TidegateError } from '../core/errors';
import type { Logger } from '../core/ports';

/** What a pull stands on. */
export interface PullParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1): spreads asks over their interval. */
  readonly random: () => number;
}

/** What is asked. */
export interface Pulled<Answer> {
  readonly intervalMs: number;
  /** What it is, for the log. */
  readonly named: { readonly signal: string; readonly service: string };
  /** Rejects with a TidegateError, within a time of its own. */
  readonly ask: () => Promise<Answer>;
  /** Takes an answer; one that it throws at counts as a failure. @param nowMs Unix time. */
  readonly take: (answer: Answer, nowMs: number) => void;
  /** There was no answer. */
  readonly miss: (nowMs: number) => void;
}

/** No failing ask waits longer, unless its interval is. */
const MAX_BACK_OFF_MS = 60_000;

/** See the file's head. */
export class SteadyPull<Answer> {
  /** Failures since the start. */
  failures = 0;
  /** Unix time of the last good answer, ms. */
  answeredAtMs: number | undefined;
  /** The last failure, while it fails. */
  error: TidegateError | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = true;
  private failuresInARow = 0;

  constructor(
    private readonly pulled: Pulled<Answer>,
    private readonly parts: PullParts,
  ) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.askIn(this.parts.random() * Math.min(1_000, this.pulled.intervalMs));
  }

  /** Asks no more; what is under way is dropped when it answers. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private askIn(waitMs: number): void {
    this.timer = setTimeout(() => void this.ask(), waitMs);
    this.timer.unref();
  }

  private async ask(): Promise<void> {
    const { clock } = this.parts;
    const askedMs = clock.monotonicMs();
    try {
      const answer = await this.pulled.ask();
      if (this.stopped) return;
      this.answered(answer);
    } catch (thrown) {
      if (this.stopped) return;
      this.failed(TidegateError.from(thrown, 'TG_SOURCE_REPLY'));
    }
    const { intervalMs } = this.pulled;
    const longest = Math.max(intervalMs, MAX_BACK_OFF_MS);
    const periodMs = Math.min(longest, intervalMs * 2 ** Math.min(this.failuresInARow, 20));
    this.askIn(Math.max(0, periodMs - (clock.monotonicMs() - askedMs)));
  }

  private answered(answer: Answer): void {
    const nowMs = this.nowMs();
    this.pulled.take(answer, nowMs);
    this.answeredAtMs = nowMs;
    if (this.error !== undefined) this.parts.logger.info(this.pulled.named, 'the signal answers again');
    this.error = undefined;
    this.failuresInARow = 0;
  }

  private failed(error: TidegateError): void {
    this.failures += 1;
    this.failuresInARow += 1;
    if (this.error?.code !== error.code)
      this.parts.logger.warn({ ...this.pulled.named, error }, 'a signal cannot be read');
    this.error = error;
    this.pulled.miss(this.nowMs());
  }

  private nowMs(): number {
    return this.parts.clock.nowUs() / 1_000;
  }
}
