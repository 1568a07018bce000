import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LEAVES } from '../../src/config/setting-paths';
import { dumpSettings } from '../../src/config/settings-dump';
import { errorsOf, load, loaded } from './load';

describe('loading settings', () => {
  it('has a default for everything but the place of the limits', () => {
    const { settings, sources, warnings } = loaded({});
    expect(settings).toMatchObject({
      compat: 'off',
      algorithm: 'token_bucket',
      chargeDenied: 'none',
      onError: 'local',
      nearLimitRatio: 0.8,
      data: { host: '127.0.0.1', port: 8081, maxConnectionAgeMs: 86_400_000, maxEntries: 64 },
      admin: { host: '127.0.0.1', port: 8080, token: '' },
      control: { port: 18_000 },
      limits: { pollIntervalMs: 5_000, extensions: ['.yaml', '.yml'], watch: true },
      store: {
        kind: 'memory',
        deadlineMs: 10,
        breaker: { openForMs: 500 },
        memory: { maxBuckets: 1_000_000 },
      },
      shutdown: { graceMs: 10_000, delayMs: 0 },
    });
    expect(settings.limits.path).toBeUndefined();
    expect(warnings).toEqual([]);
    expect([...sources.values()].every((source) => source === 'default')).toBe(true);
    expect(sources.size).toBe(LEAVES.length);
  });

  it.each([
    ['file', { file: 'data: {port: 1}' }, 1],
    ['reference env', { file: 'data: {port: 1}', env: { GRPC_PORT: '2' } }, 2],
    ['env', { file: 'data: {port: 1}', env: { GRPC_PORT: '2', TIDEGATE_DATA_PORT: '3' } }, 3],
    [
      'flag',
      { file: 'data: {port: 1}', env: { GRPC_PORT: '2', TIDEGATE_DATA_PORT: '3' }, flags: ['--data.port=4'] },
      4,
    ],
  ])('takes the strongest source: %s', (source, given, port) => {
    const result = loaded(given);
    expect(result.settings.data.port).toBe(port);
    expect(result.sources.get('data.port')).toBe(source);
  });

  it('freezes everything it returns', () => {
    const { settings } = loaded({});
    const check = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      expect(Object.isFrozen(value)).toBe(true);
      Object.values(value).forEach(check);
    };
    check(settings);
  });

  it('guesses at no name that is not like one', () => {
    const errors = errorsOf({ env: { TIDEGATE_FOO: '1' }, file: 'foo: 1\n', flags: ['--something=1'] });
    expect(errors).toHaveLength(3);
    expect(errors.join('\n')).not.toContain('did you mean');
  });

  it('reports the mistakes of all sources at once, each with its place', () => {
    const errors = errorsOf({
      file: 'data:\n  port: high\n  prot: 1\nstore:\n  kind: memcache\n',
      env: { TIDEGATE_ADMIN_PRT: '1', TIDEGATE_NEAR_LIMIT_RATIO: '1.5', PORT: 'x' },
      flags: ['--control.port=70000', '--log.levle=info'],
    });
    expect(errors).toEqual([
      'TG_SETTINGS_INVALID: --control.port: control.port takes a whole number, 0 to 65535, not 70000 (write a whole number, 0 to 65535)',
      'TG_SETTINGS_UNKNOWN_KEY: --log.levle: there is no flag --log.levle (did you mean --log.level?)',
      'TG_SETTINGS_UNKNOWN_KEY: TIDEGATE_ADMIN_PRT: there is no such setting (did you mean TIDEGATE_ADMIN_PORT?)',
      'TG_SETTINGS_INVALID: TIDEGATE_NEAR_LIMIT_RATIO: near_limit_ratio takes a number, 0 to 1, not 1.5 (write a number, 0 to 1)',
      'TG_SETTINGS_INVALID: PORT: takes a number (write a number, or unset it)',
      expect.stringMatching(
        /^TG_SETTINGS_INVALID: tidegate\.yaml:2:9: data\.port: takes a whole number.*not "high"/,
      ),
      'TG_SETTINGS_UNKNOWN_KEY: tidegate.yaml:3:3: data.prot: there is no such setting (did you mean data.port?)',
      expect.stringMatching(
        /^TG_SETTINGS_INVALID: tidegate\.yaml:5:9: store\.kind: takes one of memory, redis/,
      ),
    ]);
  });

  it('takes leases, and refuses ones that would end before they are given back', () => {
    const env = { TIDEGATE_CONSISTENCY: 'leased', TIDEGATE_STORE_LEASE_EPSILON: '0.1' };
    const { settings } = loaded({ env });
    expect(settings.consistency).toBe('leased');
    expect(settings.store.lease).toEqual({ epsilon: 0.1, ttlMs: 1_000, idleMs: 200 });
    expect(errorsOf({ flags: ['--store.lease.ttl=150ms'] })).toEqual([
      expect.stringMatching(/^TG_SETTINGS_CONFLICT: store\.lease\.idle: /),
    ]);
  });

  it('reports a settings file that cannot be read', () => {
    expect(errorsOf({ flags: ['--config', 'absent.yaml'] })).toEqual([
      expect.stringMatching(/^TG_SETTINGS_UNREADABLE: absent\.yaml: ENOENT/),
    ]);
    expect(errorsOf({ env: { TIDEGATE_CONFIG: 'absent.yaml' } })[0]).toMatch(/^TG_SETTINGS_UNREADABLE/);
  });

  it('redacts every secret in a dump and never shows one in an error', () => {
    const result = loaded({
      env: { REDIS_URL: 'redis://app:s3cret-a@db:6379/2', TIDEGATE_ADMIN_TOKEN: 's3cret-b' },
      flags: ['--store.sentinel_password=s3cret-c'],
    });
    expect(result.settings.store).toMatchObject({
      kind: 'redis',
      urls: ['db:6379'],
      username: 'app',
      password: 's3cret-a',
      database: 2,
    });
    const dump = dumpSettings(result);
    expect(JSON.stringify(dump)).not.toContain('s3cret');
    expect(dump).toContainEqual({ path: 'store.password', value: '<redacted>', source: 'reference env' });
    expect(dump).toContainEqual({ path: 'store.deadline', value: '10ms', source: 'default' });
    const bad = errorsOf({ env: { TIDEGATE_STORE_URLS: 'redis://u:s3cret@db:99999' } });
    expect(bad[0]).toMatch(/^TG_SETTINGS_INVALID: TIDEGATE_STORE_URLS/);
    expect(bad.join()).not.toContain('s3cret');
    expect(errorsOf({ file: 'admin: {token: [s3cret]}' }).join()).not.toContain('s3cret');
  });

  it.each([
    [
      'leaves out a Kubernetes service link',
      {
        TIDEGATE_PORT: 'tcp://10.0.0.1:8081',
        TIDEGATE_SERVICE_HOST: '10.0.0.1',
        TIDEGATE_SERVICE_PORT_GRPC: '8081',
        TIDEGATE_PORT_8081_TCP_ADDR: '10.0.0.1',
      },
      0,
    ],
    ['warns where a service link hides a setting', { TIDEGATE_DATA_PORT: 'tcp://10.0.0.1:8081' }, 1],
  ])('%s', (_, env, warnings) => {
    const result = loaded({ env });
    expect(result.settings.data.port).toBe(8081);
    expect(result.warnings).toHaveLength(warnings);
  });

  it.each([
    ['a certificate without a key', { data: { tls: { cert: 'c.pem' } } }, 'data.tls.cert'],
    ['a client CA without TLS', { data: { tls: { client_ca: 'c.pem' } } }, 'data.tls.client_ca'],
    [
      'names to check without a client CA',
      { admin: { tls: { cert: 'c', key: 'k', client_san: ['a'] } } },
      'admin.tls.client_san',
    ],
    ['two ports on one address', { data: { port: 9000 }, admin: { port: 9000 } }, 'admin.port'],
    ['two passwords', { store: { password: 'p', password_file: 'f' } }, 'store.password_file'],
    ['a Sentinel without a name', { store: { kind: 'sentinel', urls: ['s:26379'] } }, 'store.kind'],
    ['two addresses of one Redis', { store: { kind: 'redis', urls: ['a:1', 'b:2'] } }, 'store.urls'],
    ['a socket for a Cluster', { store: { kind: 'cluster', urls: ['/tmp/r.sock'] } }, 'store.urls'],
    ['a database of a Cluster', { store: { kind: 'cluster', database: 3 } }, 'store.database'],
  ])('refuses %s', (_, tree, key) => {
    const errors = errorsOf({ file: JSON.stringify(tree) });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(
      new RegExp(`^TG_SETTINGS_CONFLICT: tidegate\\.yaml:1:\\d+: ${key.replaceAll('.', '\\.')}: `),
    );
  });

  it('lets ports be 0 more than once, and a socket stand beside the same port', () => {
    expect(load({ flags: ['--data.port=0', '--admin.port=0', '--control.port=0'] })).toHaveProperty(
      'settings',
    );
    expect(load({ flags: ['--data.uds=/tmp/a.sock', '--admin.port=8081'] })).toHaveProperty('settings');
  });

  it('warns of an admin port that is open without a token', () => {
    const names = (flags: string[]): string[] => loaded({ flags }).warnings.map((warning) => warning.name);
    expect(names(['--admin.host=0.0.0.0'])).toEqual(['admin.host']);
    expect(names(['--admin.host=0.0.0.0', '--admin.token=t'])).toEqual([]);
  });

  it('accepts the example settings file without a warning', () => {
    const file = readFileSync(join(__dirname, '../../examples/tidegate.yaml'), 'utf8');
    const result = loaded({ file });
    expect(result.warnings).toEqual([]);
    expect(result.settings.headers.enabled).toBe(true);
  });
});
