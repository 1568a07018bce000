/**
 * The series of all classes at all levels, in memory: what is taken goes to every level at once, so that the sums of all
 * levels agree exactly, also for what comes late. Time only enters as an argument; every call does bounded work however
 * far clocks jump.
 */
import {
  COUNTS,
  type ClassInfo,
  type FigureName,
  type ObservationBatch,
  type SignalSample,
} from '../core/observation';
import type { ResolutionMs, Series } from '../core/series';
import type { ChunkKey, ChunkWrite } from './block';
import { ClassTable, type KnownClass, OTHER_CLASS } from './class-table';
import { Coverage } from './coverage';
import { COUNT_MAX, figureColumns, figureOf, LEVEL_MAX } from './figures';
import { chunkMs, chunkStart, type Level } from './levels';
import { SourceLedger } from './source-ledger';
import { noTotals, type TakenTotals } from './taken-totals';

/** What bounds the store. */
export interface SeriesStoreOptions {
  readonly levels: readonly Level[];
  readonly classesMax: number;
  /** How late a value may come, and how far ahead of the clock, ms. */
  readonly lateMs: number;
}

/** Where chunks are that are not in memory: those that begin within [fromMs, toMs], in any order. */
export type ChunkLoader = (
  block: number,
  stepMs: number,
  fromMs: number,
  toMs: number,
) => Iterable<{ readonly startMs: number; readonly bytes: Uint8Array }>;

/** A step of the past with its columns: counts in the order of COUNTS, or the sum and the samples of a level. */
export interface FilledStep {
  readonly atMs: number;
  readonly row: readonly number[];
}

const NOWHERE: ChunkLoader = () => [];
/** The longest series that is read at once, steps. */
export const SERIES_STEPS_MAX = 200_000;
const COLUMNS = COUNTS.length;

/** Series of classes. */
export class SeriesStore {
  readonly totals: TakenTotals = noTotals();
  readonly table: ClassTable;
  private readonly coverage: readonly Coverage[];
  private ledger = new SourceLedger();
  private readonly row = new Float64Array(COLUMNS);
  private readonly lastSample = new WeakMap<KnownClass, number>();
  private newestMs = -Infinity;
  /** Classes that were evicted, and chunks that are no more, since they were last asked for. */
  private evicted: string[] = [];
  private gone: { readonly fromMs: number }[] = [];

  constructor(
    private readonly options: SeriesStoreOptions,
    private readonly loader: ChunkLoader = NOWHERE,
  ) {
    this.coverage = options.levels.map((level) => new Coverage(level));
    this.table = new ClassTable(options.levels, this.coverage, options.classesMax);
  }

  /**
   * Takes a source's counts of one step; the counts of several sources add up.
   * @returns whether they were taken: not when they were before, or are too late, or ahead of time.
   */
  take(batch: ObservationBatch, nowMs: number): boolean {
    this.advance(nowMs);
    if (!this.timely(batch.atMs, nowMs)) return false;
    if (!this.ledger.accept(batch.source, batch.sequence, batch.atMs)) {
      this.totals.doubled += 1;
      return false;
    }
    this.totals.batches += 1;
    for (const info of batch.added) this.learn(info, batch.atMs);
    this.cover(batch.atMs);
    for (let index = 0; index < batch.classes.length; index += 1)
      this.takeRow(batch, batch.classes[index] as string, index * COLUMNS);
    for (const id of batch.ended ?? []) {
      const known = this.table.get(id);
      if (known !== undefined) known.endMs = batch.atMs + batch.stepMs;
    }
    return true;
  }

  /** Takes one value of a signal; coarser steps hold the mean of their samples. @returns whether it was taken. */
  put(sample: SignalSample, info: ClassInfo, nowMs: number): boolean {
    this.advance(nowMs);
    if (!this.timely(sample.atMs, nowMs)) return false;
    if (!Number.isFinite(sample.value)) {
      this.totals.refused += 1;
      return false;
    }
    const known = this.learn({ ...info, kind: 'signal' }, sample.atMs);
    if (known === undefined || known.group !== 'level') {
      this.totals.overflowed += 1;
      return false;
    }
    if (this.lastSample.get(known) === sample.atMs) {
      this.totals.doubled += 1;
      return false;
    }
    this.lastSample.set(known, sample.atMs);
    const value = Math.min(LEVEL_MAX, Math.max(-LEVEL_MAX, sample.value));
    if (value !== sample.value) this.totals.bounded += 1;
    known.lastMs = Math.max(known.lastMs, sample.atMs);
    known.block.add(known.slot, sample.atMs, [value, 1], 0);
    return true;
  }

  /**
   * Packs what nothing can come for any more, a part of it at each call.
   * @returns how many chunks are left to pack.
   */
  seal(nowMs: number): number {
    this.advance(nowMs);
    const endMs = nowMs - this.options.lateMs;
    let left = 0;
    let budget = Math.max(8, Math.ceil(this.table.blocks.size / 8));
    for (const block of this.table.blocks.values()) {
      const due = block.openBefore(endMs);
      if (due === 0) continue;
      if (budget > 0) {
        block.seal(endMs);
        budget -= due;
      } else left += due;
    }
    if (left === 0)
      this.options.levels.forEach((level, index) =>
        this.coverage[index]?.dropBefore(chunkStart(level, endMs)),
      );
    return left;
  }

  /** Forgets chunks of a level that end by a time; with `writtenOnly`, those alone that {@link written} was told of. */
  drop(stepMs: ResolutionMs, endMs: number, writtenOnly: boolean): void {
    const level = this.levelOf(stepMs);
    for (const block of this.table.blocks.values()) block.drop(level, endMs, writtenOnly);
  }

  /**
   * A figure of a class over the steps that lie whole in [fromMs, toMs); NaN where nobody looked, zero where nothing came.
   * Unknown classes and figures give NaN alone. At most {@link SERIES_STEPS_MAX} steps, the latest.
   */
  read(classId: string, figure: FigureName, stepMs: ResolutionMs, fromMs: number, toMs: number): Series {
    const last = Math.floor(toMs / stepMs);
    const first = Math.max(Math.ceil(fromMs / stepMs), last - SERIES_STEPS_MAX);
    const count = last > first ? last - first : 0;
    const values = new Float64Array(count).fill(NaN);
    const startMs = first * stepMs;
    const known = this.table.get(classId);
    const columns = known === undefined ? undefined : figureColumns(known.group, figure);
    if (known !== undefined && columns !== undefined && count > 0)
      this.readInto(values, known, columns, this.levelOf(stepMs), startMs);
    return { startMs, stepMs, values };
  }

  /** One figure of a step that is still in memory; NaN when it is missing. */
  value(classId: string, figure: FigureName, stepMs: ResolutionMs, atMs: number): number {
    const known = this.table.get(classId);
    const columns = known === undefined ? undefined : figureColumns(known.group, figure);
    if (known === undefined || columns === undefined) return NaN;
    const level = this.levelOf(stepMs);
    const value = known.block.value(level, known.slot, columns[0], atMs);
    if (columns.length === 1) return value;
    const samples = known.block.value(level, known.slot, columns[1], atMs);
    return samples > 0 ? value / samples : NaN;
  }

  /**
   * Fills steps of the past where nothing was seen, at the level of `stepMs` and the coarser ones.
   * @returns how many steps of the level were filled.
   */
  fill(info: ClassInfo, stepMs: ResolutionMs, rows: readonly FilledStep[], nowMs: number): number {
    this.advance(nowMs);
    const known = this.table.get(info.id) ?? this.learn(info, nowMs);
    if (known === undefined || rows.some(({ row }) => row.length !== known.block.columns)) return 0;
    let filled = 0;
    for (let level = this.levelOf(stepMs); level < this.options.levels.length; level += 1) {
      const spec = this.options.levels[level] as Level;
      for (const [atMs, row] of sumsBy(rows, spec.stepMs)) {
        this.ensureLoaded(known, level, atMs);
        if (known.block.fill(level, known.slot, atMs, row) && spec.stepMs === stepMs) filled += 1;
        if (atMs < known.sinceMs) known.sinceMs = atMs;
      }
    }
    return filled;
  }

  /** Takes over another store's clock, and what it knows of sources. */
  continueFrom(other: SeriesStore): void {
    this.ledger = other.ledger;
    this.newestMs = Math.max(this.newestMs, other.newestMs);
    Object.assign(this.totals, other.totals);
  }

  /** Takes all that is in memory for unwritten, as when the file is another. */
  forgetWritten(): void {
    for (const block of this.table.blocks.values()) block.forgetWritten();
  }

  /** What changed since it was last written. Give each to {@link written} once it is. */
  *changes(of: (block: number) => boolean = () => true): Iterable<ChunkWrite> {
    for (const block of this.table.blocks.values()) if (of(block.id)) yield* block.changes();
  }

  /** Notes that a chunk is written. */
  written(write: ChunkWrite): void {
    this.table.blocks.get(write.block)?.written(write);
  }

  /** Takes a chunk of before a restart. */
  load(key: ChunkKey, bytes: Uint8Array): void {
    const level = this.options.levels.findIndex(({ stepMs }) => stepMs === key.stepMs);
    if (level >= 0) this.table.blocks.get(key.block)?.load(level, key.startMs, bytes);
  }

  /** The classes evicted, and the times that everything was forgotten from, since the last call. */
  removals(): { readonly evicted: readonly string[]; readonly gone: readonly { readonly fromMs: number }[] } {
    const { evicted, gone } = this;
    this.evicted = [];
    this.gone = [];
    return { evicted, gone };
  }

  /** What the chunks take, bytes, about. */
  bytes(): number {
    let sum = 0;
    for (const block of this.table.blocks.values()) sum += block.bytes();
    return sum;
  }

  /** Forgets the oldest tenth of what each level holds, written or not. */
  shrink(nowMs: number): void {
    this.options.levels.forEach((level, index) => {
      let oldest = Infinity;
      for (const block of this.table.blocks.values()) oldest = Math.min(oldest, block.oldest(index));
      if (oldest < nowMs)
        this.drop(level.stepMs, oldest + Math.max(chunkMs(level), (nowMs - oldest) / 10), false);
    });
  }

  private levelOf(stepMs: ResolutionMs): number {
    return this.options.levels.findIndex((level) => level.stepMs === stepMs);
  }

  /** Sees the clock; when it stepped back, forgets what lies ahead of it, which would be counted twice. */
  private advance(nowMs: number): void {
    if (nowMs < this.newestMs - this.options.lateMs) {
      this.totals.rewinds += 1;
      this.options.levels.forEach((level, index) => {
        this.coverage[index]?.dropFrom(nowMs);
        for (const known of this.table.blocks.values())
          this.loadChunk(known.id, index, chunkStart(level, nowMs));
      });
      for (const block of this.table.blocks.values()) block.rewind(nowMs);
      for (const known of this.table.all()) known.lastMs = Math.min(known.lastMs, nowMs);
      this.gone.push({ fromMs: nowMs });
      this.newestMs = nowMs;
    }
    this.newestMs = Math.max(this.newestMs, nowMs);
  }

  private timely(atMs: number, nowMs: number): boolean {
    if (!Number.isFinite(atMs)) this.totals.refused += 1;
    else if (atMs < nowMs - this.options.lateMs) this.totals.late += 1;
    else if (atMs > nowMs + this.options.lateMs) this.totals.early += 1;
    else return true;
    return false;
  }

  private cover(atMs: number): void {
    this.options.levels.forEach((level, index) => {
      const coverage = this.coverage[index] as Coverage;
      const known = coverage.at(chunkStart(level, atMs)) !== undefined;
      coverage.mark(atMs);
      if (known) return;
      for (const block of this.table.blocks.values()) if (block.columns === COLUMNS) block.begin(index, atMs);
    });
  }

  private takeRow(batch: ObservationBatch, id: string, from: number): void {
    for (let column = 0; column < COLUMNS; column += 1) {
      const count = batch.counts[from + column] ?? NaN;
      if (!(count >= 0)) {
        this.totals.refused += 1;
        return;
      }
      if (count > COUNT_MAX) this.totals.bounded += 1;
      this.row[column] = Math.min(COUNT_MAX, count);
    }
    let known = this.table.get(id);
    if (known?.group !== 'counts') {
      this.totals.overflowed += 1;
      known = this.learn(OTHER_CLASS, batch.atMs);
      if (known === undefined) return;
    }
    if (batch.atMs >= known.endMs) known.endMs = Infinity;
    if (batch.atMs < known.sinceMs) known.sinceMs = batch.atMs;
    known.lastMs = Math.max(known.lastMs, batch.atMs);
    known.block.add(known.slot, batch.atMs, this.row, 0);
  }

  private learn(info: ClassInfo, atMs: number): KnownClass | undefined {
    const added = this.table.add(info, atMs);
    if (added?.evicted !== undefined) {
      this.evicted.push(added.evicted);
      this.totals.evicted += 1;
    }
    return added?.known;
  }

  private readInto(
    values: Float64Array,
    known: KnownClass,
    columns: readonly number[],
    level: number,
    startMs: number,
  ): void {
    const spec = this.options.levels[level] as Level;
    const { stepMs } = spec;
    const firstChunk = chunkStart(spec, startMs);
    const lastChunk = chunkStart(spec, startMs + (values.length - 1) * stepMs);
    const place = (chunk: number, read: readonly Float64Array[] | undefined): void => {
      if (read === undefined) return;
      const offset = Math.round((chunk - startMs) / stepMs);
      for (
        let step = Math.max(0, -offset);
        step < spec.chunkSteps && offset + step < values.length;
        step += 1
      )
        values[offset + step] = figureOf(read, columns, step);
    };
    let missing = false;
    for (let chunk = firstChunk; chunk <= lastChunk; chunk += chunkMs(spec)) {
      if (known.block.holds(level, chunk)) place(chunk, known.block.read(level, chunk, known.slot));
      else missing = true;
    }
    if (!missing) return;
    for (const { startMs: chunk, bytes } of this.loader(known.block.id, stepMs, firstChunk, lastChunk))
      if (!known.block.holds(level, chunk)) place(chunk, known.block.readPacked(level, bytes, known.slot));
  }

  private ensureLoaded(known: KnownClass, level: number, atMs: number): void {
    this.loadChunk(known.block.id, level, chunkStart(this.options.levels[level] as Level, atMs));
  }

  /** Has a chunk in memory, when there is one to be had. */
  loadChunk(block: number, level: number, startMs: number): void {
    const known = this.table.blocks.get(block);
    const spec = this.options.levels[level];
    if (known === undefined || spec === undefined || known.holds(level, startMs)) return;
    for (const { bytes } of this.loader(block, spec.stepMs, startMs, startMs))
      known.load(level, startMs, bytes);
  }
}

/** Rows added up by the steps that they lie in. */
function sumsBy(rows: readonly FilledStep[], stepMs: number): ReadonlyMap<number, readonly number[]> {
  const sums = new Map<number, number[]>();
  for (const { atMs, row } of rows) {
    const start = Math.floor(atMs / stepMs) * stepMs;
    const sum = sums.get(start);
    if (sum === undefined) sums.set(start, [...row]);
    else row.forEach((value, column) => (sum[column] = (sum[column] ?? 0) + value));
  }
  return sums;
}
