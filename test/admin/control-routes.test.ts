import { TidegateError } from '../../src/core/errors';
import { fakeControl } from './fake-control';
import { closeAll, serve } from './serving';

afterEach(() => closeAll());

const page = { offset: 0, limit: 100 };
const said = { author: 'ops', reason: 'a sale' };
const override = { pool: 'shop', member: 'edge.k|a', ratePerS: 70, ttl: '10m', ...said };

describe('what is read of control', () => {
  it.each([
    ['/pools', ['pools', {}]],
    ['/buckets', ['buckets', page]],
    ['/buckets?pool=shop&offset=5&limit=9', ['buckets', { pool: 'shop', offset: 5, limit: 9 }]],
    ['/loans?pool=shop', ['loans', { ...page, pool: 'shop' }]],
    ['/allocations', ['allocations', {}]],
    ['/allocations?pool=shop', ['allocations', { pool: 'shop' }]],
    ['/decisions?pool=shop&id=edge.k%7Ca', ['decisions', { ...page, pool: 'shop', id: 'edge.k|a' }]],
    ['/overrides?pool=shop', ['overrides', { pool: 'shop' }]],
    ['/audit?since=1970-01-01T00:00:05Z', ['audit', { ...page, sinceMs: 5_000 }]],
  ])('%s is asked for', async (path, expected) => {
    const asked: unknown[] = [];
    const { ask } = await serve({ control: fakeControl(asked) });
    expect((await ask(`/api/v1${path}`)).status).toBe(200);
    expect(asked).toEqual([expected]);
  });

  it.each([
    ['/pools?pool=shop', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/buckets?limit=1001', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/buckets?pool=shop&pool=back', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/decisions?member=a', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/audit?since=soon', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/events?pool=shop', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/loans?pool=none', 404, 'TG_CONTROL_UNKNOWN_POOL'],
    ['/events', 409, 'TG_CONTROL_OFF'],
  ])('%s is refused with %i', async (path, status, code) => {
    const { ask } = await serve({ control: fakeControl() });
    const answer = await ask(`/api/v1${path}`);
    expect([answer.status, await answer.json()]).toEqual([status, expect.objectContaining({ code })]);
  });

  it('is off without pools', async () => {
    const { ask } = await serve();
    for (const name of ['pools', 'buckets', 'loans', 'allocations', 'decisions', 'overrides', 'audit']) {
      const answer = await ask(`/api/v1/${name}`);
      expect([name, answer.status, await answer.json()]).toEqual([
        name,
        409,
        expect.objectContaining({ code: 'TG_CONTROL_OFF' }),
      ]);
    }
  });
});

it.each(['/mesh', '/traffic', '/traffic/telemetry'])('%s is off where no Envoy is served', async (path) => {
  const mesh = { askMesh: () => Promise.reject(new TidegateError('TG_MESH_OFF', 'nothing is set')) };
  const { ask } = await serve({ mesh });
  const answer = await ask(`/api/v1${path}`);
  expect([answer.status, await answer.json()]).toEqual([
    409,
    expect.objectContaining({ code: 'TG_MESH_OFF' }),
  ]);
});

describe('what is ordered of control', () => {
  const init = (method: string, body?: unknown, token = 'right') => ({
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const order = async (method: string, path: string, body?: unknown, token?: string) => {
    const asked: unknown[] = [];
    const { ask } = await serve({ control: fakeControl(asked) });
    const answer = await ask(`/api/v1${path}`, init(method, body, token));
    const { code } = (await answer.json()) as { code?: string };
    return { status: answer.status, code, asked };
  };
  const kept = { pool: 'shop', member: 'edge.k|a', ...said };

  it.each([
    ['PUT', '/overrides', override, ['putOverride', { ...kept, ratePerS: 70, ttlMs: 600_000 }]],
    [
      'PUT',
      '/overrides',
      { ...override, ratePerS: 0, capacity: 5, lending: false, priority: 'LOW', ttl: '1s' },
      ['putOverride', { ...kept, ratePerS: 0, capacity: 5, lending: false, priority: 'LOW', ttlMs: 1_000 }],
    ],
    ['DELETE', '/overrides?pool=shop&member=edge.k%7Ca', said, ['dropOverride', kept]],
    ['DELETE', '/overrides?pool=shop&member=edge.k%7Ca&author=ops&reason=a%20sale', undefined, ['dropOverride', kept]], // prettier-ignore
    ['DELETE', '/overrides?pool=shop&member=edge.k%7Ca&author=ops', { reason: 'a sale' }, ['dropOverride', kept]], // prettier-ignore
    ['PUT', '/pools/shop/mode', { mode: 'shadow', ...said }, ['putMode', { pool: 'shop', mode: 'shadow', ...said }]], // prettier-ignore
    ['PUT', '/pools/shop/learning', { mode: 'auto', ...said }, ['putLearning', { pool: 'shop', mode: 'auto', ...said }]], // prettier-ignore
  ])('%s %s with %j', async (method, path, body, expected) => {
    expect(await order(method, path, body)).toEqual({ status: 200, code: undefined, asked: [expected] });
  });

  const without = (name: keyof typeof override) =>
    Object.fromEntries(Object.entries(override).filter(([key]) => key !== name));
  it.each([
    ['no body', '', 'TG_ADMIN_BAD_REQUEST'],
    ['no JSON', '{', 'TG_ADMIN_BAD_REQUEST'],
    ['a list', [], 'TG_ADMIN_BAD_REQUEST'],
    ['a misspelt name', { ...override, rate_per_s: 5 }, 'TG_ADMIN_BAD_REQUEST'],
    ['a prototype', '{"__proto__": {"pool": "shop"}}', 'TG_ADMIN_BAD_REQUEST'],
    ['no pool', without('pool'), 'TG_ADMIN_BAD_REQUEST'],
    ['a long pool', { ...override, pool: 'p'.repeat(65) }, 'TG_ADMIN_BAD_REQUEST'],
    ['no member', without('member'), 'TG_ADMIN_BAD_REQUEST'],
    ['a long member', { ...override, member: 'm'.repeat(2_049) }, 'TG_ADMIN_BAD_REQUEST'],
    ['no author', without('author'), 'TG_ADMIN_BAD_REQUEST'],
    ['a blank author', { ...override, author: ' ' }, 'TG_ADMIN_BAD_REQUEST'],
    ['an author of two lines', { ...override, author: 'a\nb' }, 'TG_ADMIN_BAD_REQUEST'],
    ['an author that turns text round', { ...override, author: 'a\u202eb' }, 'TG_ADMIN_BAD_REQUEST'],
    ['half a character', { ...override, reason: 'a\ud800' }, 'TG_ADMIN_BAD_REQUEST'],
    ['a long author', { ...override, author: 'a'.repeat(129) }, 'TG_ADMIN_BAD_REQUEST'],
    ['no reason', without('reason'), 'TG_ADMIN_BAD_REQUEST'],
    ['a long reason', { ...override, reason: 'r'.repeat(513) }, 'TG_ADMIN_BAD_REQUEST'],
    ['no ttl', without('ttl'), 'TG_CONTROL_BAD_OVERRIDE'],
    ['a ttl that is no duration', { ...override, ttl: 'long' }, 'TG_CONTROL_BAD_OVERRIDE'],
    ['a ttl in numbers', { ...override, ttl: 600 }, 'TG_CONTROL_BAD_OVERRIDE'],
    ['a short ttl', { ...override, ttl: '1ms' }, 'TG_CONTROL_BAD_OVERRIDE'],
    ['a long ttl', { ...override, ttl: '31d' }, 'TG_CONTROL_BAD_OVERRIDE'],
    ['nothing to override', without('ratePerS'), 'TG_CONTROL_BAD_OVERRIDE'],
    ['a negative rate', { ...override, ratePerS: -1 }, 'TG_CONTROL_BAD_OVERRIDE'],
    ['a rate that is text', { ...override, ratePerS: '5' }, 'TG_CONTROL_BAD_OVERRIDE'],
    ['a rate of null', { ...override, ratePerS: null }, 'TG_CONTROL_BAD_OVERRIDE'],
    ['an endless rate', JSON.stringify(override).replace('70', '1e999'), 'TG_CONTROL_BAD_OVERRIDE'],
    ['half a token', { ...override, capacity: 0.5 }, 'TG_CONTROL_BAD_OVERRIDE'],
    ['a capacity over its bound', { ...override, capacity: 4_294_967_296 }, 'TG_CONTROL_BAD_OVERRIDE'],
    ['lending in words', { ...override, lending: 'no' }, 'TG_CONTROL_BAD_OVERRIDE'],
    ['a priority there is none of', { ...override, priority: 'URGENT' }, 'TG_CONTROL_BAD_OVERRIDE'],
  ])('an override with %s is refused', async (_what, body, code) => {
    expect(await order('PUT', '/overrides', body)).toEqual({ status: 400, code, asked: [] });
  });

  it.each([
    ['DELETE', '/overrides?pool=shop', said],
    ['DELETE', '/overrides?member=m', said],
    ['DELETE', '/overrides?pool=shop&member=m', { author: 'ops' }],
    ['DELETE', '/overrides?pool=shop&member=m&author=me', said],
    ['DELETE', '/overrides?pool=shop&member=m', { ...said, ttl: '1s' }],
    ['PUT', '/pools/shop/mode', said],
    ['PUT', '/pools/shop/mode', { mode: 'on', ...said }],
    ['PUT', '/pools/shop/mode', { mode: 'off', reason: 'why' }],
    ['PUT', '/pools/shop/mode', { mode: 'off', ...said, pool: 'back' }],
    [`PUT`, `/pools/${'p'.repeat(65)}/mode`, { mode: 'off', ...said }],
    ['PUT', '/pools/shop/learning', said],
    ['PUT', '/pools/shop/learning', { mode: 'on', ...said }],
    ['PUT', '/pools/shop/learning', { mode: 'off', author: 'ops' }],
  ])('%s %s with %j is refused', async (method, path, body) => {
    expect(await order(method, path, body)).toEqual({
      status: 400,
      code: 'TG_ADMIN_BAD_REQUEST',
      asked: [],
    });
  });

  it('says that there is no such pool', async () => {
    const answer = await order('PUT', '/pools/none/mode', { mode: 'off', ...said });
    expect(answer).toMatchObject({ status: 404, code: 'TG_CONTROL_UNKNOWN_POOL' });
  });

  it.each([
    ['PUT', '/overrides', override],
    ['DELETE', '/overrides?pool=shop&member=m', said],
    ['PUT', '/pools/shop/mode', { mode: 'off', ...said }],
    ['PUT', '/pools/shop/learning', { mode: 'off', ...said }],
  ])('%s %s asks for the token', async (method, path, body) => {
    expect(await order(method, path, body, 'wrong')).toEqual({
      status: 401,
      code: 'TG_ADMIN_UNAUTHORIZED',
      asked: [],
    });
  });
});
