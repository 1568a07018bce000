/** History written to a real InfluxDB and read back from it. */
import { COUNTS, type ClassInfo } from '../../src/core/observation';
import { backfill, influxSource } from '../../src/history/backfill';
import { History } from '../../src/history/history';
import { historyLines } from '../../src/history/history-lines';
import { InfluxWriter } from '../../src/history/influx-writer';
import { InfluxClient } from '../../src/remote/influx-client';
import { DEFAULT_RETENTION } from '../../src/series/levels';
import { type InfluxServer, startInflux } from '../parts/influx-server';

const BEGIN_MS = 1_760_000_400_000;
const MINUTES = 20;
const END_MS = BEGIN_MS + MINUTES * 60_000;
// Names with everything that the line protocol has a meaning for.
const info: ClassInfo = { id: 'domain|a=b, c\\"d" é\\', kind: 'key', service: 'shop' };
let server: InfluxServer;
let client: InfluxClient;

const history = () =>
  new History(
    {
      retention: DEFAULT_RETENTION,
      flushMs: 10_000,
      classesMax: 100,
      lateMs: 30_000,
      memoryMaxBytes: 1e8,
      fileMaxBytes: 1e9,
    },
    BEGIN_MS,
  );

beforeAll(async () => {
  server = await startInflux();
  client = new InfluxClient(
    { url: server.url, timeoutMs: 10_000, maxBytes: 10_000_000 },
    { version: 1, database: server.database },
  );
});
afterAll(() => server.stop());

test.each([true, false])('what is written, compressed: %p, comes back as it was', async (compress) => {
  const from = history();
  const states: unknown[] = [];
  const writer = new InfluxWriter({
    client,
    compress,
    queueMax: 1_000,
    batchLines: 7,
    onState: (error) => states.push(error),
  });
  for (let minute = 0; minute < MINUTES; minute += 1) {
    const atMs = BEGIN_MS + minute * 60_000;
    const counts = Float64Array.from(COUNTS.map((_, column) => minute * 10 + column));
    from.take(
      { source: 's', sequence: minute + 1, atMs, stepMs: 1_000, added: [info], classes: [info.id], counts },
      atMs,
    );
    writer.push(historyLines(from, 60_000, atMs));
  }
  while (writer.waiting > 0) {
    writer.turn(END_MS);
    await writer.settled();
  }
  expect(states).toEqual([]);
  expect(writer.totals).toEqual({ written: MINUTES, refused: 0, dropped: 0 });

  const into = history();
  const results = await backfill(
    into,
    influxSource(client),
    COUNTS.map((figure) => ({
      class: info,
      figure,
      query: `SELECT sum("${figure}") FROM tidegate_class WHERE service = 'shop' AND time >= $fromms AND time < $toms GROUP BY time($step), class fill(none)`,
    })),
    { fromMs: BEGIN_MS, toMs: END_MS, stepMs: 60_000 },
    () => END_MS,
  );
  expect(results).toEqual([{ classId: info.id, found: MINUTES, filled: MINUTES }]);
  for (const figure of COUNTS) {
    const read = (one: History) => [...one.series(info.id, figure, 60_000, BEGIN_MS, END_MS).values];
    expect(read(into)).toEqual(read(from));
  }
  from.close(END_MS);
  into.close(END_MS);
});

test('the names of classes survive', async () => {
  const [series] = await client.query('SELECT arrivals FROM tidegate_class GROUP BY class LIMIT 1');
  expect(series?.labels.class).toBe('domain|a=b, c\\"d" é');
});

test('a query that it does not take is a coded error', async () => {
  await expect(client.query('SELEKT')).rejects.toMatchObject({ code: 'TG_SOURCE_QUERY' });
});

test('lines that it does not take are refused for good, and said; the next ones are written', async () => {
  const states: (string | undefined)[] = [];
  const writer = new InfluxWriter({
    client,
    compress: false,
    queueMax: 10,
    batchLines: 1,
    onState: (error) => states.push(error?.code),
  });
  writer.push(['no line', `fine value=1 ${BEGIN_MS}`]);
  for (const nowMs of [0, 1]) {
    writer.turn(nowMs);
    await writer.settled();
  }
  expect(states).toEqual(['TG_SOURCE_REPLY', undefined]);
  expect(writer.totals).toEqual({ written: 1, refused: 1, dropped: 0 });
});
