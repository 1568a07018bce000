/** Queries to Prometheus: right answers read exactly; all others are errors with a code, in bounded time and memory. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TidegateError } from '../../src/core/errors';
import { PrometheusClient, RANGE_STEPS_MAX } from '../../src/remote/prometheus-client';

type Answer = (request: IncomingMessage, body: URLSearchParams, response: ServerResponse) => void;

let server: Server;
let answer: Answer;
const asked: { path: string; authorization: string | undefined; form: URLSearchParams }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const form = new URLSearchParams(body);
      asked.push({ path: request.url ?? '', authorization: request.headers.authorization, form });
      answer(request, form, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(
  () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
);
beforeEach(() => {
  asked.length = 0;
});

const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const client = (
  more: Partial<{ url: string; timeoutMs: number; maxBytes: number; headers: Record<string, string> }> = {},
) => new PrometheusClient({ url: url(), timeoutMs: 5_000, maxBytes: 1_000_000, ...more });
const replies =
  (body: unknown, status = 200): Answer =>
  (_request, _form, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
const success = (data: unknown): Answer => replies({ status: 'success', data });

async function codeOf(call: Promise<unknown>): Promise<string> {
  const thrown: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(TidegateError);
  return (thrown as TidegateError).code;
}

describe('an instant query', () => {
  test('gives each series with its labels and time', async () => {
    answer = success({
      resultType: 'vector',
      result: [
        { metric: { __name__: 'up', instance: 'a:1' }, value: [1_700_000_000.123, '1.5e3'] },
        { metric: {}, value: [1_700_000_000, '-2'] },
      ],
    });
    expect(await client().query('up{x="ü&="}', 1_700_000_000_123)).toEqual([
      { labels: { __name__: 'up', instance: 'a:1' }, atMs: 1_700_000_000_123, value: 1_500 },
      { labels: {}, atMs: 1_700_000_000_000, value: -2 },
    ]);
    expect(asked[0]?.path).toBe('/api/v1/query');
    expect(asked[0]?.form.get('query')).toBe('up{x="ü&="}');
    expect(asked[0]?.form.get('time')).toBe('1700000000.123');
  });

  test('takes a scalar as a series without labels', async () => {
    answer = success({ resultType: 'scalar', result: [12, '7'] });
    expect(await client().query('scalar(x)')).toEqual([{ labels: {}, atMs: 12_000, value: 7 }]);
  });

  test.each(['NaN', '+Inf', '-Inf', '', ' 1', '0x10', 'Infinity', '1e999'])(
    'leaves out a value of %p',
    async (value) => {
      answer = success({ resultType: 'vector', result: [{ metric: {}, value: [1, value] }] });
      expect(await client().query('x')).toEqual([]);
    },
  );

  test('goes below the path of the URL, with the credentials of the URL', async () => {
    answer = success({ resultType: 'vector', result: [] });
    const { host } = new URL(url());
    const below = client({ url: `http://me:p%40ss@${host}/prometheus/` });
    await below.query('x');
    expect(asked[0]?.path).toBe('/prometheus/api/v1/query');
    expect(asked[0]?.authorization).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
    expect(below.name).toBe(`http://${host}/prometheus`);
  });
});

describe('a range query', () => {
  test(`is split into parts of at most ${RANGE_STEPS_MAX} steps, without a gap or a step twice`, async () => {
    answer = (_request, form, response) => {
      const values: [number, string][] = [];
      const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name)));
      expect((end! - start!) / step!).toBeLessThan(RANGE_STEPS_MAX);
      for (let at = start!; at <= end!; at += step!) values.push([at, String(at)]);
      replies({
        status: 'success',
        data: { resultType: 'matrix', result: [{ metric: { a: '1' }, values }] },
      })(_request, form, response);
    };
    const found = await client({ maxBytes: 10_000_000 }).queryRange(
      'x',
      60_000,
      60_000 + 24_999 * 10_000,
      10_000,
    );
    expect(asked).toHaveLength(3);
    expect(found).toHaveLength(1);
    expect(found[0]?.points.map((one) => one.atMs)).toEqual(
      Array.from({ length: 25_000 }, (_, index) => 60_000 + index * 10_000),
    );
  });

  test.each([
    [10, 5, 1],
    [0, 10, 0],
    [0, 10, NaN],
    [NaN, 10, 1],
    [0, 1e15, 1],
  ])('from %p to %p by %p is refused', async (from, to, step) => {
    expect(await codeOf(client().queryRange('x', from, to, step))).toBe('TG_SOURCE_QUERY');
    expect(asked).toEqual([]);
  });
});

describe('what goes wrong', () => {
  test.each<[string, Answer, string]>([
    [
      'a bad query',
      replies({ status: 'error', errorType: 'bad_data', error: 'parse error' }, 400),
      'TG_SOURCE_QUERY',
    ],
    [
      'a query timeout',
      replies({ status: 'error', errorType: 'timeout', error: 'x' }, 503),
      'TG_SOURCE_TIMEOUT',
    ],
    [
      'an internal error',
      replies({ status: 'error', errorType: 'internal', error: 'x' }, 500),
      'TG_SOURCE_REPLY',
    ],
    ['401', replies('no', 401), 'TG_SOURCE_AUTH'],
    ['403', replies('{}', 403), 'TG_SOURCE_AUTH'],
    ['a page of HTML', replies('<html>'), 'TG_SOURCE_REPLY'],
    ['an empty answer', replies(''), 'TG_SOURCE_REPLY'],
    ['null', replies('null'), 'TG_SOURCE_REPLY'],
    ['success without data', replies({ status: 'success' }), 'TG_SOURCE_REPLY'],
    ['a string', success({ resultType: 'string', result: [1, 'x'] }), 'TG_SOURCE_REPLY'],
    ['a matrix', success({ resultType: 'matrix', result: [] }), 'TG_SOURCE_REPLY'],
    [
      'a value that is no text',
      success({ resultType: 'vector', result: [{ metric: {}, value: [1, 2] }] }),
      'TG_SOURCE_REPLY',
    ],
    [
      'labels that are no text',
      success({ resultType: 'vector', result: [{ metric: { a: 1 }, value: [1, '2'] }] }),
      'TG_SOURCE_REPLY',
    ],
    ['a huge answer', replies('x'.repeat(2_000_000)), 'TG_SOURCE_TOO_LARGE'],
    ['silence', () => undefined, 'TG_SOURCE_TIMEOUT'],
    [
      'half an answer',
      (_q, _f, response) => {
        response.writeHead(200);
        response.write('{"status":');
      },
      'TG_SOURCE_TIMEOUT',
    ],
    ['a hang-up', (request) => request.socket.destroy(), 'TG_SOURCE_UNAVAILABLE'],
    [
      'a redirect',
      (_q, _f, response) => {
        response.writeHead(307, { location: 'http://127.0.0.1:1/' });
        response.end();
      },
      'TG_SOURCE_REPLY',
    ],
  ])('%s', async (_name, given, code) => {
    answer = given;
    expect(
      await codeOf(client({ timeoutMs: 300, headers: { authorization: 'Bearer s3cret' } }).query('x')),
    ).toBe(code);
  });

  test('nobody listens', async () => {
    expect(await codeOf(client({ url: 'http://127.0.0.1:1' }).query('x'))).toBe('TG_SOURCE_UNAVAILABLE');
  });

  test('no error shows a secret', async () => {
    const secret = client({ url: 'http://me:pa55@127.0.0.1:1/x', headers: { 'x-token': 's3cret' } });
    const thrown: unknown = await secret.query('x').catch((error: unknown) => error);
    const shown = `${String(thrown)} ${JSON.stringify(thrown)} ${String((thrown as Error).cause)}`;
    expect(shown).toContain('http://127.0.0.1:1/x');
    expect(shown).not.toMatch(/pa55|s3cret/);
  });

  test.each(['', 'ftp://x', 'not a url', 'localhost:9090'])('the URL %p is refused', (bad) => {
    expect(() => client({ url: bad })).toThrow(/http/);
  });

  test('closing ends what is under way', async () => {
    const closed = new Promise<string>((resolve) => {
      answer = () => one.close();
      const one = client();
      resolve(codeOf(one.query('x')));
    });
    expect(await closed).toBe('TG_SOURCE_UNAVAILABLE');
  });
});

test.each([
  ['us%er:p%40ss', 'us%er:p@ss'],
  ['user:100%', 'user:100%'],
])('a URL with %s as its user is no error', async (user, told) => {
  answer = success({ resultType: 'vector', result: [] });
  await client({ url: url().replace('//', `//${user}@`) }).query('up');
  expect(asked[0]?.authorization).toBe(`Basic ${Buffer.from(told).toString('base64')}`);
});
