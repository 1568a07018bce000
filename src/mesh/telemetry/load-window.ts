/**
 * Load reports over the last seconds, by cluster and host. A report tells what came since the one before it, so that sums over
 * the window are rates of all Envoys together.
 */
import type { LoadFigures } from '../../core/traffic-telemetry';
import type { LoadRow } from './load-report-message';

/** Slots at most; a longer window has longer ones. */
const MAX_SLOTS = 30;
/** The window has at least so many reports of an Envoy. */
const MIN_REPORTS = 3;
/** Metrics, and categories of drops, of a series. */
const MAX_NAMES = 32;
const COLUMNS = 5;

interface Series {
  readonly cluster: string;
  readonly host: string;
  readonly openedSlot: number;
  lastSlot: number;
  /** Slot by slot: issued, successful, errors, in progress, dropped. */
  readonly counts: Float64Array;
  readonly drops: Map<string, Float64Array>;
  /** Slot by slot: answers, total. */
  readonly metrics: Map<string, Float64Array>;
}

/** See the file's head. */
export class LoadWindow {
  readonly #slotMs: number;
  readonly #slots: number;
  readonly #intervalMs: number;
  readonly #maxSeries: number;
  readonly #series = new Map<string, Series>();
  #slot: number;

  /** @param intervalMs How often an Envoy reports. */
  constructor(windowMs: number, intervalMs: number, maxSeries: number, nowMs: number) {
    const lengthMs = Math.max(windowMs, MIN_REPORTS * intervalMs);
    this.#slotMs = Math.max(1, Math.ceil(lengthMs / MAX_SLOTS / 1_000)) * 1_000;
    // One more, which is being filled.
    this.#slots = Math.ceil(lengthMs / this.#slotMs) + 1;
    this.#intervalMs = intervalMs;
    this.#maxSeries = maxSeries;
    this.#slot = Math.floor(nowMs / this.#slotMs);
  }

  /** Counts a row. Returns false where there is no place for its series. */
  add(row: LoadRow, nowMs: number): boolean {
    this.#advance(nowMs);
    const series = this.#seriesOf(row);
    if (series === undefined) return false;
    series.lastSlot = this.#slot;
    const index = this.#slot % this.#slots;
    const { counts } = series;
    [row.issued, row.successful, row.errors, row.inProgress, row.dropped].forEach((value, column) => {
      counts[index * COLUMNS + column]! += value;
    });
    for (const [category, count] of row.drops) {
      const drops = columnOf(series.drops, category, this.#slots);
      if (drops !== undefined) drops[index]! += count;
    }
    for (const [name, { answers, total }] of row.metrics) {
      const sums = columnOf(series.metrics, name, this.#slots * 2);
      if (sums === undefined) continue;
      sums[index * 2]! += answers;
      sums[index * 2 + 1]! += total;
    }
    return true;
  }

  /** Every series, over the slots that are complete. */
  figures(nowMs: number): LoadFigures[] {
    this.#advance(nowMs);
    return [...this.#series.values()]
      .filter(({ openedSlot }) => openedSlot < this.#slot)
      .map((series) => this.#figuresOf(series));
  }

  #figuresOf(series: Series): LoadFigures {
    const current = this.#slot % this.#slots;
    // A report covers the interval before it.
    const heardMs = (this.#slot - series.openedSlot) * this.#slotMs;
    const reportedMs = Math.ceil(heardMs / this.#intervalMs) * this.#intervalMs;
    const perS = 1_000 / Math.min((this.#slots - 1) * this.#slotMs, reportedMs);
    const sum = (values: Float64Array, columns: number, column: number): number => {
      let total = 0;
      for (let slot = 0; slot < this.#slots; slot += 1)
        if (slot !== current) total += values[slot * columns + column]!;
      return total;
    };
    const count = (column: number): number => sum(series.counts, COLUMNS, column) * perS;
    // Hosts choose the names: `__proto__` must become a property like any other, which assignment would not do.
    const metrics = Object.fromEntries(
      [...series.metrics].flatMap(([name, sums]): [string, number][] => {
        const answers = sum(sums, 2, 0);
        return answers > 0 ? [[name, sum(sums, 2, 1) / answers]] : [];
      }),
    );
    const dropsPerS = Object.fromEntries(
      [...series.drops].map(([category, drops]): [string, number] => [category, sum(drops, 1, 0) * perS]),
    );
    return {
      cluster: series.cluster,
      host: series.host,
      issuedPerS: count(0),
      successfulPerS: count(1),
      errorsPerS: count(2),
      // Of each Envoy one figure an interval.
      inProgress: (count(3) * this.#intervalMs) / 1_000,
      droppedPerS: count(4),
      dropsPerS,
      metrics,
    };
  }

  #seriesOf({ cluster, host }: LoadRow): Series | undefined {
    const key = `${cluster}\n${host}`;
    const known = this.#series.get(key);
    if (known !== undefined || this.#series.size >= this.#maxSeries) return known;
    const series: Series = {
      cluster,
      host,
      openedSlot: this.#slot,
      lastSlot: this.#slot,
      counts: new Float64Array(this.#slots * COLUMNS),
      drops: new Map(),
      metrics: new Map(),
    };
    this.#series.set(key, series);
    return series;
  }

  /** Empties the slots that begin, and forgets series that were not heard of for a window. */
  #advance(nowMs: number): void {
    const slot = Math.floor(nowMs / this.#slotMs);
    const steps = Math.min(slot - this.#slot, this.#slots);
    if (steps <= 0) return;
    for (const [key, series] of this.#series) {
      if (slot - series.lastSlot >= this.#slots) this.#series.delete(key);
      else for (let back = 0; back < steps; back += 1) clear(series, (slot - back) % this.#slots);
    }
    this.#slot = slot;
  }
}

function clear(series: Series, index: number): void {
  series.counts.fill(0, index * COLUMNS, (index + 1) * COLUMNS);
  for (const drops of series.drops.values()) drops[index] = 0;
  for (const sums of series.metrics.values()) sums.fill(0, index * 2, index * 2 + 2);
}

function columnOf(
  columns: Map<string, Float64Array>,
  name: string,
  length: number,
): Float64Array | undefined {
  const known = columns.get(name);
  if (known !== undefined || columns.size >= MAX_NAMES) return known;
  const made = new Float64Array(length);
  columns.set(name, made);
  return made;
}
