import { fakeForecasts } from './fake-forecasts';
import { closeAll, serve } from './serving';

afterEach(() => closeAll());

describe('the forecast API', () => {
  it.each([
    ['/classes', ['classes', { offset: 0, limit: 100 }]],
    ['/classes?kind=key&search=a%20b&offset=5&limit=7', ['classes', { kind: 'key', search: 'a b', offset: 5, limit: 7 }]], // prettier-ignore
    ['/series?class=edge.k', ['series', { classId: 'edge.k', figure: 'hits', resolutionMs: 60_000 }]],
    [
      '/series?class=edge.k&figure=denied&resolution=10s&from=1970-01-01T00:00:01Z&to=2000',
      ['series', { classId: 'edge.k', figure: 'denied', resolutionMs: 10_000, fromMs: 1_000, toMs: 2_000 }],
    ],
    ['/predictions?class=edge.k', ['prediction', { classId: 'edge.k', figure: 'hits', horizon: '1h', level: 0.8 }]], // prettier-ignore
    [
      '/predictions?class=edge.k&horizon=1d&level=0.95&figure=cpu',
      ['prediction', { classId: 'edge.k', figure: 'cpu', horizon: '1d', level: 0.95 }],
    ],
    ['/accuracy?limit=3', ['accuracy', { offset: 0, limit: 3 }]],
    ['/anomalies?class=edge.k&since=5', ['anomalies', { classId: 'edge.k', sinceMs: 5, offset: 0, limit: 100 }]], // prettier-ignore
    ['/models?class=edge.k', ['models', { classId: 'edge.k' }]],
    ['/accuracy/history?class=edge.k&horizon=1d&measure=mae&from=5', ['accuracyHistory', { classId: 'edge.k', horizon: '1d', measure: 'mae', fromMs: 5 }]], // prettier-ignore
    ['/alerts', ['alerts', {}]],
    ['/costs?class=edge.k', ['costs', { classId: 'edge.k', offset: 0, limit: 100 }]],
    ['/replicas', ['replicas', {}]],
    ['/forecasting', ['status', {}]],
  ])('asks for %s', async (path, expected) => {
    const asked: unknown[] = [];
    const { ask } = await serve({ forecasts: fakeForecasts(asked) });
    expect((await ask(`/api/v1${path}`)).status).toBe(200);
    expect(asked).toEqual([expected]);
  });

  it.each([
    ['/predictions', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/predictions?class=', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/predictions?class=edge.k&horizon=1y', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/predictions?class=edge.k&level=0.9', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/predictions?class=edge.k&levle=0.8', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/predictions?class=a&class=b', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/series?class=edge.k&from=yesterday', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/series?class=edge.k&resolution=2m', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/classes?limit=1001', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/classes?kind=rules', 400, 'TG_ADMIN_BAD_REQUEST'],
    ['/models?class=other', 404, 'TG_FORECAST_UNKNOWN_CLASS'],
  ])('refuses %s with %i', async (path, status, code) => {
    const { ask } = await serve();
    const answer = await ask(`/api/v1${path}`);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code });
  });
});

describe('a change of models', () => {
  const post = (body: unknown, token = 'right') => ({
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

  it.each([
    ['/models/rollback', { class: 'edge.k', scale: 'coarse', version: 1 }, ['rollback', { classId: 'edge.k', scale: 'coarse', version: 1 }]], // prettier-ignore
    ['/models/refit', { class: 'edge.k' }, ['refit', { classId: 'edge.k' }]],
    ['/models/refit', '', ['refit', {}]],
  ])('by %s with %j', async (path, body, expected) => {
    const asked: unknown[] = [];
    const { ask } = await serve({ forecasts: fakeForecasts(asked) });
    expect((await ask(`/api/v1${path}`, post(body))).status).toBe(200);
    expect(asked).toEqual([expected]);
  });

  it.each([
    ['/models/rollback', {}],
    ['/models/rollback', { class: 'edge.k', scale: 'medium', version: 1 }],
    ['/models/rollback', { class: 'edge.k', scale: 'fine', version: 0 }],
    ['/models/rollback', { class: 'edge.k', scale: 'fine', version: 1, force: true }],
    ['/models/refit', '{'],
    ['/models/refit', '[]'],
    ['/models/refit', { class: 3 }],
  ])('is refused by %s with %j', async (path, body) => {
    const asked: unknown[] = [];
    const { ask } = await serve({ forecasts: fakeForecasts(asked) });
    const answer = await ask(`/api/v1${path}`, post(body));
    expect(answer.status).toBe(400);
    expect(asked).toEqual([]);
  });

  it('asks for the token', async () => {
    const asked: unknown[] = [];
    const { ask } = await serve({ forecasts: fakeForecasts(asked) });
    for (const path of ['/models/rollback', '/models/refit']) {
      expect((await ask(`/api/v1${path}`, post({}, 'wrong'))).status).toBe(401);
    }
    expect(asked).toEqual([]);
  });
});
