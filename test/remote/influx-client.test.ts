/** InfluxDB over HTTP: both versions' calls, and what goes wrong with them. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { readAnnotatedCsv } from '../../src/remote/annotated-csv';
import { InfluxClient, type InfluxTarget } from '../../src/remote/influx-client';

let server: Server;
let reply: { status: number; body: string; headers?: Record<string, string> };
let asked: { url: URL; headers: IncomingMessage['headers']; body: Buffer };

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked = {
        url: new URL(request.url ?? '', 'http://x'),
        headers: request.headers,
        body: Buffer.concat(chunks),
      };
      response.writeHead(reply.status, reply.headers).end(reply.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

const FIRST: InfluxTarget = { version: 1, database: 'd b' };
const SECOND: InfluxTarget = { version: 2, org: 'o', bucket: 'b&c' };
const client = (target: InfluxTarget) =>
  new InfluxClient(
    {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      headers: { authorization: 'Token s3cret' },
      timeoutMs: 2_000,
      maxBytes: 100_000,
    },
    target,
  );

describe('a write', () => {
  test.each([
    [FIRST, '/write', { db: 'd b', precision: 'ms' }],
    [SECOND, '/api/v2/write', { org: 'o', bucket: 'b&c', precision: 'ms' }],
  ])('of %p goes to %s', async (target, path, query) => {
    reply = { status: 204, body: '' };
    expect(await client(target).write('a value=1 1', true)).toBeUndefined();
    expect(asked.url.pathname).toBe(path);
    expect(Object.fromEntries(asked.url.searchParams)).toEqual(query);
    expect(asked.headers.authorization).toBe('Token s3cret');
    expect(asked.body.toString()).toBe('a value=1 1');
  });

  test('that is long is compressed, when that is asked for', async () => {
    reply = { status: 204, body: '' };
    const lines = 'a value=1 1\n'.repeat(500);
    await client(FIRST).write(lines, true);
    expect(asked.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(asked.body).toString()).toBe(lines);
    await client(FIRST).write(lines, false);
    expect(asked.body.toString()).toBe(lines);
  });

  test.each([
    [400, false, 'TG_SOURCE_REPLY'],
    [413, false, 'TG_SOURCE_REPLY'],
    [401, true, 'TG_SOURCE_AUTH'],
    [429, true, 'TG_SOURCE_REPLY'],
    [503, true, 'TG_SOURCE_REPLY'],
  ])('answered with %p is worth another try: %p', async (status, again, code) => {
    reply = { status, body: '{"error":"x"}', headers: { 'retry-after': '7' } };
    expect(await client(FIRST).write('a', false)).toMatchObject({
      again,
      retryAfterMs: 7_000,
      error: { code },
    });
  });
});

describe('a query of version 1', () => {
  test('gives the series with their tags; null and text are no values', async () => {
    reply = {
      status: 200,
      body: JSON.stringify({
        results: [
          {
            series: [
              {
                name: 'm',
                tags: { a: 'x' },
                columns: ['time', 'sum'],
                values: [
                  [1, 2.5],
                  [2, null],
                  [3, 'x'],
                  [4, -1],
                ],
              },
            ],
          },
        ],
      }),
    };
    expect(await client(FIRST).query('SELECT 1')).toEqual([
      {
        labels: { a: 'x' },
        points: [
          { atMs: 1, value: 2.5 },
          { atMs: 4, value: -1 },
        ],
      },
    ]);
    expect(Object.fromEntries(new URLSearchParams(asked.body.toString()))).toEqual({
      db: 'd b',
      q: 'SELECT 1',
      epoch: 'ms',
    });
  });

  test.each([
    [200, '{"results":[{"error":"database not found"}]}', 'TG_SOURCE_QUERY'],
    [400, '{"error":"error parsing query"}', 'TG_SOURCE_QUERY'],
    [401, '{"error":"unable to parse authentication credentials"}', 'TG_SOURCE_AUTH'],
    [500, 'oops', 'TG_SOURCE_REPLY'],
    [200, '[]', 'TG_SOURCE_REPLY'],
    [200, '{"results":[{"series":[{"columns":1}]}]}', 'TG_SOURCE_REPLY'],
    [200, 'x'.repeat(200_000), 'TG_SOURCE_TOO_LARGE'],
  ])('answered with %p %.40s is a coded error', async (status, body, code) => {
    reply = { status, body };
    await expect(client(FIRST).query('q')).rejects.toMatchObject({ code });
  });
});

describe('a query of version 2', () => {
  const csv = [
    '#datatype,string,long,dateTime:RFC3339,double,string',
    '#group,false,false,false,false,true',
    '#default,_result,,,,',
    ',result,table,_time,_value,class',
    ',,0,2025-10-09T08:20:00Z,1.5,"a ""b"", c"',
    ',,0,2025-10-09T08:21:00Z,,"a ""b"", c"',
    ',,0,2025-10-09T08:22:00.5Z,NaN,"a ""b"", c"',
    '',
    ',result,table,_time,_value,class',
    ',,1,2025-10-09T08:20:00Z,7,d',
    '',
  ].join('\r\n');

  test('gives the series with their labels', async () => {
    reply = { status: 200, body: csv };
    const atMs = Date.UTC(2025, 9, 9, 8, 20);
    expect(await client(SECOND).query('from(bucket: "b")')).toEqual([
      { labels: { class: 'a "b", c' }, points: [{ atMs, value: 1.5 }] },
      { labels: { class: 'd' }, points: [{ atMs, value: 7 }] },
    ]);
    expect(asked.url.searchParams.get('org')).toBe('o');
    expect(asked.headers['content-type']).toBe('application/vnd.flux');
    expect(asked.body.toString()).toBe('from(bucket: "b")');
  });

  test.each([
    [400, '{"code":"invalid","message":"x"}', 'TG_SOURCE_QUERY'],
    [401, '{}', 'TG_SOURCE_AUTH'],
    [200, '#datatype,string\r\n,error,reference\r\n,"failed to parse",897\r\n', 'TG_SOURCE_QUERY'],
    [200, '<html></html>', 'TG_SOURCE_REPLY'],
    [503, '', 'TG_SOURCE_REPLY'],
  ])('answered with %p %.30s is a coded error', async (status, body, code) => {
    reply = { status, body };
    await expect(client(SECOND).query('q')).rejects.toMatchObject({ code });
  });

  test('whatever text comes, reading it ends', () => {
    const text = fc.array(fc.constantFrom('"', ',', '\r', '\n', '#', '_time', '_value', 'error', '1', 'x'), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(text, (parts) => {
        const read = readAnnotatedCsv(parts.join(''));
        for (const { points } of read.series ?? [])
          for (const { value } of points) expect(Number.isFinite(value)).toBe(true);
      }),
    );
  });
});
