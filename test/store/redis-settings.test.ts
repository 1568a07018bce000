import fc from 'fast-check';
import type { BucketCall } from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';
import { parseRedisAddress, splitHostPort } from '../../src/store/redis/address';
import { readFailure, toStoreError } from '../../src/store/redis/driver-error';
import { hashSlot } from '../../src/store/redis/hash-slot';
import { type RedisStoreOptions, resolveRedisOptions } from '../../src/store/redis/options';
import { readSlotTable } from '../../src/store/redis/slot-table';
import { storageKey } from '../../src/store/redis/storage-key';

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (error) {
    return error instanceof TidegateError ? error.code : 'not ours';
  }
}

describe('an address of Redis', () => {
  it.each([
    ['localhost:6380', { host: 'localhost', port: 6380, path: '', tls: false }],
    ['redis.example', { host: 'redis.example', port: 6379, path: '', tls: false }],
    ['[::1]:7000', { host: '::1', port: 7000, path: '', tls: false }],
    ['redis://10.0.0.1', { host: '10.0.0.1', port: 6379, path: '', tls: false }],
    ['redis://[::1]:7000/3', { host: '::1', port: 7000, path: '', tls: false, database: 3 }],
    [
      'rediss://us%40er:p%3Aw@redis:6390',
      { host: 'redis', port: 6390, path: '', tls: true, username: 'us@er', password: 'p:w' },
    ],
    ['unix:///run/redis.sock', { host: '', port: 0, path: '/run/redis.sock', tls: false }],
    ['/run/redis.sock', { host: '', port: 0, path: '/run/redis.sock', tls: false }],
  ])('reads %s', (text, address) => expect(parseRedisAddress(text)).toEqual(address));

  it.each([
    '',
    'host:0',
    'host:70000',
    'host:port',
    'http://host',
    'redis://',
    'redis://h/x',
    'a b',
    'u:p@h:1/x',
  ])('refuses `%s`', (text) => expect(codeOf(() => parseRedisAddress(text))).toBe('TG_SETTINGS_INVALID'));

  it('never throws anything else, and keeps passwords out of what it throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(['none', 'TG_SETTINGS_INVALID']).toContain(codeOf(() => parseRedisAddress(text)));
      }),
    );
    for (const text of ['redis://u:hunter2@:x', 'u:hunter2@host/x', 'https://u:hunter2@host']) {
      expect(() => parseRedisAddress(text)).toThrow(expect.not.stringContaining('hunter2') as string);
    }
  });

  it('reads addresses as redirections write them', () => {
    expect([splitHostPort(':7000'), splitHostPort('::1:7000'), splitHostPort('none')]).toEqual([
      { host: '', port: 7000 },
      { host: '::1', port: 7000 },
      undefined,
    ]);
  });
});

describe('the options of a Redis store', () => {
  const base: RedisStoreOptions = { kind: 'redis', urls: ['localhost:6379'] };

  it.each<[string, Partial<RedisStoreOptions>, string]>([
    ['no server', { urls: [] }, 'TG_SETTINGS_INVALID'],
    ['two single servers', { urls: ['a:1', 'b:1'] }, 'TG_SETTINGS_CONFLICT'],
    ['a cluster on a Unix socket', { kind: 'cluster', urls: ['/sock'] }, 'TG_SETTINGS_CONFLICT'],
    ['a database of a cluster', { kind: 'cluster', urls: ['redis://a:1/2'] }, 'TG_SETTINGS_CONFLICT'],
    ['Sentinels without a group', { kind: 'sentinel' }, 'TG_SETTINGS_INVALID'],
    ['a brace in the prefix', { keyPrefix: 'a{b' }, 'TG_SETTINGS_INVALID'],
    ['no time to connect', { connectTimeoutMs: 0 }, 'TG_SETTINGS_INVALID'],
    ['no number', { maxCallsInFlight: NaN }, 'TG_SETTINGS_INVALID'],
    ['a negative jitter', { expiryJitterS: -1 }, 'TG_SETTINGS_INVALID'],
  ])('refuse %s', (_, more, code) => {
    expect(codeOf(() => resolveRedisOptions({ ...base, ...more }))).toBe(code);
  });

  it('take credentials and TLS from the URL where they are not set', () => {
    const settings = resolveRedisOptions({ kind: 'redis', urls: ['rediss://user:pw@host'] });
    expect([settings.credentials(), settings.tls]).toEqual([{ username: 'user', password: 'pw' }, {}]);
    const set = resolveRedisOptions({ ...base, credentials: () => ({ username: 'a', password: 'b' }) });
    expect([set.credentials(), set.tls]).toEqual([{ username: 'a', password: 'b' }, undefined]);
  });
});

describe('storage keys', () => {
  const params = (algorithm: 'token_bucket' | 'fixed_window' | 'sliding_window'): BucketCall['params'] => ({
    algorithm,
    limit: 1,
    windowUs: 1_000,
    capacity: 1,
    rateUtPerS: 1,
    version: 0,
  });
  const call = (group: string, key: string, algorithm: 'token_bucket' | 'fixed_window' = 'token_bucket') => ({
    group,
    key,
    params: params(algorithm),
    hits: 1,
    role: 'hard' as const,
    assumeOnFailure: false,
  });

  it.each([
    ['k', 'k', 'p:{k}:tb'],
    ['domain', 'k', 'p:{domain}/k:tb'],
    ['', '', 'p:{%}:tb'],
    ['a}b%', 'k', 'p:{a%7Db%25}/k:tb'],
  ])('group %j, key %j: %s', (group, key, expected) => {
    expect(storageKey('p:', call(group, key))).toBe(expected);
  });

  it('never meet, and buckets of one group share a slot', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[{}%/:atb]{0,6}$/));
    fc.assert(
      fc.property(text, text, text, text, (groupA, keyA, groupB, keyB) => {
        const [a, b] = [storageKey('', call(groupA, keyA)), storageKey('', call(groupB, keyB))];
        expect(a === b).toBe(groupA === groupB && keyA === keyB);
        expect(hashSlot(storageKey('', call(groupA, keyB, 'fixed_window')))).toBe(hashSlot(a));
      }),
    );
  });
});

describe('errors of the driver', () => {
  it.each([
    ['MOVED 3999 127.0.0.1:6381', { kind: 'moved', slot: 3999, address: '127.0.0.1:6381' }],
    ['ASK 3999 :6381', { kind: 'ask', slot: 3999, address: ':6381' }],
    ['MOVED', { kind: 'failed' }],
    ['TRYAGAIN Multiple keys request during rehashing of slot', { kind: 'try-again' }],
    ['NOSCRIPT No matching script.', { kind: 'no-script' }],
    ['CLUSTERDOWN The cluster is down', { kind: 'cluster-down' }],
    ['ERR unknown', { kind: 'failed' }],
  ])('%s', (message, failure) => expect(readFailure(new Error(message))).toEqual(failure));

  it.each([
    ['WRONGPASS invalid username-password pair', 'TG_STORE_AUTH'],
    ['NOAUTH Authentication required.', 'TG_STORE_AUTH'],
    ["NOPERM this user has no permissions to run the 'evalsha' command", 'TG_STORE_AUTH'],
    ['ERR invalid password', 'TG_STORE_AUTH'],
    ['LOADING Redis is loading the dataset in memory', 'TG_STORE_UNAVAILABLE'],
    ["READONLY You can't write against a read only replica.", 'TG_STORE_UNAVAILABLE'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'TG_STORE_REPLY'],
    ['ERR user_script:1: something', 'TG_STORE_REPLY'],
    ['connect ECONNREFUSED 127.0.0.1:1', 'TG_STORE_UNAVAILABLE'],
    ['Connection is closed.', 'TG_STORE_UNAVAILABLE'],
  ])('%s: %s', (message, code) => expect(toStoreError(new Error(message), 'n')).toMatchObject({ code }));

  it('lose the command that failed, which may be AUTH with its password', () => {
    const thrown = Object.assign(new Error('WRONGPASS'), { command: { name: 'auth', args: ['hunter2'] } });
    expect(toStoreError(thrown, 'n').cause).not.toHaveProperty('command');
  });
});

describe('the slot table', () => {
  it('is read with the asked host for nodes without one, and without what makes no sense', () => {
    const reply = [
      [0, 100, ['10.0.0.1', 7000, 'id'], ['', 7001, 'id']],
      [101, 16383, [null, 7002, 'id'], ['?', 7003, 'id']],
      [5, 99_999, ['x', 1]],
      ['a', 1, ['x', 1]],
      [1, 2],
      'nonsense',
    ];
    expect(readSlotTable(reply, 'asked')).toEqual([
      { from: 0, to: 100, master: '10.0.0.1:7000', replicas: ['asked:7001'] },
      { from: 101, to: 16383, master: 'asked:7002', replicas: [] },
    ]);
    expect([readSlotTable(undefined, 'h'), readSlotTable('x', 'h')]).toEqual([[], []]);
  });
});
