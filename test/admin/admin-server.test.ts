import { createAdminServer } from '../../src/admin/admin-server';
import { TidegateError } from '../../src/core/errors';
import { failedView, fakeDeps, limitsView } from './fake-deps';
import { closeAll, decided, logged, logger, raw, serve } from './serving';

afterEach(() => closeAll());

describe('the endpoints of the reference', () => {
  it('tell health with 200 and OK, or 500 and the reason', async () => {
    let ok = true;
    const { ask } = await serve({ health: () => (ok ? { ok } : { ok, reason: 'no limits' }) });
    const healthy = await ask('/healthcheck');
    expect([healthy.status, await healthy.text()]).toEqual([200, 'OK']);
    ok = false;
    const ill = await ask('/healthcheck');
    expect([ill.status, await ill.text()]).toEqual([500, 'NOT OK: no limits']);
  });

  it.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded'])(
    '/json decides a body sent as %s',
    async (type) => {
      const { ask } = await serve();
      const answer = await ask('/json', { method: 'POST', body: decided, headers: { 'content-type': type } });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toContain('application/json');
      expect(await answer.json()).toEqual({ overallCode: 'OK', got: { domain: 'edge', descriptors: [] } });
    },
  );

  it('/json hands the status on', async () => {
    const { ask } = await serve({
      decideJson: async () => ({ status: 429, body: { overallCode: 'OVER_LIMIT' } }),
    });
    const answer = await ask('/json', { method: 'POST', body: decided });
    expect([answer.status, await answer.json()]).toEqual([429, { overallCode: 'OVER_LIMIT' }]);
  });

  it.each([
    ['a body that is not JSON', '{"domain":', 400, 'TG_REQUEST_BAD_JSON'],
    ['an empty body', '', 400, 'TG_REQUEST_BAD_JSON'],
    ['text that is not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400, 'TG_REQUEST_BAD_JSON'],
    ['a body over the bound', `"${'x'.repeat(5_000)}"`, 413, 'TG_REQUEST_TOO_LARGE'],
  ])('/json refuses %s', async (_what, body, status, code) => {
    const { ask } = await serve();
    const answer = await ask('/json', { method: 'POST', body });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({
      code,
      message: expect.any(String) as unknown,
      at: null,
      remedy: expect.any(String) as unknown,
    });
  });

  it.each([
    ['TG_REQUEST_NO_DOMAIN', 400],
    ['TG_REQUEST_BAD_JSON', 400],
    ['TG_STORE_TIMEOUT', 503],
    ['TG_NO_LIMITS', 503],
    ['TG_STORE_AUTH', 500],
  ] as const)('/json answers %s with %i', async (code, status) => {
    const { ask } = await serve({
      decideJson: async () => {
        throw new TidegateError(code, 'why');
      },
    });
    const answer = await ask('/json', { method: 'POST', body: decided });
    expect([answer.status, await answer.json()]).toEqual([
      status,
      expect.objectContaining({ code, message: 'why' }),
    ]);
  });

  it('serve /rlconfig, /stats and /metrics as text', async () => {
    const { ask, text } = await serve();
    expect(await text('/rlconfig')).toBe(
      'edge.k: unit=MINUTE requests_per_unit=3, shadow_mode: false, quota_mode: false\n',
    );
    expect(await text('/stats')).toBe(
      'ratelimit.service.rate_limit.edge.k.over_limit: 7\nratelimit_server.ShouldRateLimit.total_requests: 9\n',
    );
    const metrics = await ask('/metrics');
    expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await metrics.text()).toBe('up 1\n');
  });
});

describe('the API', () => {
  it('shows versions, limits, their last errors and the settings with their sources', async () => {
    const { json } = await serve({ limitsStatus: () => failedView });
    expect(await json('/api/v1/config')).toEqual({
      version: '1.2.3',
      startedAt: '2026-01-02T03:04:00.000Z',
      addresses: { data: '127.0.0.1:8081' },
      health: { ok: true },
      limits: {
        ...limitsView,
        failedAt: failedView.failedAt,
        errors: [
          {
            code: 'TG_LIMITS_BAD_UNIT',
            message: "the unit is '<fortnight>'",
            at: { file: 'limits.yaml', line: 7, column: 3, key: 'descriptors[0].rate_limit.unit' },
            remedy: expect.stringContaining('use second') as unknown,
          },
        ],
      },
      settings: [{ path: 'admin.token', value: '<redacted>', source: 'environment' }],
    });
  });

  it.each([
    ['', 3, ['edge.k', 'edge.<script>alert(1)</script>', 'other.k']],
    ['?domain=other', 1, ['other.k']],
    ['?offset=1&limit=1', 3, ['edge.<script>alert(1)</script>']],
    ['?domain=edg', 0, []],
  ])('lists rules: %j', async (query, total, ids) => {
    const { json } = await serve();
    const { rules, ...rest } = await json(`/api/v1/limits${query}`);
    expect((rules as { id: string }[]).map(({ id }) => id)).toEqual(ids);
    expect(rest).toMatchObject({ generation: 4, total });
  });

  it('explains a descriptor given as entries', async () => {
    const { json } = await serve();
    expect(await json('/api/v1/explain?domain=edge&entry=k%3Dv%3Dw&entry=bare')).toEqual({
      domain: 'edge',
      steps: [
        { entry: 'k=v=w', met: 'the bare key' },
        { entry: 'bare=', met: 'the bare key' },
      ],
      conclusion: 'no limit',
    });
  });

  it.each([
    ['/api/v1/explain', "no 'domain'"],
    ['/api/v1/explain?domain=d', "no 'entry'"],
    ['/api/v1/explain?domain=d&entry==v', 'has no key'],
    ['/api/v1/explain?domain=d&domain=e&entry=k', '2 times'],
    ['/api/v1/explain?domain=d&entri=k', "no 'entri'"],
    [`/api/v1/explain?domain=d&entry=${'k'.repeat(3_000)}`, 'longer than'],
    [`/api/v1/explain?domain=d${'&entry=k'.repeat(65)}`, 'more than 64'],
    ['/api/v1/limits?limit=10001', '0 to 10000'],
    ['/api/v1/limits?offset=-1', 'whole number'],
    ['/api/v1/limits?limit=1e9', 'whole number'],
  ])('refuses a query with: %#', async (path, reason) => {
    const { ask } = await serve();
    const answer = await ask(path);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      code: 'TG_ADMIN_BAD_REQUEST',
      message: expect.stringContaining(reason) as unknown,
    });
  });

  it('shows heavy keys and the store', async () => {
    const { json } = await serve();
    expect(await json('/api/v1/top')).toMatchObject({ denied: [{ rule: 'edge.k', count: 12.5 }] });
    expect(await json('/api/v1/store')).toEqual({ kind: 'memory', ready: true, details: { buckets: 5 } });
  });
});

describe('the page', () => {
  it('shows what there is and escapes all of it', async () => {
    const { ask } = await serve({ limitsStatus: () => failedView });
    const answer = await ask('/');
    const page = await answer.text();
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    for (const shown of [
      '127.0.0.1:8081',
      'edge.k',
      '3 per 1m',
      'TG_LIMITS_BAD_UNIT',
      'limits.yaml:7:3',
      '1.2.3',
    ]) {
      expect(page).toContain(shown);
    }
    expect(page).toContain('<td class="n">7</td>');
    expect(page).toContain('the unit is &#39;&lt;fortnight&gt;&#39;');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).toContain('&quot;&gt;&lt;img src=x');
    expect(page.match(/<script|<img/gi)).toEqual(['<script']);
  });

  it('loads nothing from anywhere and allows its own style and script only', async () => {
    const { ask } = await serve();
    const answer = await ask('/');
    const page = await answer.text();
    expect(page).not.toMatch(/<[a-z]+ [^>]*(src=|https?:|\/\/)|@import|url\(/);
    const hashOf = async (name: string) => {
      const text = new RegExp(`<${name}>([^]*)</${name}>`).exec(page)?.[1] ?? '';
      const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
      return `'sha256-${Buffer.from(digest).toString('base64')}'`;
    };
    const policy = answer.headers.get('content-security-policy');
    expect(policy?.split('; ').slice(0, 4)).toEqual([
      "default-src 'none'",
      `style-src ${await hashOf('style')}`,
      `script-src ${await hashOf('script')}`,
      "connect-src 'self'",
    ]);
  });
});

describe('the admin port', () => {
  it('answers what it does not have with 404 and a code', async () => {
    const { ask } = await serve();
    for (const [path, method] of [
      ['/nowhere', 'GET'],
      ['/api/v1/config', 'POST'],
      ['/json', 'GET'],
    ] as const) {
      // prettier-ignore
      const answer = await ask(path, { method });
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ code: 'TG_ADMIN_NOT_FOUND', at: null });
    }
  });

  it('answers a path that cannot be decoded, and bytes that are not HTTP', async () => {
    const { ask, port } = await serve();
    const answer = await ask('/%zz');
    expect([answer.status, await answer.json()]).toEqual([
      400,
      expect.objectContaining({ code: 'TG_ADMIN_BAD_REQUEST' }),
    ]);
    for (const bytes of [
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\u0000\u0001\u0002\r\n\r\n',
      `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n`,
    ]) {
      expect(await raw(port, bytes)).toMatch(/^HTTP\/1.1 400 [^]*TG_ADMIN_BAD_REQUEST/);
    }
    expect((await ask('/healthcheck')).status).toBe(200);
  });

  it('keeps browsers in check on every answer', async () => {
    const { ask } = await serve();
    for (const path of ['/', '/metrics', '/nowhere', '/api/v1/config', '/%zz']) {
      const { headers } = await ask(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    }
  });

  it('hides the details of its own faults and logs them', async () => {
    logged.length = 0;
    const { ask } = await serve({
      rules: () => {
        throw new Error('at line 7 of a secret file');
      },
    });
    const answer = await ask('/api/v1/limits');
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('secret');
    expect(logged).toEqual(['an admin call failed']);
  });

  it('says that an address is taken', async () => {
    const { port } = await serve();
    const second = createAdminServer({ host: '127.0.0.1', port, maxBodyBytes: 1_024 }, fakeDeps(), logger);
    await expect(second.listen()).rejects.toMatchObject({ code: 'TG_LISTEN', at: { key: 'admin.port' } });
  });

  it('lets a call finish when it closes, and cuts it after the grace', async () => {
    let finish = (): void => undefined;
    const begun = new Promise<void>((started) => {
      void serve({
        scrape: () => {
          started();
          return new Promise((done) => (finish = () => done({ contentType: 'text/plain', body: 'done' })));
        },
      }).then(({ ask }) => {
        answer = ask('/metrics');
        answer.catch(() => undefined);
      });
    });
    let answer: Promise<Response> = Promise.reject(new Error('not asked'));
    answer.catch(() => undefined);
    await begun;
    const closing = closeAll(5_000);
    finish();
    expect(await (await answer).text()).toBe('done');
    await closing;

    const stuck = await serve({ scrape: () => new Promise(() => undefined) });
    const never = expect(stuck.ask('/metrics')).rejects.toThrow();
    await stuck.text('/healthcheck');
    await stuck.server.close(50);
    await never;
  });
});
