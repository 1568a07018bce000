/** History over restarts, crashes and failing files: nothing written is lost, and it never stops. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COUNTS, type ClassInfo, type ObservationBatch } from '../../src/core/observation';
import { RESOLUTIONS_MS, type ResolutionMs } from '../../src/core/series';
import { History, type HistoryOptions } from '../../src/history/history';
import { HistoryFile } from '../../src/history/history-file';
import { DEFAULT_RETENTION } from '../../src/series/levels';

const BEGIN_MS = 1_699_999_200_000;
let folder: string;
let sequence = 0;
const opened: History[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-history-'));
});
afterEach(() => {
  for (const one of opened.splice(0)) one.close(BEGIN_MS);
  rmSync(folder, { recursive: true, force: true });
});

const path = (): string => join(folder, 'history.db');
function open(nowMs: number, more: Partial<HistoryOptions> = {}): History {
  const history = new History(
    {
      path: path(),
      retention: DEFAULT_RETENTION,
      flushMs: 10_000,
      classesMax: 1_000,
      lateMs: 30_000,
      memoryMaxBytes: 500e6,
      fileMaxBytes: 4e9,
      ...more,
    },
    nowMs,
  );
  opened.push(history);
  return history;
}
const rule = (id: string): ClassInfo => ({ id, kind: 'rule', service: 's' });
function batch(atMs: number, rows: Record<string, number>): ObservationBatch {
  const ids = Object.keys(rows);
  sequence += 1;
  return {
    source: 'one',
    sequence,
    atMs,
    stepMs: 1_000,
    added: ids.map(rule),
    classes: ids,
    counts: Float64Array.from(
      ids.flatMap((id) => COUNTS.map((_, column) => (column === 0 ? (rows[id] ?? 0) : 0))),
    ),
  };
}
/** Feeds seconds [from, to): class a gets the second's number, class b one every third. */
function feed(history: History, from: number, to: number): void {
  for (let second = from; second < to; second += 1) {
    const nowMs = BEGIN_MS + second * 1_000;
    history.take(batch(nowMs, { a: second, ...(second % 3 === 0 ? { b: 1.25 } : {}) }), nowMs);
    history.closeStep(nowMs + 1_000);
  }
}
const all = (history: History, count: number) =>
  ['a', 'b'].map((id) =>
    RESOLUTIONS_MS.map((stepMs) => [
      ...history.series(
        id,
        'arrivals',
        stepMs,
        BEGIN_MS,
        BEGIN_MS + Math.ceil((count * 1_000) / stepMs) * stepMs,
      ).values,
    ]),
  );
const sum = (history: History, id: string, stepMs: ResolutionMs, steps: number): number =>
  history
    .series(id, 'arrivals', stepMs, BEGIN_MS, BEGIN_MS + steps * stepMs)
    .values.reduce((total, value) => total + (Number.isNaN(value) ? 0 : value), 0);

describe('a restart', () => {
  test('gives everything back exactly, open steps included, and goes on adding to them', () => {
    const whole = open(BEGIN_MS, { path: join(folder, 'whole.db') });
    feed(whole, 0, 1_500);
    const first = open(BEGIN_MS);
    feed(first, 0, 765);
    const before = all(first, 765);
    first.close(BEGIN_MS + 765_000);
    const second = open(BEGIN_MS + 765_000);
    expect(all(second, 765)).toEqual(before);
    expect(second.classes()).toEqual(first.classes());
    feed(second, 765, 1_500);
    expect(all(second, 1_500)).toEqual(all(whole, 1_500));
    second.close(BEGIN_MS + 1_500_000);
    expect(all(open(BEGIN_MS + 1_500_000), 1_500)).toEqual(all(whole, 1_500));
  });

  test('leaves the time that it took missing', () => {
    const first = open(BEGIN_MS);
    feed(first, 0, 20);
    first.close(BEGIN_MS + 20_000);
    const second = open(BEGIN_MS + 25_000);
    feed(second, 25, 30);
    expect([...second.series('b', 'arrivals', 1_000, BEGIN_MS + 17_000, BEGIN_MS + 30_000).values]).toEqual([
      0,
      1.25,
      0,
      NaN,
      NaN,
      NaN,
      NaN,
      NaN,
      0,
      0,
      1.25,
      0,
      0,
    ]);
  });

  test('by a kill loses at most what came since the last write', async () => {
    const child = spawn(
      process.execPath,
      ['-r', join(__dirname, 'typescript-hook.cjs'), join(__dirname, 'feeder.ts'), path()],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const seconds = await new Promise<number>((done) => {
      child.stdout.on('data', (chunk: Buffer) => {
        const lines = chunk.toString().trim().split('\n');
        const last = Number(lines.at(-1));
        if (last < 95) return;
        child.kill('SIGKILL');
        child.once('exit', () => done(last));
      });
    });
    const again = open(BEGIN_MS + seconds * 1_000);
    expect(again.state().persistent).toBe(true);
    const kept = again.series('a', 'arrivals', 1_000, BEGIN_MS, BEGIN_MS + seconds * 1_000).values;
    const lost = kept.filter(Number.isNaN).length;
    expect(lost).toBeLessThanOrEqual(10);
    expect([...kept.subarray(0, kept.length - lost)]).toEqual(
      Array.from({ length: kept.length - lost }, (_, second) => second),
    );
    const total = ((kept.length - lost) * (kept.length - lost - 1)) / 2;
    for (const stepMs of RESOLUTIONS_MS) expect(sum(again, 'a', stepMs, 3_600_000 / stepMs)).toBe(total);
  });
});

describe('the file', () => {
  test('can be read by its owner alone', () => {
    feed(open(BEGIN_MS), 0, 11);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['no database', () => writeFileSync(path(), 'x'.repeat(10_000))],
    [
      'a damaged one',
      () => {
        const history = open(BEGIN_MS);
        feed(history, 0, 200);
        history.close(BEGIN_MS + 200_000);
        const bytes = readFileSync(path());
        bytes.fill(0xa5, 0, 4_096);
        writeFileSync(path(), bytes);
      },
    ],
  ])('that is %s is moved aside, and a new one begun', (_name, damage) => {
    damage();
    const bytes = readFileSync(path());
    const told: (string | undefined)[] = [];
    const history = open(BEGIN_MS + 300_000, { onFileState: (error) => told.push(error?.code) });
    const { persistent, movedAside } = history.state();
    expect(persistent).toBe(true);
    expect(readFileSync(movedAside ?? '')).toEqual(bytes);
    expect(told).toEqual(['TG_HISTORY_CORRUPT']);
    feed(history, 300, 311);
    expect(history.state()).toMatchObject({ persistent: true, classes: 2 });
  });

  test('that turns out to be damaged later is moved aside, and what memory holds is written anew', () => {
    const history = open(BEGIN_MS);
    feed(history, 0, 100);
    history.close(BEGIN_MS + 100_000);
    const bytes = readFileSync(path());
    // Past the first pages: the schema is whole, the rows are not.
    bytes.fill(0xa5, 8_192);
    writeFileSync(path(), bytes);
    const again = open(BEGIN_MS + 100_000);
    feed(again, 100, 160);
    expect(again.state()).toMatchObject({ error: undefined, persistent: true });
    expect(again.state().movedAside).toMatch(/damaged-/);
    again.close(BEGIN_MS + 160_000);
    const third = open(BEGIN_MS + 160_000);
    expect([...third.series('a', 'arrivals', 1_000, BEGIN_MS + 130_000, BEGIN_MS + 133_000).values]).toEqual([
      130, 131, 132,
    ]);
  });

  test('that has no room left degrades to memory, says so, and takes all once there is room', () => {
    const told: (string | undefined)[] = [];
    const file = jest.spyOn(HistoryFile.prototype, 'limit');
    const history = open(BEGIN_MS, {
      fileMaxBytes: 60 * 4_096,
      onFileState: (error) => told.push(error?.code),
    });
    const held = file.mock.contexts[0] as HistoryFile;
    file.mockRestore();
    for (let second = 0; second < 400; second += 1) {
      const nowMs = BEGIN_MS + second * 1_000;
      const rows = Object.fromEntries(
        Array.from({ length: 300 }, (_, index) => [`c${index}`, (second * index * 7_919) % 10_007]),
      );
      history.take(batch(nowMs, rows), nowMs);
      history.closeStep(nowMs + 1_000);
    }
    expect(told).toEqual(['TG_HISTORY_FULL']);
    expect(history.state()).toMatchObject({ persistent: false, error: { code: 'TG_HISTORY_FULL' } });
    expect(sum(history, 'c5', 1_000, 400)).toBe(sum(history, 'c5', 10_000, 40));
    const expected = sum(history, 'c5', 1_000, 400);
    held.limit(1e9);
    for (let second = 400; second < 800; second += 1) history.closeStep(BEGIN_MS + second * 1_000);
    expect(told).toEqual(['TG_HISTORY_FULL', undefined]);
    history.close(BEGIN_MS + 800_000);
    const again = open(BEGIN_MS + 800_000);
    expect(sum(again, 'c5', 1_000, 400)).toBe(expected);
    expect(sum(again, 'c5', 60_000, 10)).toBe(expected);
  });

  test('that another process holds is left to it; once that is gone, what came meanwhile is joined with it', () => {
    const first = open(BEGIN_MS);
    feed(first, 0, 30);
    const second = open(BEGIN_MS + 30_000);
    expect(second.state()).toMatchObject({ persistent: false, error: { code: 'TG_HISTORY_IN_USE' } });
    feed(second, 30, 40);
    first.close(BEGIN_MS + 30_000);
    feed(second, 40, 100);
    expect(second.state().persistent).toBe(true);
    expect([...second.series('a', 'arrivals', 1_000, BEGIN_MS, BEGIN_MS + 100_000).values]).toEqual(
      Array.from({ length: 100 }, (_, index) => index),
    );
    for (const stepMs of RESOLUTIONS_MS) expect(sum(second, 'a', stepMs, 3_600_000 / stepMs)).toBe(4_950);
    second.close(BEGIN_MS + 100_000);
    expect(sum(open(BEGIN_MS + 100_000), 'a', 60_000, 60)).toBe(4_950);
  });

  test('of a later version is left alone', () => {
    const file = HistoryFile.open(path());
    file.run('PRAGMA user_version=99');
    file.close();
    expect(open(BEGIN_MS).state()).toMatchObject({
      persistent: false,
      error: { code: 'TG_HISTORY_VERSION' },
    });
    expect(existsSync(path())).toBe(true);
    expect(readdirSync(folder).filter((name) => name.includes('damaged'))).toEqual([]);
  });

  test.each([['/proc/nowhere/history.db'], ['/dev/full/history.db']])(
    'that cannot be made at %s degrades to memory',
    (bad) => {
      const history = open(BEGIN_MS, { path: bad });
      feed(history, 0, 50);
      expect(history.state()).toMatchObject({ persistent: false, error: { code: 'TG_HISTORY_UNAVAILABLE' } });
      expect(sum(history, 'a', 60_000, 1)).toBe(1_225);
    },
  );

  test('that is a directory degrades to memory', () => {
    const history = open(BEGIN_MS, { path: folder });
    expect(history.state()).toMatchObject({ persistent: false, error: { code: 'TG_HISTORY_UNAVAILABLE' } });
  });
});

describe('retention', () => {
  const retention = { 1_000: 60_000, 10_000: 600_000, 60_000: 1_200_000, 600_000: 86_400_000 } as const;

  test('forgets each level when its time has come, in the file too', () => {
    const history = open(BEGIN_MS, { retention });
    feed(history, 0, 3_000);
    const seen = (stepMs: ResolutionMs, from: number, steps: number) => [
      ...history.series(
        'a',
        'arrivals',
        stepMs,
        BEGIN_MS + from * 1_000,
        BEGIN_MS + from * 1_000 + steps * stepMs,
      ).values,
    ];
    expect(seen(1_000, 2_700, 10).every(Number.isNaN)).toBe(true);
    expect(seen(1_000, 2_950, 3)).toEqual([2_950, 2_951, 2_952]);
    expect(seen(10_000, 1_000, 10).every(Number.isNaN)).toBe(true);
    expect(seen(10_000, 2_500, 1)).toEqual([25_045]);
    expect(seen(600_000, 0, 1)).toEqual([179_700]);
    history.close(BEGIN_MS + 3_000_000);
    const file = HistoryFile.open(path());
    const rows = file.rows('SELECT step_ms, min(start_ms) FROM chunks GROUP BY step_ms ORDER BY step_ms');
    file.close();
    expect(
      rows.map(([stepMs, startMs]) => [
        stepMs,
        Number(startMs) >= BEGIN_MS + 3_000_000 - retention[stepMs as ResolutionMs] - 2_700_000,
      ]),
    ).toEqual(RESOLUTIONS_MS.map((stepMs) => [stepMs, true]));
    expect(Number(rows[0]?.[1])).toBeGreaterThan(BEGIN_MS + 2_800_000);
  });

  test('waits for a clock that jumped to run evenly: a wrong hour costs nothing that was written', () => {
    const history = open(BEGIN_MS);
    feed(history, 0, 700);
    const year = 365 * 86_400_000;
    for (let second = 0; second < 100; second += 1) history.closeStep(BEGIN_MS + year + second * 1_000);
    history.closeStep(BEGIN_MS + 800_000);
    history.close(BEGIN_MS + 801_000);
    expect(sum(open(BEGIN_MS + 801_000), 'a', 60_000, 12)).toBe((700 * 699) / 2);
  });
});

describe('without a file', () => {
  test('everything is there but the persistence', () => {
    const history = new History(
      {
        retention: DEFAULT_RETENTION,
        flushMs: 10_000,
        classesMax: 10,
        lateMs: 30_000,
        memoryMaxBytes: 1e8,
        fileMaxBytes: 1e9,
      },
      BEGIN_MS,
    );
    opened.push(history);
    feed(history, 0, 200);
    expect(sum(history, 'a', 600_000, 1)).toBe(19_900);
    history.records.addEvent({ atMs: BEGIN_MS, kind: 'anomaly', classId: 'a', data: { score: 3 } });
    expect(history.records.events()).toHaveLength(1);
    expect(history.state()).toMatchObject({ persistent: false, error: undefined, path: undefined });
  });

  test('memory stays within its bound: the oldest goes first', () => {
    const history = open(BEGIN_MS, { path: '/proc/nowhere/x.db', memoryMaxBytes: 6_000_000 });
    for (let second = 0; second < 3_000; second += 1) {
      const nowMs = BEGIN_MS + second * 1_000;
      const rows = Object.fromEntries(
        Array.from({ length: 100 }, (_, index) => [`c${index}`, Math.sqrt(second * index)]),
      );
      history.take(batch(nowMs, rows), nowMs);
      history.closeStep(nowMs + 1_000);
    }
    expect(history.state().memoryBytes).toBeLessThan(7_000_000);
    expect(history.value('c4', 'arrivals', 1_000, BEGIN_MS + 2_500_000)).toBeCloseTo(100);
  });
});

test('nothing else is left lying about', () => {
  const history = open(BEGIN_MS);
  feed(history, 0, 30);
  history.close(BEGIN_MS + 30_000);
  expect(readdirSync(folder)).toEqual(['history.db']);
  chmodSync(path(), 0o644);
  open(BEGIN_MS + 30_000).close(BEGIN_MS + 30_000);
  expect(statSync(path()).mode & 0o777).toBe(0o600);
  expect(spawnSync('head', ['-c', '15', path()]).stdout.toString()).toBe('SQLite format 3');
});
