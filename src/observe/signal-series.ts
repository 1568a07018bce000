/**
 * The series of one signal: which of a query's answers are new, which come late or twice, and which series have stopped.
 * Bounded in series.
 */
import type { ClassInfo, SignalSample } from '../core/observation';

/** One series' value as a query gives it. */
export interface MeasuredValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly atMs: number;
  readonly value: number;
}

/** What a signal is of. */
export interface SignalOptions {
  readonly name: string;
  readonly service: string;
  /** The label that names the instance. */
  readonly instanceLabel: string;
  readonly intervalMs: number;
  /** Series at most. */
  readonly maxSeries: number;
}

/** What an answer brought. */
export interface SignalBatch {
  readonly added: readonly ClassInfo[];
  /** Series without a value for long. */
  readonly ended: readonly string[];
  readonly samples: readonly SignalSample[];
}

/** What was not taken, since the start. */
export interface LeftOut {
  /** Older than one that was taken, or too old to matter. */
  late: number;
  /** Of a time that was taken already, or of an instance that another series of the answer names too. */
  doubled: number;
  /** Of a time that has not come yet. */
  early: number;
  /** Of series beyond the bound. */
  beyond: number;
}

/** Prometheus itself gives a value for as long after it was measured. */
const STALE_AFTER_MS = 300_000;
/** How far clocks of two hosts may be apart. */
const MAX_AHEAD_MS = 60_000;
const MAX_INSTANCE_LENGTH = 128;

/** See the file's head. */
export class SignalSeries {
  readonly leftOut: LeftOut = { late: 0, doubled: 0, early: 0, beyond: 0 };
  /** When each series was measured last, by class id. */
  private readonly lastMs = new Map<string, number>();

  constructor(private readonly options: SignalOptions) {}

  /** Series that have values now. */
  get size(): number {
    return this.lastMs.size;
  }

  /** Without a value for this long a series has ended, ms. */
  get staleAfterMs(): number {
    return Math.max(STALE_AFTER_MS, 5 * this.options.intervalMs);
  }

  /** Takes an answer. @param nowMs Unix time. */
  take(values: readonly MeasuredValue[], nowMs: number): SignalBatch {
    const ended = this.endStale(nowMs);
    const added: ClassInfo[] = [];
    const samples: SignalSample[] = [];
    const answered = new Set<string>();
    // Series that are known come first, then by name, so that the bound keeps the same ones.
    const named = values.map((value) => ({ ...value, info: this.infoOf(value) }));
    named.sort((a, b) => this.rank(a.info.id) - this.rank(b.info.id) || compare(a.info.id, b.info.id));
    for (const { info, atMs, value } of named) {
      const lastMs = this.lastMs.get(info.id);
      const fault = answered.has(info.id) ? 'doubled' : this.faultOf(atMs, lastMs, nowMs);
      answered.add(info.id);
      if (fault !== undefined) {
        this.leftOut[fault] += 1;
        continue;
      }
      if (lastMs === undefined) added.push(info);
      this.lastMs.set(info.id, atMs);
      samples.push({ classId: info.id, atMs, value });
    }
    return { added, ended, samples };
  }

  /** Ends the series without a value for long, also where nothing answers. */
  endStale(nowMs: number): string[] {
    const ended: string[] = [];
    for (const [id, atMs] of this.lastMs) {
      // A clock that was set back leaves times that are far ahead: nothing newer would come for as long.
      if (nowMs - atMs <= this.staleAfterMs && atMs - nowMs <= this.staleAfterMs) continue;
      this.lastMs.delete(id);
      ended.push(id);
    }
    return ended;
  }

  private faultOf(atMs: number, lastMs: number | undefined, nowMs: number): keyof LeftOut | undefined {
    if (atMs > nowMs + MAX_AHEAD_MS) return 'early';
    if (nowMs - atMs > this.staleAfterMs) return 'late';
    if (lastMs !== undefined) return atMs === lastMs ? 'doubled' : atMs < lastMs ? 'late' : undefined;
    return this.lastMs.size >= this.options.maxSeries ? 'beyond' : undefined;
  }

  private rank(id: string): number {
    return this.lastMs.has(id) ? 0 : 1;
  }

  private infoOf({ labels }: MeasuredValue): ClassInfo {
    const { name, service, instanceLabel } = this.options;
    const instance = printable(labels[instanceLabel] ?? '') || 'all';
    const parent = `service:${service}`;
    return { id: `signal:${service}/${instance}/${name}`, kind: 'signal', parent, service };
  }
}

/** A label's value as a part of an id: bounded, without slashes and control characters. */
function printable(text: string): string {
  return text.slice(0, MAX_INSTANCE_LENGTH).replace(/[/\p{Cc}]/gu, '_');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
