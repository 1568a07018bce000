import { inspect } from 'node:util';
import { TidegateError } from '../../src/core/errors';
import { ALGORITHMS } from '../../src/core/buckets';
import { BreakerBoard } from '../../src/store/guarded/breaker-board';
import type { RedisStoreOptions } from '../../src/store/redis/options';
import { RedisStore } from '../../src/store/redis/redis-store';
import { decide, take, used, verdicts } from '../parts/redis-asking';
import { freePort } from '../parts/free-port';
import { eventually, RedisServer } from '../parts/redis-server';

let server: RedisServer;
const stores: RedisStore[] = [];

/** A store that is closed after the test. */
function open(options: Partial<RedisStoreOptions> = {}): RedisStore {
  const store = new RedisStore({ kind: 'redis', urls: [server.address], ...options });
  stores.push(store);
  return store;
}

async function openReady(options: Partial<RedisStoreOptions> = {}): Promise<RedisStore> {
  const store = open(options);
  await eventually('the store is ready', () => store.ready());
  return store;
}

/** How often Redis ran a command. */
async function timesRun(command: string): Promise<number> {
  const stats = await server.admin.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

beforeAll(async () => {
  server = await RedisServer.start({ unixSocket: true });
});
afterEach(async () => {
  server.signal('SIGCONT');
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await server.admin.flushall();
});
afterAll(() => server.stop());

describe('a Redis store, when all is well', () => {
  it('answers calls made before its first connection is up', async () => {
    expect(await verdicts(open(), [take('early')])).toEqual(['ok']);
  });

  it('connects over a Unix socket', async () => {
    const store = await openReady({ urls: [`unix://${server.socketPath}`] });
    expect(await verdicts(store, [take('k')])).toEqual(['ok']);
  });

  it.each(ALGORITHMS)('shares one limit exactly with another store: %s', async (algorithm) => {
    const pair = [await openReady(), await openReady()];
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        verdicts(pair[i % 2] ?? open(), [take('shared', 1, 50, algorithm)]),
      ),
    );
    expect(answers.filter(([verdict]) => verdict === 'ok')).toHaveLength(50);
  });

  it('goes by the clock of Redis, and lets a bucket expire once it is full again', async () => {
    const store = await openReady({ keyPrefix: 'p:' });
    const params = { ...take('k').params, algorithm: 'token_bucket' as const, rateUtPerS: 5_000_000 };
    const call = { ...take('k'), params };
    await decide(store, [{ ...call, hits: 1 }]);
    const ttlMs = await server.admin.pttl('p:{k}:tb');
    expect(ttlMs).toBeGreaterThan(0);
    expect(ttlMs).toBeLessThanOrEqual(201);
    await eventually('the key has expired', async () => (await server.admin.exists('p:{k}:tb')) === 0);
    expect(await used(store, call)).toBe(0);
  });

  it('spreads expiry by the jitter', async () => {
    const store = await openReady({ expiryJitterS: 1_000 });
    const params = { ...take('k').params, algorithm: 'fixed_window' as const, windowUs: 1_000 };
    for (let i = 0; i < 20; i += 1) await decide(store, [{ ...take(`j${i}`), params }]);
    const ttls = await Promise.all(Array.from({ length: 20 }, (_, i) => server.admin.pttl(`{j${i}}:fw1000`)));
    expect(Math.max(...ttls)).toBeGreaterThan(100_000);
    expect(Math.max(...ttls)).toBeLessThanOrEqual(1_000_002);
  });
});

describe('a Redis store in trouble', () => {
  it('loads its script again after SCRIPT FLUSH, and takes once', async () => {
    const store = await openReady();
    await decide(store, [take('k')]);
    await server.admin.script('FLUSH');
    const answers = await Promise.all(Array.from({ length: 300 }, () => verdicts(store, [take('k')])));
    expect(answers.flat().every((verdict) => verdict === 'ok')).toBe(true);
    expect(await used(store, take('k'))).toBe(301);
  });

  it.each(ALGORITHMS)('answers by the deadline, and undoes what a late reply took: %s', async (algorithm) => {
    const store = await openReady();
    const call = take('k', 3, 10, algorithm);
    await decide(store, [{ ...call, hits: 2 }]);
    const written = await timesRun('set');
    server.signal('SIGSTOP');
    const startMs = performance.now();
    expect(await verdicts(store, [call, take('other', 1, 10, algorithm)], { deadlineMs: 20 })).toEqual([
      'TG_STORE_TIMEOUT',
      'TG_STORE_TIMEOUT',
    ]);
    expect(performance.now() - startMs).toBeLessThan(1_000);
    server.signal('SIGCONT');
    await eventually('both takes were made and undone', async () => (await timesRun('set')) === written + 4);
    expect([await used(store, call), await used(store, take('other', 1, 10, algorithm))]).toEqual([2, 0]);
  });

  it('undoes a charged denial that came late, to exactly what was there', async () => {
    const store = await openReady();
    const call = take('k', 8, 10, 'token_bucket');
    await decide(store, [{ ...call, hits: 7 }]);
    const written = await timesRun('set');
    server.signal('SIGSTOP');
    expect(await verdicts(store, [call], { deadlineMs: 20, chargeDenied: 'all' })).toEqual([
      'TG_STORE_TIMEOUT',
    ]);
    server.signal('SIGCONT');
    await eventually('the charge was made and undone', async () => (await timesRun('set')) === written + 2);
    expect(await used(store, call)).toBe(7);
  });

  it('bounds the calls in flight, and answers the rest at once', async () => {
    const store = await openReady({ maxCallsInFlight: 10 });
    server.signal('SIGSTOP');
    const waiting = Array.from({ length: 10 }, () => verdicts(store, [take('k')], { deadlineMs: 300 }));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(await verdicts(store, [take('k')], { deadlineMs: 60_000 })).toEqual(['TG_STORE_UNAVAILABLE']);
    expect((await Promise.all(waiting)).flat()).toEqual(Array(10).fill('TG_STORE_TIMEOUT'));
  });

  it('fails fast behind a breaker while Redis hangs, and recovers by itself', async () => {
    const changes: string[] = [];
    const guard = new BreakerBoard({
      breaker: { consecutiveFailures: 5, backoffMs: 50 },
      onStateChange: (_, state) => changes.push(state),
    });
    const store = await openReady({ guard });
    server.signal('SIGSTOP');
    for (let i = 0; i < 5; i += 1) await verdicts(store, [take('k')], { deadlineMs: 5 });
    expect(await verdicts(store, [take('k')], { deadlineMs: 60_000 })).toEqual(['TG_STORE_BREAKER_OPEN']);
    server.signal('SIGCONT');
    await eventually('it decides again', async () => (await verdicts(store, [take('k')]))[0] === 'ok');
    expect(changes[0]).toBe('open');
    expect(changes.at(-1)).toBe('closed');
  });

  it('does not hold it against Redis when callers are in a hurry', async () => {
    const guard = new BreakerBoard({ breaker: { consecutiveFailures: 5 } });
    const store = await openReady({ guard, patienceMs: 60_000 });
    server.signal('SIGSTOP');
    for (let i = 0; i < 10; i += 1) {
      expect(await verdicts(store, [take('k')], { deadlineMs: 1 })).toEqual(['TG_STORE_TIMEOUT']);
    }
    server.signal('SIGCONT');
    expect(await verdicts(store, [take('other')], { deadlineMs: 60_000 })).toEqual(['ok']);
    await eventually('what came late is given back', async () => (await used(store, take('k'))) === 0);
  });

  it('holds it against Redis when it is late, however early callers left', async () => {
    const guard = new BreakerBoard({ breaker: { consecutiveFailures: 5, backoffMs: 60_000 } });
    const store = await openReady({ guard, patienceMs: 20 });
    server.signal('SIGSTOP');
    for (let i = 0; i < 5; i += 1) await verdicts(store, [take('k')], { deadlineMs: 1 });
    await eventually('the breaker opens', () => guard.stateOf(server.address) === 'open');
  });

  it('drops a connection that stays silent, and recovers on another', async () => {
    const store = await openReady({ stallTimeoutMs: 100 });
    server.signal('SIGSTOP');
    expect(await verdicts(store, [take('k')], { deadlineMs: 10 })).toEqual(['TG_STORE_TIMEOUT']);
    await eventually('the connection is given up', () => !store.ready());
    server.signal('SIGCONT');
    await eventually('it is ready again', () => store.ready());
    expect(await verdicts(store, [take('k')])).toEqual(['ok']);
  });

  it('answers at once while Redis is down, and recovers by itself', async () => {
    const store = await openReady();
    await decide(store, [take('k')]);
    await server.kill();
    await eventually('the loss is noticed', () => !store.ready());
    const startMs = performance.now();
    expect(await verdicts(store, [take('k')])).toEqual(['TG_STORE_UNAVAILABLE']);
    expect(performance.now() - startMs).toBeLessThan(500);
    await server.restart();
    await eventually('it is ready again', () => store.ready());
    expect(await verdicts(store, [take('k')])).toEqual(['ok']);
  });

  it('answers calls whose connection breaks, without sending them again', async () => {
    const store = await openReady();
    server.signal('SIGSTOP');
    const answer = verdicts(store, [take('k')]);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    await server.kill();
    expect(await answer).toEqual(['TG_STORE_UNAVAILABLE']);
    await server.restart();
    await eventually('it is ready again', () => store.ready());
    expect(await used(store, take('k'))).toBe(0);
  });

  it('says so when nobody listens', async () => {
    const store = open({ urls: [`127.0.0.1:${await freePort()}`] });
    expect(await verdicts(store, [take('k')])).toEqual(['TG_STORE_UNAVAILABLE']);
    expect(store.ready()).toBe(false);
  });

  it('leaves keys alone that are no buckets, and decides the others', async () => {
    const store = await openReady();
    await server.admin.hset('{a}:fw31536000000000', 'field', 'value');
    await server.admin.set('{b}:fw31536000000000', 'text of somebody else');
    const calls = ['a', 'b', 'c'].map((key) => ({ ...take(key), assumeOnFailure: true }));
    expect(await verdicts(store, calls)).toEqual(['TG_STORE_REPLY', 'TG_STORE_REPLY', 'ok']);
    expect(await server.admin.hget('{a}:fw31536000000000', 'field')).toBe('value');
    expect(await server.admin.get('{b}:fw31536000000000')).toBe('text of somebody else');
  });

  it('answers every call when it is closed meanwhile', async () => {
    const store = await openReady();
    server.signal('SIGSTOP');
    const answers = Promise.all(Array.from({ length: 50 }, () => verdicts(store, [take('k')])));
    await store.close();
    expect((await answers).flat()).toEqual(Array(50).fill('TG_STORE_UNAVAILABLE'));
  });

  it('refuses calls after it was closed', async () => {
    const store = await openReady();
    await store.close();
    expect(await verdicts(store, [take('k')])).toEqual(['TG_STORE_UNAVAILABLE']);
    expect(store.ready()).toBe(false);
  });
});

describe('a Redis store and passwords', () => {
  afterEach(() => server.admin.call('acl', 'deluser', 'app'));

  it('says that the password is wrong, and keeps it out of the error', async () => {
    await server.admin.call('acl', 'setuser', 'app', 'on', '>right', '~*', '+@all');
    const store = open({ username: 'app', password: 'n0t-this-0ne' });
    await eventually('the refusal arrives', async () => {
      return (await verdicts(store, [take('k')]))[0] === 'TG_STORE_AUTH';
    });
    const [error] = await decide(store, [take('k')]);
    expect(error).toBeInstanceOf(TidegateError);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('n0t-this-0ne');
  });

  it('says that the user may not run what it needs', async () => {
    await server.admin.call('acl', 'setuser', 'app', 'on', '>pw', '~*', '+ping', '+info');
    const store = await openReady({ username: 'app', password: 'pw' });
    expect(await verdicts(store, [take('k')])).toEqual(['TG_STORE_AUTH']);
  });

  it('goes on with the last password when it cannot be read anew', async () => {
    await server.admin.call('acl', 'setuser', 'app', 'on', '>first', '~*', '+@all');
    let [readings, readable] = [0, true];
    const store = await openReady({
      credentials: () => {
        readings += 1;
        if (!readable) throw new Error('no such file');
        return { username: 'app', password: 'first' };
      },
    });
    readable = false;
    const before = readings;
    await server.admin.call('client', 'kill', 'user', 'app');
    await eventually('it is read anew', () => readings > before);
    await eventually('it is ready again', () => store.ready());
    expect(await verdicts(store, [take('k')])).toEqual(['ok']);
  });

  it('connects with the password of the moment', async () => {
    await server.admin.call('acl', 'setuser', 'app', 'on', '>first', '~*', '+@all');
    let password = 'first';
    const store = await openReady({ credentials: () => ({ username: 'app', password }) });
    await server.admin.call('acl', 'setuser', 'app', 'resetpass', '>second');
    password = 'second';
    await server.admin.call('client', 'kill', 'user', 'app');
    await eventually('the loss is noticed', () => !store.ready());
    await eventually('it is ready again', () => store.ready());
    expect(await verdicts(store, [take('k')])).toEqual(['ok']);
  });
});
