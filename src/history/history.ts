/**
 * History: what came of every class, at four resolutions, and what was learned from it. It lives in one thread and does
 * everything at once, bounded. Its file may fail: then it goes on in memory, says so, and tries the file again.
 */
import type { ClassInfo, FigureName, ObservationBatch, SignalSample } from '../core/observation';
import { TidegateError } from '../core/errors';
import type { ResolutionMs, Series } from '../core/series';
import { adoptSeries } from '../series/adoption';
import { chunkMs, type Level, levels, type Retention } from '../series/levels';
import { type ChunkLoader, type FilledStep, SeriesStore } from '../series/series-store';
import type { TakenTotals } from '../series/taken-totals';
import { HistoryFile, IN_MEMORY } from './history-file';
import { Records } from './records';
import { type Part, SeriesTables } from './series-tables';

/** What bounds history, and where it is kept. */
export interface HistoryOptions {
  /** The file; without one, history lives in memory alone. */
  readonly path?: string;
  readonly retention: Retention;
  /** How often changes are written, ms: what a crash loses at most. */
  readonly flushMs: number;
  readonly classesMax: number;
  /** How late a value may come, ms. */
  readonly lateMs: number;
  /** The memory that series may take while the file cannot take them, bytes. */
  readonly memoryMaxBytes: number;
  /** The length that the file may have, bytes. */
  readonly fileMaxBytes: number;
  /** Told when the file fails, and (undefined) when it works again. */
  readonly onFileState?: (error: TidegateError | undefined) => void;
}

/** How history is. */
export interface HistoryState {
  readonly path: string | undefined;
  /** Whether what is taken reaches the file. */
  readonly persistent: boolean;
  /** Why not. */
  readonly error: TidegateError | undefined;
  /** Where a damaged file was moved. */
  readonly movedAside: string | undefined;
  readonly classes: number;
  readonly memoryBytes: number;
  readonly fileBytes: number;
  readonly lastFlushMs: number | undefined;
  readonly pendingRecords: number;
  readonly totals: Readonly<TakenTotals>;
}

/** The file is tried again after this, ms, and twice as long each time, up to the second. */
const RETRY_MS = { first: 10_000, last: 300_000 } as const;
/** A clock that jumps has to run evenly for this long before anything is deleted for its age, ms. */
const STEADY_MS = 600_000;
const JUMP_MS = 3_600_000;
const PRUNE_MS = 10_000;
/** Parts that blocks are written in. One less than the usual interval has steps: none is ever written late. */
const PARTS = 9;
const ALL: Part = { first: 0, count: 1, of: 1 };
/** Levels up to this step stay in memory for as long as they are kept. */
const IN_MEMORY_STEP_MS = 10_000;
const SHRINKS_MAX = 20;

/** The history of one process. */
export class History {
  /** Models, events and accuracy. */
  readonly records: Records;
  private readonly levels: readonly Level[];
  private store: SeriesStore;
  private file: HistoryFile;
  private tables: SeriesTables | undefined;
  private error: TidegateError | undefined;
  private movedAside: string | undefined;
  private retryMs: number = RETRY_MS.first;
  private retryAtMs = -Infinity;
  private steadySinceMs: number;
  private lastNowMs: number;
  private lastPruneMs = -Infinity;
  private lastFlushMs: number | undefined;
  /** When blocks were last written, and which are next: a part of them each second, so that no step takes long. */
  private writtenMs: number;
  private nextPart = 0;
  private readonly evictedUnwritten: string[] = [];

  /** Opens the file and reads what it needs of it. Never throws for the file's sake. */
  constructor(
    private readonly options: HistoryOptions,
    nowMs: number,
  ) {
    this.levels = levels(options.retention);
    this.lastNowMs = nowMs;
    this.steadySinceMs = nowMs;
    this.writtenMs = nowMs;
    this.store = this.newStore();
    this.file = HistoryFile.open(IN_MEMORY);
    this.records = new Records(this.file, (error) => this.fail(error, this.lastNowMs));
    if (options.path !== undefined) this.openFile(nowMs);
  }

  /** Takes a source's counts of one step. @returns whether they were taken. */
  take(batch: ObservationBatch, nowMs: number): boolean {
    return this.store.take(batch, nowMs);
  }

  /** Takes one value of a signal; its class is added when it is new. @returns whether it was taken. */
  putSignal(sample: SignalSample, info: ClassInfo, nowMs: number): boolean {
    return this.store.put(sample, info, nowMs);
  }

  /** Fills steps of the past where nothing was seen. @returns how many. */
  fill(info: ClassInfo, stepMs: ResolutionMs, steps: readonly FilledStep[], nowMs: number): number {
    return this.store.fill(info, stepMs, steps, nowMs);
  }

  /**
   * A figure of a class over the steps that lie whole in [fromMs, toMs): NaN where nobody looked, zero where nothing came.
   * The current step is over only once `toMs` has passed it.
   */
  series(classId: string, figure: FigureName, stepMs: ResolutionMs, fromMs: number, toMs: number): Series {
    return this.store.read(classId, figure, stepMs, fromMs, toMs);
  }

  /** One figure of one recent step; NaN when it is missing. Cheap: for every class at every step. */
  value(classId: string, figure: FigureName, stepMs: ResolutionMs, atMs: number): number {
    return this.store.value(classId, figure, stepMs, atMs);
  }

  /** The classes there are; those that ended too, while something is kept of them. */
  classes(): readonly (ClassInfo & {
    readonly sinceMs: number;
    readonly lastMs: number;
    readonly ended: boolean;
  })[] {
    return [...this.store.table.all()].map(({ info, sinceMs, lastMs, endMs }) => ({
      ...info,
      sinceMs,
      lastMs,
      ended: Number.isFinite(endMs),
    }));
  }

  has(classId: string): boolean {
    return this.store.table.get(classId) !== undefined;
  }

  /** To be called at the end of every step (second): packs, writes and forgets what is due. Never throws. */
  closeStep(nowMs: number): void {
    if (Math.abs(nowMs - this.lastNowMs) > JUMP_MS) this.steadySinceMs = nowMs;
    this.lastNowMs = nowMs;
    this.store.seal(nowMs);
    this.writeDue(nowMs);
    if (Math.abs(nowMs - this.lastPruneMs) >= PRUNE_MS) {
      this.lastPruneMs = nowMs;
      this.forget(nowMs);
    }
  }

  /** Writes all that changed. Never throws. */
  flush(nowMs: number): void {
    this.write(nowMs, ALL);
  }

  /** How it is. */
  state(): HistoryState {
    return {
      path: this.options.path,
      persistent: this.tables !== undefined && this.error === undefined,
      error: this.error,
      movedAside: this.movedAside,
      classes: this.store.table.size,
      memoryBytes: this.store.bytes(),
      fileBytes: this.fileBytes(),
      lastFlushMs: this.lastFlushMs,
      pendingRecords: this.records.pendingWrites,
      totals: { ...this.store.totals },
    };
  }

  /** Writes what is left and closes the file. */
  close(nowMs: number): void {
    this.retryAtMs = nowMs;
    this.write(nowMs, ALL, 0);
    this.file.close();
  }

  /** Writes so many parts that each is written once in a flush interval. */
  private writeDue(nowMs: number): void {
    // A clock that stepped back would put the next writing far off.
    this.writtenMs = Math.min(this.writtenMs, nowMs);
    const due = Math.floor(((nowMs - this.writtenMs) * PARTS) / this.options.flushMs + 0.2);
    if (due < 1) return;
    this.write(nowMs, { first: this.nextPart, count: Math.min(PARTS, due), of: PARTS });
    this.nextPart = (this.nextPart + due) % PARTS;
  }

  private write(nowMs: number, part: Part, lastSeenMs?: number): void {
    this.writtenMs = nowMs;
    if (this.options.path === undefined) return;
    if (this.tables === undefined) {
      if (nowMs >= this.retryAtMs || nowMs < this.retryAtMs - RETRY_MS.last) this.openFile(nowMs);
      if (this.tables === undefined) return;
    }
    const evicted = this.store.removals().evicted;
    this.evictedUnwritten.push(...evicted);
    if (this.error !== undefined && nowMs < this.retryAtMs && nowMs >= this.retryAtMs - RETRY_MS.last) return;
    const { tables } = this;
    // A file that failed works again only when it takes all that waits, not just a part that happens to fit.
    const which = this.error === undefined ? part : ALL;
    this.attempt(nowMs, () => {
      tables.write(this.store, this.evictedUnwritten, which, lastSeenMs);
      this.records.flush();
    });
    if (this.error === undefined) {
      this.evictedUnwritten.length = 0;
      this.lastFlushMs = nowMs;
    }
  }

  private newStore(): SeriesStore {
    const loader: ChunkLoader = (block, stepMs, fromMs, toMs) => {
      if (this.tables === undefined) return [];
      try {
        return this.tables.loader(block, stepMs, fromMs, toMs);
      } catch (thrown) {
        this.fail(TidegateError.from(thrown), this.lastNowMs);
        return [];
      }
    };
    const { classesMax, lateMs } = this.options;
    return new SeriesStore({ levels: this.levels, classesMax, lateMs }, loader);
  }

  /** Opens the file, takes what it holds, and joins it with what was seen meanwhile. */
  private openFile(nowMs: number): void {
    const path = this.options.path as string;
    try {
      this.join(path, nowMs);
    } catch (thrown) {
      const error = TidegateError.from(thrown);
      if (error.code !== 'TG_HISTORY_CORRUPT') {
        this.fail(error, nowMs);
        return;
      }
      this.attempt(nowMs, () => {
        this.moveAside(error, path, nowMs);
        this.join(path, nowMs);
      });
    }
  }

  /** @throws TidegateError TG_HISTORY_*; everything is as it was then. */
  private join(path: string, nowMs: number): void {
    const file = HistoryFile.open(path);
    const tables = new SeriesTables(file, this.levels);
    try {
      file.limit(this.options.fileMaxBytes);
      this.tables = tables;
      const store = this.newStore();
      tables.restore(store, nowMs, this.options.lateMs);
      adoptSeries(store, this.store, this.levels);
      store.continueFrom(this.store);
      this.store = store;
    } catch (thrown) {
      this.tables = undefined;
      file.close();
      throw thrown;
    }
    const memory = this.file;
    this.file = file;
    this.records.moveTo(file, true);
    memory.close();
    this.recover();
  }

  private moveAside(error: TidegateError, path: string, nowMs: number): void {
    this.movedAside = HistoryFile.moveAside(path, nowMs);
    this.options.onFileState?.(
      new TidegateError('TG_HISTORY_CORRUPT', `${error.message}; moved to ${this.movedAside}`),
    );
  }

  private attempt(nowMs: number, work: () => void): void {
    try {
      work();
      this.recover();
    } catch (thrown) {
      this.fail(TidegateError.from(thrown), nowMs);
    }
  }

  private recover(): void {
    this.retryMs = RETRY_MS.first;
    if (this.error === undefined) return;
    this.error = undefined;
    this.options.onFileState?.(undefined);
  }

  private fail(error: TidegateError, nowMs: number): void {
    const again = this.error !== undefined;
    this.error = error;
    this.retryAtMs = nowMs + this.retryMs;
    this.retryMs = Math.min(RETRY_MS.last, again ? 2 * this.retryMs : this.retryMs);
    if (error.code === 'TG_HISTORY_CORRUPT' && this.tables !== undefined) this.replaceDamaged(error, nowMs);
    else if (!again) this.options.onFileState?.(error);
  }

  /** Begins a new file in the place of one that turned out to be damaged, with all that is in memory. */
  private replaceDamaged(damage: TidegateError, nowMs: number): void {
    const path = this.options.path as string;
    this.tables = undefined;
    this.file.close();
    try {
      this.moveAside(damage, path, nowMs);
      this.file = HistoryFile.open(path);
      this.file.limit(this.options.fileMaxBytes);
      this.tables = new SeriesTables(this.file, this.levels);
      this.store.forgetWritten();
    } catch (thrown) {
      this.error = TidegateError.from(thrown);
      this.file = HistoryFile.open(IN_MEMORY);
    }
    this.records.moveTo(this.file, false);
  }

  /** Drops from memory and file what is older than it is kept, and what memory has no room for. */
  private forget(nowMs: number): void {
    if (nowMs - this.steadySinceMs >= STEADY_MS) {
      for (const level of this.levels) this.store.drop(level.stepMs, nowMs - level.retentionMs, false);
      if (this.error === undefined) {
        this.attempt(nowMs, () => {
          this.tables?.prune(nowMs);
          this.records.prune(nowMs);
        });
      }
    }
    if (this.tables !== undefined) {
      for (const level of this.levels) {
        const keptMs = level.stepMs <= IN_MEMORY_STEP_MS ? level.retentionMs : chunkMs(level);
        this.store.drop(level.stepMs, nowMs - keptMs, true);
      }
    }
    for (let turn = 0; turn < SHRINKS_MAX && this.store.bytes() > this.options.memoryMaxBytes; turn += 1)
      this.store.shrink(nowMs);
  }

  private fileBytes(): number {
    try {
      return this.tables === undefined ? 0 : this.file.bytes();
    } catch {
      return 0;
    }
  }
}
