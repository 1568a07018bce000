/** Models, events and accuracy: kept over restarts, bounded, and written later where they cannot be now. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HistoryFile } from '../../src/history/history-file';
import { Records } from '../../src/history/records';
import { packState, unpackState } from '../../src/history/state-blob';

const AT_MS = 1_700_000_000_000;
let folder: string;
let file: HistoryFile;
let records: Records;
const failures: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-records-'));
  file = HistoryFile.open(join(folder, 'history.db'));
  failures.length = 0;
  records = new Records(file, (error) => failures.push(error.code));
});
afterEach(() => {
  file.close();
  rmSync(folder, { recursive: true, force: true });
});

const save = (level: number, active = true): number =>
  records.saveModel({
    classId: 'a',
    kind: 'minute',
    createdMs: AT_MS + level,
    active,
    state: { level, lags: Float64Array.of(1, NaN, -0) },
  });

describe('models', () => {
  test('come back as they were saved, typed arrays and all', () => {
    save(1);
    expect(records.model('a', 'minute')).toEqual({ level: 1, lags: Float64Array.of(1, NaN, -0) });
    expect(records.model('a', 'hour')).toBeUndefined();
  });

  test('are versions, one of which serves; any kept one can be made to again', () => {
    expect([save(1), save(2), save(3, false)]).toEqual([1, 2, 3]);
    expect(records.model('a', 'minute')).toMatchObject({ level: 2 });
    expect(records.activate('a', 'minute', 1)).toBe(true);
    expect(records.model('a', 'minute')).toMatchObject({ level: 1 });
    expect(records.activate('a', 'minute', 9)).toBe(false);
    expect(records.models('a').map(({ version, active }) => [version, active])).toEqual([
      [3, false],
      [2, false],
      [1, true],
    ]);
    records.updateModel('a', 'minute', 1, { level: 17 });
    expect(records.model('a', 'minute')).toEqual({ level: 17 });
  });

  test('of long ago are deleted, but never the one that serves', () => {
    save(1);
    for (let level = 2; level <= 20; level += 1) save(level, false);
    expect(records.models().map(({ version }) => version)).toEqual([20, 19, 18, 17, 16, 1]);
  });

  test.each([
    ['a bit that flipped', (bytes: Buffer) => (bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1)],
    ['another format', (bytes: Buffer) => (bytes[0] = 9)],
  ])('with %s are refused', (_name, damage) => {
    const bytes = packState({ level: 1 });
    damage(bytes);
    expect(() => unpackState(bytes)).toThrow(/saved model/);
    file.run('INSERT INTO models VALUES (?, ?, 1, 0, 1, ?)', 'a', 'minute', bytes);
    expect(() => records.model('a', 'minute')).toThrow(/saved model/);
  });

  test.each([0, 1, 16, 17, 30])('cut to %p bytes are refused', (length) => {
    expect(() => unpackState(packState({ level: 1, more: 'x'.repeat(50) }).subarray(0, length))).toThrow(
      /saved model/,
    );
  });
});

describe('events', () => {
  test('are found by kind, class and time, newest first', () => {
    for (let index = 0; index < 6; index += 1)
      records.addEvent({
        atMs: AT_MS + index,
        kind: index % 2 === 0 ? 'anomaly' : 'drift',
        ...(index < 4 ? { classId: "a'; DROP TABLE events" } : {}),
        data: { index },
      });
    const found = (query: Parameters<Records['events']>[0]) =>
      records.events(query).map(({ data }) => data.index);
    expect(found({})).toEqual([5, 4, 3, 2, 1, 0]);
    expect(found({ kind: 'anomaly' })).toEqual([4, 2, 0]);
    expect(found({ classId: "a'; DROP TABLE events" })).toEqual([3, 2, 1, 0]);
    expect(found({ fromMs: AT_MS + 1, toMs: AT_MS + 3 })).toEqual([2, 1]);
    expect(found({ limit: 2 })).toEqual([5, 4]);
    expect(records.events({ limit: 1 })[0]).toEqual({ atMs: AT_MS + 5, kind: 'drift', data: { index: 5 } });
  });

  test('are deleted after sixty days', () => {
    records.addEvent({ atMs: AT_MS, kind: 'alert', data: {} });
    records.addEvent({ atMs: AT_MS + 86_400_000, kind: 'alert', data: {} });
    records.putAccuracy('a', 'mase', AT_MS, 1);
    records.prune(AT_MS + 60 * 86_400_000 + 1);
    expect(records.events()).toHaveLength(1);
    expect(records.accuracy('a', 'mase', 0, AT_MS * 2)).toEqual([]);
  });
});

test('accuracy is a series; figures that are none are left out', () => {
  for (const [offset, value] of [
    [2, 0.5],
    [1, 0.25],
    [3, NaN],
    [4, Infinity],
    [2, 0.75],
  ] as const)
    records.putAccuracy('a', 'mase', AT_MS + offset, value);
  records.putAccuracy('b', 'mase', AT_MS + 1, 9);
  expect(records.accuracy('a', 'mase', AT_MS, AT_MS + 10)).toEqual([
    { atMs: AT_MS + 1, value: 0.25 },
    { atMs: AT_MS + 2, value: 0.75 },
  ]);
});

test('what a full file refuses is written in order once it has room', () => {
  const [pages] = file.rows('PRAGMA page_count');
  file.limit(Number(pages?.[0]) * 4_096);
  for (let index = 0; index < 50; index += 1)
    records.addEvent({ atMs: AT_MS + index, kind: 'k', data: { text: 'x'.repeat(500) } });
  expect(failures).toContain('TG_HISTORY_FULL');
  expect(records.pendingWrites).toBeGreaterThan(0);
  expect(() => records.flush()).toThrow(expect.objectContaining({ code: 'TG_HISTORY_FULL' }) as Error);
  file.limit(1e8);
  records.flush();
  expect(records.pendingWrites).toBe(0);
  expect(records.events().map(({ atMs }) => atMs)).toEqual(
    Array.from({ length: 50 }, (_, index) => AT_MS + 49 - index),
  );
});

test('what was kept in memory moves into the file', () => {
  const memory = HistoryFile.open(':memory:');
  const moving = new Records(memory, () => undefined);
  save(1);
  moving.saveModel({ classId: 'a', kind: 'minute', createdMs: 0, active: true, state: { level: 2 } });
  moving.addEvent({ atMs: AT_MS, kind: 'k', data: {} });
  moving.putAccuracy('a', 'm', AT_MS, 1);
  moving.moveTo(file, true);
  memory.close();
  expect(moving.model('a', 'minute')).toEqual({ level: 2 });
  expect(moving.models('a').map(({ version }) => version)).toEqual([2, 1]);
  expect(moving.events()).toHaveLength(1);
  expect(moving.accuracy('a', 'm', 0, AT_MS + 1)).toHaveLength(1);
});
