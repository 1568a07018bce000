/**
 * The embedded database (SQLite, through libsql) that history is kept in: opened for this process alone, with a
 * write-ahead log, so that a crash leaves what was last committed. Every failure is an error with a code.
 */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';
import { TidegateError } from '../core/errors';

/** Of the tables below; a file of a later version is left alone. */
const SCHEMA_VERSION = 1;
/** How long another process's lock is waited for, ms. */
const BUSY_MS = 200;

/** The path of a file that is in memory alone. */
export const IN_MEMORY = ':memory:';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS classes (
  owner INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, info TEXT NOT NULL, block INTEGER NOT NULL, slot INTEGER NOT NULL,
  since_ms INTEGER NOT NULL, end_ms INTEGER, last_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS chunks (
  step_ms INTEGER NOT NULL, block INTEGER NOT NULL, start_ms INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (step_ms, block, start_ms)
);
CREATE INDEX IF NOT EXISTS chunks_by_age ON chunks (step_ms, start_ms);
CREATE TABLE IF NOT EXISTS models (
  class TEXT NOT NULL, kind TEXT NOT NULL, version INTEGER NOT NULL, created_ms INTEGER NOT NULL,
  active INTEGER NOT NULL, state BLOB NOT NULL, PRIMARY KEY (class, kind, version)
);
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, class TEXT, data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_kind ON events (kind, at_ms);
CREATE INDEX IF NOT EXISTS events_by_age ON events (at_ms);
CREATE TABLE IF NOT EXISTS accuracy (
  class TEXT NOT NULL, measure TEXT NOT NULL, at_ms INTEGER NOT NULL, value REAL NOT NULL,
  PRIMARY KEY (class, measure, at_ms)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS accuracy_by_age ON accuracy (at_ms);
`;

/** A value that a statement takes. */
export type SqlValue = string | number | null | Uint8Array;
/** A row as its columns; bytes come as a Buffer. */
export type SqlRow = readonly (string | number | null | Buffer)[];

function sqliteCode(thrown: unknown): string {
  const code: unknown = thrown instanceof Error ? (thrown as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}

/** What went wrong, with the code for it. */
export function historyError(thrown: unknown, path: string): TidegateError {
  if (thrown instanceof TidegateError) return thrown;
  const message = `${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  const code = sqliteCode(thrown);
  const details = { cause: thrown };
  if (/FULL/.test(code)) return new TidegateError('TG_HISTORY_FULL', message, details);
  if (/BUSY|LOCKED/.test(code)) return new TidegateError('TG_HISTORY_IN_USE', message, details);
  if (/CORRUPT|NOTADB/.test(code)) return new TidegateError('TG_HISTORY_CORRUPT', message, details);
  return new TidegateError('TG_HISTORY_UNAVAILABLE', message, details);
}

/** Makes a folder and those above it. Not by mkdir's `recursive`, which never ends where none can be made, as in /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const above = dirname(folder);
  if (above !== folder) makeFolder(above);
  mkdirSync(folder, { mode: 0o700 });
}

/** A device or a pipe is no file, and must neither be waited for, nor hidden from others, nor moved aside as damaged. */
function refuseOthers(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== false) return;
  throw new TidegateError('TG_HISTORY_UNAVAILABLE', `${path}: it is no regular file`);
}

/** An open history file. */
export class HistoryFile {
  private readonly statements = new Map<string, Database.Statement>();

  private constructor(
    readonly path: string,
    private readonly database: Database.Database,
  ) {}

  /**
   * Opens the file, and makes it when there is none; nobody but its owner can read it.
   * @throws TidegateError TG_HISTORY_*; the file is as it was then.
   */
  static open(path: string): HistoryFile {
    let database: Database.Database | undefined;
    try {
      if (path !== IN_MEMORY) {
        makeFolder(dirname(path));
        refuseOthers(path);
        closeSync(openSync(path, 'a', 0o600));
        chmodSync(path, 0o600);
      }
      database = new Database(path, { timeout: BUSY_MS });
      const file = new HistoryFile(path, database);
      file.prepareSchema();
      return file;
    } catch (thrown) {
      database?.close();
      throw historyError(thrown, path);
    }
  }

  /**
   * Moves a damaged file aside, with its log, under a name that is free.
   * @returns where it is now.
   */
  static moveAside(path: string, nowMs: number): string {
    const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
    for (let count = 0; ; count += 1) {
      const aside = `${path}.damaged-${stamp}${count === 0 ? '' : `-${count}`}`;
      if (existsSync(aside)) continue;
      renameSync(path, aside);
      for (const log of ['-wal', '-shm'])
        if (existsSync(`${path}${log}`)) renameSync(`${path}${log}`, `${aside}${log}`);
      return aside;
    }
  }

  /** The rows of a query. @throws TidegateError TG_HISTORY_*. */
  rows(sql: string, ...values: readonly SqlValue[]): readonly SqlRow[] {
    return this.guarded(
      () =>
        this.prepare(sql)
          .raw()
          .all(...values) as SqlRow[],
    );
  }

  /** Runs a statement. @returns how many rows it changed. @throws TidegateError TG_HISTORY_*. */
  run(sql: string, ...values: readonly SqlValue[]): number {
    return this.guarded(() => this.prepare(sql).run(...values).changes);
  }

  /** Does all of it or nothing. @throws TidegateError TG_HISTORY_*. */
  transaction(work: () => void): void {
    this.guarded(() => {
      this.database.exec('BEGIN IMMEDIATE');
      try {
        work();
        this.database.exec('COMMIT');
      } catch (thrown) {
        // A full disk rolls back by itself.
        if (this.database.inTransaction) this.database.exec('ROLLBACK');
        throw thrown;
      }
    });
  }

  /** Gives up to so many free pages back to the file system. */
  shrink(pages: number): void {
    this.guarded(() => this.database.exec(`PRAGMA incremental_vacuum(${Math.floor(pages)})`));
  }

  /** How long the file is, bytes. */
  bytes(): number {
    const [pages] = this.rows('PRAGMA page_count');
    const [size] = this.rows('PRAGMA page_size');
    return Number(pages?.[0] ?? 0) * Number(size?.[0] ?? 0);
  }

  /** Bounds the length of the file; writing more fails with TG_HISTORY_FULL. */
  limit(bytes: number): void {
    const [size] = this.rows('PRAGMA page_size');
    this.guarded(() =>
      this.database.exec(
        `PRAGMA max_page_count=${Math.max(1, Math.floor(bytes / Number(size?.[0] ?? 4_096)))}`,
      ),
    );
  }

  /** Closes it, the log merged into the file. Never throws. */
  close(): void {
    this.statements.clear();
    try {
      // Statements that are not collected yet keep the connection, so the lock is given up by hand.
      this.database.exec('PRAGMA journal_mode=DELETE');
      this.database.exec('PRAGMA locking_mode=NORMAL');
      this.database.exec('SELECT count(*) FROM meta');
    } catch {
      // The log stays beside the file, and is read at the next opening.
    }
    try {
      this.database.close();
    } catch {
      // Closed already.
    }
  }

  private prepareSchema(): void {
    // The order matters: a new file takes its page handling before its first table, and the lock with the log.
    this.database.exec('PRAGMA auto_vacuum=INCREMENTAL');
    this.database.exec('PRAGMA locking_mode=EXCLUSIVE');
    this.database.exec('PRAGMA journal_mode=WAL');
    this.database.exec('PRAGMA synchronous=NORMAL');
    this.database.exec('PRAGMA journal_size_limit=16777216');
    const version = Number(this.rows('PRAGMA user_version')[0]?.[0] ?? 0);
    if (version > SCHEMA_VERSION) {
      throw new TidegateError(
        'TG_HISTORY_VERSION',
        `${this.path} is of version ${version}; this Tidegate knows ${SCHEMA_VERSION}`,
      );
    }
    this.transaction(() => {
      this.database.exec(SCHEMA);
      this.database.exec(`PRAGMA user_version=${SCHEMA_VERSION}`);
    });
  }

  private prepare(sql: string): Database.Statement {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  private guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      throw historyError(thrown, this.path);
    }
  }
}
