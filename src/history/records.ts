/**
 * What is kept beside series: versions of models, events (anomalies, drift, alerts, changes), and accuracy over time.
 * Writes that fail are kept, bounded, and tried again with the next flush.
 */
import { TidegateError } from '../core/errors';
import type { ModelState } from '../forecast/model/model';
import type { HistoryFile, SqlRow, SqlValue } from './history-file';
import { packState, unpackState } from './state-blob';

/** A version of a model of a class. */
export interface ModelVersion {
  readonly classId: string;
  readonly kind: string;
  /** Counts up from 1 for each class and kind. */
  readonly version: number;
  readonly createdMs: number;
  /** Whether it serves; one version of a class and kind at most. */
  readonly active: boolean;
}

/** Something that happened. */
export interface HistoryEvent {
  readonly atMs: number;
  /** Such as `anomaly`, `drift`, `alert`, `audit`. */
  readonly kind: string;
  readonly classId?: string;
  /** Plain data of JSON. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Which events; all where nothing is said. */
export interface EventQuery {
  readonly kind?: string;
  readonly classId?: string;
  readonly fromMs?: number;
  readonly toMs?: number;
  /** At most so many, the newest; 1,000 by default and 10,000 at most. */
  readonly limit?: number;
}

/** Versions of a class and kind that are kept; the active one always is. */
const VERSIONS_MAX = 5;
const EVENTS_MAX = 100_000;
const PENDING_MAX = 5_000;
const LIMIT_MAX = 10_000;
const DELETED_MAX = 1_000;
/** How long events and accuracy are kept, ms. */
const KEPT_MS = 60 * 86_400_000;

type Write = readonly [sql: string, values: readonly SqlValue[]];

const toVersion = (row: SqlRow): ModelVersion => ({
  classId: String(row[0]),
  kind: String(row[1]),
  version: Number(row[2]),
  createdMs: Number(row[3]),
  active: row[4] === 1,
});

/** The tables of records. */
export class Records {
  private pending: Write[] = [];
  /** By class and kind: versions that wait to be written count too. */
  private latestVersions = new Map<string, Map<string, number>>();

  constructor(
    private file: HistoryFile,
    private readonly onFailure: (error: TidegateError) => void,
  ) {}

  /** Writes that wait for the file to take them. */
  get pendingWrites(): number {
    return this.pending.length;
  }

  /** Goes on in another file, taking along what the one before held. */
  moveTo(file: HistoryFile, copy: boolean): void {
    const before = this.file;
    this.file = file;
    this.latestVersions.clear();
    if (!copy) return;
    for (const row of before.rows(
      'SELECT class, kind, created_ms, active, state FROM models ORDER BY version',
    ))
      this.insertModel(String(row[0]), String(row[1]), Number(row[2]), row[4] as Buffer, row[3] === 1);
    for (const row of before.rows('SELECT at_ms, kind, class, data FROM events ORDER BY id'))
      this.write('INSERT INTO events (at_ms, kind, class, data) VALUES (?, ?, ?, ?)', ...(row as SqlValue[]));
    for (const row of before.rows('SELECT class, measure, at_ms, value FROM accuracy'))
      this.write('INSERT OR REPLACE INTO accuracy VALUES (?, ?, ?, ?)', ...(row as SqlValue[]));
  }

  /** Keeps a model. @returns its version. */
  saveModel(model: {
    readonly classId: string;
    readonly kind: string;
    readonly createdMs: number;
    readonly state: ModelState;
    readonly active: boolean;
  }): number {
    return this.insertModel(model.classId, model.kind, model.createdMs, packState(model.state), model.active);
  }

  /** Replaces the state of a version, as when a model has learned; it stays active or not. */
  updateModel(classId: string, kind: string, version: number, state: ModelState): void {
    this.write(
      'UPDATE models SET state = ? WHERE class = ? AND kind = ? AND version = ?',
      packState(state),
      classId,
      kind,
      version,
    );
  }

  /** Deletes all versions of a class. */
  removeModels(classId: string): void {
    this.latestVersions.delete(classId);
    this.write('DELETE FROM models WHERE class = ?', classId);
  }

  /** The versions of a class, of all classes without one; newest first. */
  models(classId?: string): readonly ModelVersion[] {
    const sql = 'SELECT class, kind, version, created_ms, active FROM models';
    return classId === undefined
      ? this.rows(`${sql} ORDER BY class, kind, version DESC`).map(toVersion)
      : this.rows(`${sql} WHERE class = ? ORDER BY kind, version DESC`, classId).map(toVersion);
  }

  /**
   * The state of a version, of the active one without a number; undefined when there is none.
   * @throws TidegateError TG_FORECAST_BAD_STATE when it cannot be read.
   */
  model(classId: string, kind: string, version?: number): ModelState | undefined {
    const which = version === undefined ? 'active = 1' : 'version = ?';
    const values = version === undefined ? [classId, kind] : [classId, kind, version];
    const [row] = this.rows(`SELECT state FROM models WHERE class = ? AND kind = ? AND ${which}`, ...values);
    return row === undefined ? undefined : unpackState(row[0] as Buffer);
  }

  /** Makes a version the one that serves. @returns whether there is such a version. */
  activate(classId: string, kind: string, version: number): boolean {
    if (!this.models(classId).some((one) => one.kind === kind && one.version === version)) return false;
    this.write(
      'UPDATE models SET active = (version = ?) WHERE class = ? AND kind = ?',
      version,
      classId,
      kind,
    );
    return true;
  }

  /** Notes an event. */
  addEvent(event: HistoryEvent): void {
    this.write(
      'INSERT INTO events (at_ms, kind, class, data) VALUES (?, ?, ?, ?)',
      event.atMs,
      event.kind,
      event.classId ?? null,
      JSON.stringify(event.data),
    );
  }

  /** Events, newest first. */
  events(query: EventQuery = {}): readonly HistoryEvent[] {
    const limit = Math.min(LIMIT_MAX, Math.max(1, Math.floor(query.limit ?? 1_000)));
    return this.rows(
      `SELECT at_ms, kind, class, data FROM events WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR class = ?2)
       AND at_ms >= ?3 AND at_ms < ?4 ORDER BY at_ms DESC, id DESC LIMIT ?5`,
      query.kind ?? null,
      query.classId ?? null,
      query.fromMs ?? 0,
      query.toMs ?? Number.MAX_SAFE_INTEGER,
      limit,
    ).map((row) => ({
      atMs: Number(row[0]),
      kind: String(row[1]),
      ...(row[2] === null ? {} : { classId: String(row[2]) }),
      data: JSON.parse(String(row[3])) as Readonly<Record<string, unknown>>,
    }));
  }

  /** Keeps a measure of accuracy, such as `mase@60000`, at a time; figures that are not finite are left out. */
  putAccuracy(classId: string, measure: string, atMs: number, value: number): void {
    if (Number.isFinite(value))
      this.write('INSERT OR REPLACE INTO accuracy VALUES (?, ?, ?, ?)', classId, measure, atMs, value);
  }

  /** A measure over time, oldest first, the latest 10,000. */
  accuracy(
    classId: string,
    measure: string,
    fromMs: number,
    toMs: number,
  ): readonly { readonly atMs: number; readonly value: number }[] {
    return this.rows(
      'SELECT at_ms, value FROM accuracy WHERE class = ? AND measure = ? AND at_ms >= ? AND at_ms < ? ORDER BY at_ms DESC LIMIT ?',
      classId,
      measure,
      fromMs,
      toMs,
      LIMIT_MAX,
    )
      .map((row) => ({ atMs: Number(row[0]), value: Number(row[1]) }))
      .reverse();
  }

  /** Writes what waits. @throws TidegateError TG_HISTORY_*; it waits on then. */
  flush(): void {
    if (this.pending.length === 0) return;
    const writes = this.pending;
    this.file.transaction(() => {
      for (const [sql, values] of writes) this.file.run(sql, ...values);
    });
    this.pending = [];
  }

  /** Deletes some of what is old. @throws TidegateError TG_HISTORY_*. */
  prune(nowMs: number): void {
    const old = nowMs - KEPT_MS;
    this.file.run(
      'DELETE FROM events WHERE id IN (SELECT id FROM events WHERE at_ms < ? LIMIT ?)',
      old,
      DELETED_MAX,
    );
    this.file.run('DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?', EVENTS_MAX);
    this.file.run(
      'DELETE FROM accuracy WHERE (class, measure, at_ms) IN (SELECT class, measure, at_ms FROM accuracy WHERE at_ms < ? LIMIT ?)',
      old,
      DELETED_MAX,
    );
  }

  private insertModel(
    classId: string,
    kind: string,
    createdMs: number,
    state: Uint8Array,
    active: boolean,
  ): number {
    const [last] = this.rows('SELECT max(version) FROM models WHERE class = ? AND kind = ?', classId, kind);
    const latest = this.latestVersions.get(classId) ?? new Map<string, number>();
    const version = Math.max(Number(last?.[0] ?? 0), latest.get(kind) ?? 0) + 1;
    this.latestVersions.set(classId, latest.set(kind, version));
    this.write('INSERT INTO models VALUES (?, ?, ?, ?, 0, ?)', classId, kind, version, createdMs, state);
    if (active)
      this.write(
        'UPDATE models SET active = (version = ?) WHERE class = ? AND kind = ?',
        version,
        classId,
        kind,
      );
    this.write(
      'DELETE FROM models WHERE class = ? AND kind = ? AND active = 0 AND version <= ?',
      classId,
      kind,
      version - VERSIONS_MAX,
    );
    return version;
  }

  private rows(sql: string, ...values: readonly SqlValue[]): readonly SqlRow[] {
    try {
      return this.file.rows(sql, ...values);
    } catch (thrown) {
      this.onFailure(TidegateError.from(thrown));
      return [];
    }
  }

  private write(sql: string, ...values: readonly SqlValue[]): void {
    if (this.pending.length === 0) {
      try {
        this.file.run(sql, ...values);
        return;
      } catch (thrown) {
        this.onFailure(TidegateError.from(thrown));
      }
    }
    this.pending.push([sql, values]);
    if (this.pending.length > PENDING_MAX) this.pending.shift();
  }
}
