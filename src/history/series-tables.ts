/** Classes and chunks of series as rows of the history file. */
import { z } from 'zod';
import type { ClassInfo } from '../core/observation';
import { chunkMs, type Level } from '../series/levels';
import type { ChunkLoader, SeriesStore } from '../series/series-store';
import type { KnownClass } from '../series/class-table';
import type { HistoryFile } from './history-file';

const infoSchema = z.object({
  id: z.string(),
  kind: z.enum(['rule', 'key', 'service', 'tenant', 'signal']),
  parent: z.string().exactOptional(),
  service: z.string().exactOptional(),
  tenant: z.string().exactOptional(),
  operation: z.string().exactOptional(),
});
/** How far the last sign of a class may have moved before it is written again, ms. */
const LAST_SEEN_MS = 300_000;
/** Rows that one call deletes at most. */
const DELETED_MAX = 1_000;
/** Pages given back to the file system at a time. */
const SHRUNK_PAGES = 256;

function parseInfo(text: string): ClassInfo | undefined {
  try {
    return infoSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Some of the blocks: those whose number leaves `first` and the `count` - 1 after it when divided by `of`. */
export interface Part {
  readonly first: number;
  readonly count: number;
  readonly of: number;
}

/** What is read and written of series. */
export class SeriesTables {
  private readonly saved = new WeakMap<
    KnownClass,
    Pick<KnownClass, 'info' | 'sinceMs' | 'endMs' | 'lastMs'>
  >();

  constructor(
    private readonly file: HistoryFile,
    private readonly levels: readonly Level[],
  ) {}

  /** Chunks that are not in memory. */
  readonly loader: ChunkLoader = (block, stepMs, fromMs, toMs) =>
    this.file
      .rows(
        'SELECT start_ms, data FROM chunks WHERE step_ms = ? AND block = ? AND start_ms BETWEEN ? AND ?',
        stepMs,
        block,
        fromMs,
        toMs,
      )
      .map((row) => ({ startMs: Number(row[0]), bytes: row[1] as Buffer }));

  /** Puts the classes back, and of their chunks those that something may still come for. */
  restore(store: SeriesStore, nowMs: number, lateMs: number): void {
    const [next] = this.file.rows("SELECT value FROM meta WHERE name = 'next_owner'");
    store.table.reserveOwners(Number(next?.[0] ?? 1));
    for (const row of this.file.rows(
      'SELECT owner, info, block, slot, since_ms, end_ms, last_ms FROM classes ORDER BY owner',
    )) {
      const info = parseInfo(String(row[1]));
      if (info === undefined) continue;
      const known = store.table.restore(info, {
        owner: Number(row[0]),
        block: Number(row[2]),
        slot: Number(row[3]),
        sinceMs: Number(row[4]),
        endMs: row[5] === null ? Infinity : Number(row[5]),
        lastMs: Number(row[6]),
      });
      if (known !== undefined) this.noteSaved(known);
    }
    for (const level of this.levels) {
      for (const row of this.file.rows(
        'SELECT block, start_ms, data FROM chunks WHERE step_ms = ? AND start_ms > ? AND start_ms <= ?',
        level.stepMs,
        nowMs - chunkMs(level) - lateMs,
        nowMs + lateMs,
      )) {
        const key = { block: Number(row[0]), stepMs: level.stepMs, startMs: Number(row[1]) };
        store.load(key, Uint8Array.from(row[2] as Buffer));
      }
    }
  }

  /**
   * Writes what changed of the classes and of a part of the blocks, in one transaction.
   * @param lastSeenMs how far the last sign of a class may have moved before it is written again.
   */
  write(store: SeriesStore, evicted: readonly string[], part: Part, lastSeenMs = LAST_SEEN_MS): void {
    const { first, count, of } = part;
    const changes = [...store.changes((block) => (block + of - first) % of < count)];
    const classes = [...store.table.all()].filter((known) => this.isUnsaved(known, lastSeenMs));
    this.file.transaction(() => {
      for (const id of evicted) this.file.run('DELETE FROM classes WHERE id = ?', id);
      for (const known of classes) this.writeClass(known);
      this.file.run("INSERT OR REPLACE INTO meta VALUES ('next_owner', ?)", store.table.ownersEnd);
      for (const { stepMs, block, startMs, bytes } of changes)
        this.file.run('INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?)', stepMs, block, startMs, bytes);
    });
    for (const change of changes) store.written(change);
    for (const known of classes) this.noteSaved(known);
  }

  /** Deletes some of what is older than its level keeps, and gives some room back to the file system. */
  prune(nowMs: number): void {
    let budget = DELETED_MAX;
    for (const level of this.levels) {
      if (budget <= 0) break;
      budget -= this.file.run(
        'DELETE FROM chunks WHERE rowid IN (SELECT rowid FROM chunks WHERE step_ms = ? AND start_ms <= ? LIMIT ?)',
        level.stepMs,
        nowMs - level.retentionMs - chunkMs(level),
        budget,
      );
    }
    this.file.shrink(SHRUNK_PAGES);
  }

  private writeClass(known: KnownClass): void {
    // An older row of the same class under another number would stand in the way.
    this.file.run('DELETE FROM classes WHERE id = ? AND owner <> ?', known.info.id, known.owner);
    this.file.run(
      'INSERT OR REPLACE INTO classes VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      known.owner,
      known.info.id,
      JSON.stringify(known.info),
      known.block.id,
      known.slot,
      known.sinceMs,
      Number.isFinite(known.endMs) ? known.endMs : null,
      known.lastMs,
    );
  }

  private isUnsaved(known: KnownClass, lastSeenMs: number): boolean {
    const saved = this.saved.get(known);
    return (
      saved === undefined ||
      saved.info !== known.info ||
      saved.sinceMs !== known.sinceMs ||
      saved.endMs !== known.endMs ||
      Math.abs(known.lastMs - saved.lastMs) > lastSeenMs
    );
  }

  private noteSaved(known: KnownClass): void {
    const { info, sinceMs, endMs, lastMs } = known;
    this.saved.set(known, { info, sinceMs, endMs, lastMs });
  }
}
