/** The description of the API, held against what the API answers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OPERATIONS } from '../../src/admin/openapi';
import { document, faults, mistakes } from './answer-schemas';
import { controlEvent, fakeControl, FakeEvents, HOSTILE } from './fake-control';
import { failedView } from './fake-deps';
import { closeAll, serve } from './serving';

afterEach(() => closeAll());

/** What makes each operation answer; those that are not listed need nothing. */
const ASKED: Readonly<Record<string, { readonly query?: string; readonly body?: object }>> = {
  'get /api/v1/explain': { query: '?domain=edge&entry=k' },
  'get /api/v1/series': { query: '?class=edge.k' },
  'get /api/v1/predictions': { query: '?class=edge.k' },
  'get /api/v1/models': { query: '?class=edge.k' },
  'get /api/v1/accuracy/history': { query: '?class=edge.k' },
  'put /api/v1/overrides': {
    body: { pool: 'shop', member: 'm', ratePerS: 5, ttl: '10m', author: 'ops', reason: 'sale' },
  },
  'delete /api/v1/overrides': { query: '?pool=shop&member=m', body: { author: 'ops', reason: 'sale' } },
  'put /api/v1/pools/{name}/mode': { body: { mode: 'off', author: 'ops', reason: 'sale' } },
  'put /api/v1/pools/{name}/learning': { body: { mode: 'auto', author: 'ops', reason: 'sale' } },
  'post /api/v1/models/rollback': { body: { class: 'edge.k', scale: 'coarse', version: 1 } },
};

async function answerOf(key: string, changes = {}): Promise<Response> {
  const { ask } = await serve({ control: fakeControl(), ...changes });
  const [method = '', path = ''] = key.split(' ');
  const { query = '', body } = ASKED[key] ?? {};
  return ask(path.replace('{name}', 'shop') + query, {
    method: method.toUpperCase(),
    headers: { authorization: 'Bearer right' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

describe('the OpenAPI description', () => {
  const inJson = Object.keys(OPERATIONS).filter((key) => OPERATIONS[key]?.media === undefined);

  it.each(inJson)('says what %s answers', async (key) => {
    const answer = await answerOf(key);
    expect(answer.status).toBe(200);
    expect(mistakes(key, '200', await answer.json())).toEqual([]);
  });

  it('says what stands in the stream of events', async () => {
    const events = new FakeEvents();
    const { ask, server } = await serve({ events });
    const answer = await ask('/api/v1/events');
    expect(Object.keys(OPERATIONS['get /api/v1/events'] ?? {})).toContain('media');
    expect(answer.headers.get('content-type')).toContain(OPERATIONS['get /api/v1/events']?.media);
    const kinds = ['decision', 'loan', 'mode', 'override', 'state', 'leader', 'learning', 'traffic'] as const;
    for (const kind of kinds) events.tell(controlEvent(kind, { key: HOSTILE }));
    await server.close(1_000);
    const told = [...(await answer.text()).matchAll(/^event: (.*)\ndata: (.*)$/gm)];
    expect(told.map(([, kind]) => kind)).toEqual(kinds);
    for (const [, , data = ''] of told) expect(faults('ControlEvent', JSON.parse(data))).toEqual([]);
  });

  it.each([
    'put /api/v1/overrides',
    'delete /api/v1/overrides',
    'put /api/v1/pools/{name}/mode',
    'put /api/v1/pools/{name}/learning',
  ])('says what %s takes', (key) => {
    const { body } = ASKED[key] ?? {};
    expect(mistakes(key, 'body', body)).toEqual([]);
    expect(mistakes(key, 'body', { ...body, author: 5 })).not.toEqual([]);
    expect(mistakes(key, 'body', { ...body, rate_per_s: 5 })).not.toEqual([]);
  });

  it('says what a rejected reload answers', async () => {
    const key = 'post /api/v1/limits/reload';
    const answer = await answerOf(key, { reloadLimits: async () => false, limitsStatus: () => failedView });
    expect(answer.status).toBe(422);
    expect(mistakes(key, '422', await answer.json())).toEqual([]);
  });

  it('says what errors look like', async () => {
    const { ask } = await serve();
    const answer = await ask('/api/v1/predictions?class=other');
    expect(answer.status).toBe(404);
    expect(mistakes('get /api/v1/predictions', 'default', await answer.json())).toEqual([]);
  });

  it('finds a wrong answer', () => {
    expect(mistakes('get /api/v1/replicas', '200', { replicas: [{ service: 3 }] })).not.toEqual([]);
    expect(mistakes('get /api/v1/alerts', '200', { alerts: [], more: 1 })).not.toEqual([]);
  });

  it('names every route under /api/v1', () => {
    const routes = ['api-routes', 'forecast-routes', 'control-routes'].flatMap((file) => {
      const code = readFileSync(join(__dirname, `../../src/admin/${file}.ts`), 'utf8');
      return [...code.matchAll(/\.(get|post|put|delete)(?:<[^(]*>)?\(\s*`\$\{BASE\}([^`]+)`/g)];
    });
    const named = routes.map(([, method, path]) => `${method} /api/v1${path?.replace(/:(\w+)/g, '{$1}')}`);
    const described = [...Object.keys(OPERATIONS), 'get /api/v1/openapi.json'];
    expect(named.sort()).toEqual(described.sort());
  });

  it('is served, and asks for the token where something changes', async () => {
    const { ask } = await serve();
    const served = (await (await ask('/api/v1/openapi.json')).json()) as typeof document;
    expect(served).toEqual(JSON.parse(JSON.stringify(document)));
    for (const [path, methods] of Object.entries(served.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        expect([path, method, 'security' in operation]).toEqual([path, method, method !== 'get']);
      }
    }
  });
});
