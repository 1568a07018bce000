import { createHash } from 'node:crypto';
import { createAdminServer } from '../../src/admin/admin-server';
import { failedView, fakeDeps, limitsView } from './fake-deps';
import { closeAll, decided, logger, raw, serve } from './serving';

afterEach(() => closeAll());

describe('a change over the API', () => {
  const reload = '/api/v1/limits/reload';
  const bearer = (token: string) => ({ method: 'POST', headers: { authorization: `Bearer ${token}` } });

  it('is done with the token', async () => {
    let loads = 0;
    const { ask } = await serve({ reloadLimits: async () => { loads += 1; return true; } }); // prettier-ignore
    const answer = await ask(reload, bearer('right'));
    expect([answer.status, await answer.json()]).toEqual([200, { inUse: true, limits: limitsView }]);
    expect(loads).toBe(1);
  });

  it('tells why the limits were rejected', async () => {
    const { ask } = await serve({ reloadLimits: async () => false, limitsStatus: () => failedView });
    const answer = await ask(reload, bearer('right'));
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      inUse: false,
      limits: { errors: [{ code: 'TG_LIMITS_BAD_UNIT' }] },
    });
  });

  it('knows the token by its digest', async () => {
    const hex = createHash('sha256').update('right').digest('hex');
    for (const written of [hex, hex.toUpperCase()]) {
      const { ask } = await serve({}, { token: `sha256:${written}` });
      expect((await ask(reload, bearer('right'))).status).toBe(200);
      for (const wrong of ['wrong', hex, `sha256:${hex}`]) {
        expect((await ask(reload, bearer(wrong))).status).toBe(401);
      }
    }
  });

  it.each(['sha256:', `sha256:${'g'.repeat(64)}`, `sha256:${'0'.repeat(63)}`, `sha256:${'0'.repeat(65)}`])(
    'is not waited for with the digest %s',
    (token) => {
      const options = { host: '127.0.0.1', port: 0, maxBodyBytes: 1_024, token };
      expect(() => createAdminServer(options, fakeDeps(), logger)).toThrow(
        expect.objectContaining({ code: 'TG_SETTINGS_INVALID', at: { key: 'admin.token' } }) as Error,
      );
    },
  );

  it.each([
    ['no token in the request', 'right', {}, 401, 'TG_ADMIN_UNAUTHORIZED'],
    ['a wrong token', 'right', { authorization: 'Bearer wrong' }, 401, 'TG_ADMIN_UNAUTHORIZED'],
    ['a part of the token', 'right', { authorization: 'Bearer righ' }, 401, 'TG_ADMIN_UNAUTHORIZED'],
    ['another scheme', 'right', { authorization: 'Basic right' }, 401, 'TG_ADMIN_UNAUTHORIZED'],
    ['no token in the settings', '', { authorization: 'Bearer right' }, 403, 'TG_ADMIN_NO_TOKEN'],
    ['no token anywhere', '', { authorization: 'Bearer ' }, 403, 'TG_ADMIN_NO_TOKEN'],
  ])('is refused with %s', async (_what, token, headers, status, code) => {
    let loads = 0;
    const { ask } = await serve({ reloadLimits: async () => { loads += 1; return true; } }, { token }); // prettier-ignore
    const answer = await ask(reload, { method: 'POST', headers });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code });
    expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null);
    expect(loads).toBe(0);
  });

  it.each([
    ['a page of another site', { origin: 'https://evil.example' }, 403],
    ['a page without an origin', { origin: 'null' }, 403],
    ['a form of another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a name made to resolve here', { origin: 'http://evil.example:8080', host: 'evil.example:8080' }, 403],
    [
      'a name that looks like an address',
      { origin: 'http://127.0.0.1.evil.example', host: '127.0.0.1.evil.example' },
      403,
    ],
    [
      'our own page by address',
      { origin: 'http://127.0.0.1:8080', host: '127.0.0.1:8080', 'sec-fetch-site': 'same-origin' },
      200,
    ],
    ['our own page as localhost', { origin: 'http://localhost:8080', host: 'localhost:8080' }, 200],
    ['our own page by IPv6 address', { origin: 'http://[::1]:8080', host: '[::1]:8080' }, 200],
    ['a program that uses a name', { host: 'tidegate-1:8080' }, 200],
  ])('from %s is answered: %j %i', async (_who, headers, status) => {
    const { port } = await serve();
    for (const path of [reload, '/json']) {
      const head = { authorization: 'Bearer right', host: 'x', ...headers, 'content-length': decided.length };
      const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
      const answer = await raw(
        port,
        `POST ${path} HTTP/1.1\r\n${lines.join('')}connection: close\r\n\r\n${decided}`,
      );
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      if (status === 403) expect(answer).toContain('TG_ADMIN_CROSS_SITE');
    }
  });
});
