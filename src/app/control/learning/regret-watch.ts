/** Has regret measured in a thread of its own, so that no tick waits for it; a thread that dies or hangs is begun anew. */
import type { RegretFigures } from '../../../core/learning';
import type { Logger } from '../../../core/ports';
import type { RecordedInterval } from '../../../learn/replay/recorded';
import type { FromLearning, LearningPort, ModelText, WatchRules } from './learning-messages';

/** What it stands on. */
export interface WatchParts {
  /** Begins a thread; it may throw. */
  readonly begin: () => LearningPort;
  readonly logger: Logger;
  /** Never steps back. */
  readonly monotonicMs: () => number;
}

interface Watched {
  readonly model: ModelText;
  readonly rules: WatchRules;
  readonly lateMs: number;
  /** Intervals that are not answered, by id, with when they were sent. */
  readonly pending: Map<number, number>;
  figures: RegretFigures | undefined;
  fault: string;
}

/** Intervals of a pool that may wait; further ones are left out. */
const MAX_PENDING = 8;
/** An answer later than so many intervals, and than so long, is late; much later, the thread hangs. */
const LATE_INTERVALS = 3;
const LATE_MS = 3_000;
const HUNG_MS = 60_000;
/** Waits before a thread is begun anew, ms: from the first they double up to the last. */
const FIRST_WAIT_MS = 1_000;
const LAST_WAIT_MS = 60_000;

/** Regret that is measured elsewhere: what is not known in time is said to be unknown. */
export class RegretWatch {
  private readonly watched = new Map<string, Watched>();
  private port: LearningPort | undefined;
  private closed = false;
  private lastId = 0;
  private endings = 0;
  private againMs = -Infinity;
  private ended = '';

  constructor(private readonly parts: WatchParts) {}

  /** Measures this model of a pool from now on; undefined measures none. */
  use(pool: string, model: ModelText | undefined, rules: WatchRules): void {
    if (model === undefined) {
      if (this.watched.delete(pool)) this.port?.post({ kind: 'forget', pool });
      return;
    }
    const lateMs = Math.max(LATE_MS, LATE_INTERVALS * rules.intervalMs);
    const pending = new Map<number, number>();
    this.watched.set(pool, { model, rules, lateMs, pending, figures: undefined, fault: '' });
    this.port?.post({ kind: 'model', pool, model, rules });
  }

  /** Sends an interval to be replayed. Never throws and never waits. */
  interval(pool: string, recorded: RecordedInterval): void {
    const known = this.watched.get(pool);
    if (known === undefined || this.closed) return;
    this.beginWhenDue();
    const { port } = this;
    if (port === undefined || known.pending.size >= MAX_PENDING) return;
    this.lastId += 1;
    known.pending.set(this.lastId, this.parts.monotonicMs());
    try {
      port.post({ kind: 'interval', pool, id: this.lastId, recorded });
    } catch (thrown) {
      this.over(port, String(thrown));
    }
  }

  /** What was measured last; undefined for nothing yet. */
  figures(pool: string): RegretFigures | undefined {
    return this.watched.get(pool)?.figures;
  }

  /** Why the regret is not known in time; empty while it is. */
  unwatched(pool: string): string {
    const known = this.watched.get(pool);
    if (known === undefined || this.closed) return '';
    this.beginWhenDue();
    if (this.port === undefined) return `the thread that measures regret ended: ${this.ended}`;
    if (known.fault !== '') return known.fault;
    const nowMs = this.parts.monotonicMs();
    const [oldestMs] = known.pending.values();
    if (oldestMs === undefined) return '';
    const waitedMs = nowMs - oldestMs;
    if (waitedMs > HUNG_MS) {
      const { port } = this;
      this.over(port, `it did not answer for ${HUNG_MS} ms`);
      port.end();
    }
    return waitedMs > known.lateMs
      ? `the regret of ${Math.round(waitedMs)} ms ago is still being measured`
      : '';
  }

  close(): void {
    this.closed = true;
    const { port } = this;
    this.port = undefined;
    port?.end();
  }

  private beginWhenDue(): void {
    if (this.port !== undefined || this.closed || this.parts.monotonicMs() < this.againMs) return;
    let port: LearningPort;
    try {
      port = this.parts.begin();
    } catch (thrown) {
      this.noteEnd(String(thrown));
      return;
    }
    this.port = port;
    port.onMessage((message) => this.heard(port, message));
    port.onEnd((why) => this.over(port, why));
    for (const [pool, known] of this.watched) {
      known.pending.clear();
      known.figures = undefined;
      known.fault = '';
      port.post({ kind: 'model', pool, model: known.model, rules: known.rules });
    }
  }

  private heard(port: LearningPort, message: FromLearning): void {
    const known = this.watched.get(message.pool);
    if (port !== this.port || known === undefined || !known.pending.delete(message.id)) return;
    this.endings = 0;
    if (message.kind === 'failed') {
      known.fault = `the regret cannot be measured: ${message.message}`;
      known.figures = undefined;
    } else if (message.figures.model === known.model.version) {
      known.fault = '';
      known.figures = message.figures;
    }
  }

  private over(port: LearningPort, why: string): void {
    if (port !== this.port) return;
    this.port = undefined;
    this.noteEnd(why);
  }

  private noteEnd(why: string): void {
    const waitMs = Math.min(LAST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.endings);
    this.endings = Math.min(this.endings + 1, 16);
    this.ended = why;
    this.againMs = this.parts.monotonicMs() + waitMs;
    // A world that was lost is measured from its beginning.
    for (const known of this.watched.values()) known.figures = undefined;
    this.parts.logger.warn({ why, waitMs }, 'the thread that measures regret ended, and begins anew');
  }
}
