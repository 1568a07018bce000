/** Queries to Jaeger: server spans of a service read exactly; all else is an error with a code. */
import { TidegateError } from '../../src/core/errors';
import { JaegerClient } from '../../src/remote/jaeger-client';
import { SERVER_TAGS, startJaegerServer, type GivenSpan, type JaegerServer } from '../parts/jaeger-server';

const TO_MS = 1_800_000_000_000;
const FROM_MS = TO_MS - 60_000;
const QUERY = { service: 'shop', fromMs: FROM_MS, toMs: TO_MS, maxTraces: 20 };

let jaeger: JaegerServer;
const clients: JaegerClient[] = [];

beforeEach(async () => {
  jaeger = await startJaegerServer();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await jaeger.stop();
});

function client(more: Partial<ConstructorParameters<typeof JaegerClient>[0]> = {}): JaegerClient {
  const made = new JaegerClient({ url: jaeger.url, timeoutMs: 5_000, maxBytes: 100_000, ...more });
  clients.push(made);
  return made;
}
const span = (durationMs: number, more: Partial<GivenSpan> = {}): GivenSpan => ({
  service: 'shop',
  endMs: TO_MS - 1_000,
  durationMs,
  ...more,
});
const tagged = (key: string, value: unknown): Partial<GivenSpan> => ({
  tags: [...SERVER_TAGS, { key, value }],
});

describe('server spans', () => {
  test('are asked for by service and time, with the credentials', async () => {
    await client({ headers: { authorization: 'Bearer t' } }).serverSpans(QUERY);
    expect(jaeger.asked).toHaveLength(1);
    const [{ url, authorization } = { url: new URL('http://none'), authorization: '' }] = jaeger.asked;
    expect(url.pathname).toBe('/api/traces');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      service: 'shop',
      start: `${FROM_MS}000`,
      end: `${TO_MS}000`,
      lookback: '60s',
      limit: '20',
    });
    expect(authorization).toBe('Bearer t');
  });

  test('are those that the service was the server of, and that ended in time', async () => {
    jaeger.give(
      [span(10), span(20, { service: 'other' }), span(30, { tags: [{ key: 'span.kind', value: 'client' }] })],
      [span(40, { endMs: FROM_MS - 1 }), span(50, { endMs: TO_MS + 1 }), span(60, { tags: [] })],
      [span(70.5)],
    );
    expect(await client().serverSpans(QUERY)).toEqual([
      { durationMs: 10, failed: false },
      { durationMs: 70.5, failed: false },
    ]);
  });

  test.each([
    ['error', true, true],
    ['error', 'true', true],
    ['error', false, false],
    ['http.status_code', 500, true],
    ['http.status_code', '503', true],
    ['http.status_code', 499, false],
    ['http.response.status_code', 502, true],
    ['http.status_code', null, false],
    ['other', 500, false],
  ])('with %s = %p have failed: %p', async (key, value, failed) => {
    jaeger.give([span(1, tagged(key, value))]);
    expect(await client().serverSpans(QUERY)).toEqual([{ durationMs: 1, failed }]);
  });

  test.each([
    ['nothing known', '{"data":null,"total":0,"errors":null}'],
    ['an empty list', '{"data":[]}'],
    [
      'a span without tags',
      '{"data":[{"spans":[{"startTime":1,"duration":1,"processID":"p"}],"processes":{}}]}',
    ],
  ])('are none of %s', async (_what, body) => {
    jaeger.answer = (response) => response.end(body);
    expect(await client().serverSpans(QUERY)).toEqual([]);
  });

  test.each([
    [200, '<html>', 'TG_SOURCE_REPLY'],
    [200, '[]', 'TG_SOURCE_REPLY'],
    [200, '{"data":[{"spans":[{"startTime":"now"}],"processes":{}}]}', 'TG_SOURCE_REPLY'],
    [200, '{"data":null,"errors":[{"code":500,"msg":"storage"}]}', 'TG_SOURCE_REPLY'],
    [500, '{"data":null,"errors":[{"code":500,"msg":"storage"}]}', 'TG_SOURCE_REPLY'],
    [400, '{"data":null,"errors":[{"code":400,"msg":"parameter"}]}', 'TG_SOURCE_QUERY'],
    [401, 'who are you', 'TG_SOURCE_AUTH'],
    [403, '{"data":[]}', 'TG_SOURCE_AUTH'],
    [302, '', 'TG_SOURCE_REPLY'],
    [200, ' '.repeat(200_000), 'TG_SOURCE_TOO_LARGE'],
  ])('HTTP %d with %.60s is an error with a code', async (status, body, code) => {
    jaeger.answer = (response) => response.writeHead(status).end(body);
    const thrown = await client({ url: jaeger.url.replace('//', '//u:secret@') })
      .serverSpans(QUERY)
      .catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(TidegateError);
    expect((thrown as TidegateError).code).toBe(code);
    expect(String(thrown)).not.toContain('secret');
  });

  test('of a server that never answers, or is not there, are errors with a code', async () => {
    jaeger.answer = () => {};
    const slow = client({ timeoutMs: 30 }).serverSpans(QUERY);
    await expect(slow).rejects.toMatchObject({ code: 'TG_SOURCE_TIMEOUT' });
    const { url } = jaeger;
    await jaeger.stop();
    await expect(client({ url }).serverSpans(QUERY)).rejects.toMatchObject({
      code: 'TG_SOURCE_UNAVAILABLE',
    });
  });
});
