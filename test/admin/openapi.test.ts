/** The description of the API, held against what the API answers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OPERATIONS } from '../../src/admin/openapi';
import { document, mistakes } from './answer-schemas';
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
  'post /api/v1/models/rollback': { body: { class: 'edge.k', scale: 'coarse', version: 1 } },
};

async function answerOf(key: string, changes = {}): Promise<Response> {
  const { ask } = await serve(changes);
  const [method = '', path = ''] = key.split(' ');
  const { query = '', body } = ASKED[key] ?? {};
  return ask(path + query, {
    method: method.toUpperCase(),
    headers: { authorization: 'Bearer right' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

describe('the OpenAPI description', () => {
  it.each(Object.keys(OPERATIONS))('says what %s answers', async (key) => {
    const answer = await answerOf(key);
    expect(answer.status).toBe(200);
    expect(mistakes(key, '200', await answer.json())).toEqual([]);
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
    const routes = ['api-routes', 'forecast-routes'].flatMap((file) => {
      const code = readFileSync(join(__dirname, `../../src/admin/${file}.ts`), 'utf8');
      return [...code.matchAll(/\.(get|post|put|delete)\(\s*`\$\{BASE\}([^`]+)`/g)];
    });
    const named = routes.map(([, method, path]) => `${method} /api/v1${path}`);
    const described = [...Object.keys(OPERATIONS), 'get /api/v1/openapi.json'];
    expect(named.sort()).toEqual(described.sort());
  });

  it('is served, and asks for the token where something changes', async () => {
    const { ask } = await serve();
    const served = (await (await ask('/api/v1/openapi.json')).json()) as typeof document;
    expect(served).toEqual(JSON.parse(JSON.stringify(document)));
    for (const [path, methods] of Object.entries(served.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        expect([path, method, 'security' in operation]).toEqual([path, method, method === 'post']);
      }
    }
  });
});
