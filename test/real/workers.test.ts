/** Several processes deciding on one data port, as users run it. */
import { readdirSync, readlinkSync } from 'node:fs';
import { credentials } from '@grpc/grpc-js';
import { RlsCode, type RlsRequest } from '../../src/core/rls';
import { oneDescriptor, RlsClient } from '../app/rls-client';
import { type LimitsFile, writeLimits } from '../parts/limits-file';
import { startTidegate, type TidegateProcess } from '../parts/tidegate-process';
import { until } from '../parts/until';

const LIMITS = `domain: shop
descriptors:
  - key: exact
    rate_limit: { unit: year, requests_per_unit: 800 }
  - key: window
    rate_limit: { unit: year, requests_per_unit: 800, algorithm: fixed_window, consistency: leased }
  - key: leased
    rate_limit: { unit: year, requests_per_unit: 6000, consistency: leased }
  - key: queue
    rate_limit: { per: 20ms, requests_per_unit: 1, queue: { max_wait: 5s } }
  - key: version
    rate_limit: { unit: year, requests_per_unit: 1000 }
`;

let limits: LimitsFile;
let tidegate: TidegateProcess;
const clients: RlsClient[] = [];

beforeEach(async () => {
  limits = await writeLimits(LIMITS);
  tidegate = await startTidegate({
    limits: limits.path,
    env: { TIDEGATE_WORKERS: '2', TIDEGATE_STORE_DEADLINE: '5s', TIDEGATE_ADMIN_TOKEN: 'secret' },
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await tidegate.stop();
  await limits.remove();
});

/** Clients with connections of their own, so that workers take turns in accepting them. */
function connect(count: number): RlsClient[] {
  const added = Array.from(
    { length: count },
    () =>
      new RlsClient(tidegate.data, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
        'grpc.initial_reconnect_backoff_ms': 100,
      }),
  );
  clients.push(...added);
  return added;
}

async function press(request: RlsRequest, client: RlsClient, calls: number): Promise<number> {
  let ok = 0;
  for (let done = 0; done < calls; done += 20) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.decide(request)));
    ok += answers.filter(({ overallCode }) => overallCode === RlsCode.OK).length;
  }
  return ok;
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`http://${tidegate.admin}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length));
}

/** The workers' processes by number, the last of each. */
function pids(): Map<unknown, number> {
  const served = tidegate.logs().filter(({ msg }) => msg === 'worker serves');
  return new Map(served.map(({ worker, pid }) => [worker, Number(pid)]));
}

test.each([
  ['exact', 800, 800],
  ['window', 800, 760],
  ['leased', 6_000, 5_700],
])('a limit holds over all workers: %s', async (key, limit, least) => {
  const request = oneDescriptor('shop', { [key]: 'a' });
  const sums = await Promise.all(connect(4).map((client) => press(request, client, limit / 2)));
  const together = sums.reduce((sum, each) => sum + each, 0);
  expect(together).toBeLessThanOrEqual(limit);
  expect(together).toBeGreaterThanOrEqual(least);
  const rule = `ratelimit_service_rate_limit_total_hits{domain="shop",key1="${key}"}`;
  expect(await metric(rule)).toBe(2 * limit);
  expect(await metric('tidegate_workers')).toBe(2);
  const used = await Promise.all(
    [1, 2].map((n) => metric(`tidegate_worker_cpu_seconds_total{worker="${n}"}`)),
  );
  expect(Math.min(...used)).toBeGreaterThan(0);
  if (key === 'exact') return;
  expect(await metric('tidegate_lease_local_decisions_total')).toBeGreaterThan(limit / 4);
  await until('leases are back', async () => (await metric('tidegate_lease_outstanding_tokens')) === 0);
  // What came back is there for whoever asks next, and no more than that.
  expect(together + (await press(request, connect(1)[0]!, 400))).toBe(limit);
});

test('calls of all workers wait for the tokens of one bucket', async () => {
  const request = oneDescriptor('shop', { queue: 'a' });
  const fromMs = performance.now();
  const answers = await Promise.all(
    connect(4).flatMap((client) => [1, 2, 3].map(() => client.decide(request))),
  );
  const passedMs = performance.now() - fromMs;
  expect(answers.map(({ overallCode }) => overallCode)).toEqual(answers.map(() => RlsCode.OK));
  expect(passedMs).toBeGreaterThan(11 * 20 - 5);
});

test('a reload is loaded when all workers use it', async () => {
  const asking = connect(6);
  const request = oneDescriptor('shop', { version: 'a' });
  await Promise.all(asking.map((client) => client.decide(request)));
  for (let round = 1; round <= 4; round += 1) {
    const limit = 1_000 + round;
    await limits.replace(LIMITS.replace('requests_per_unit: 1000', `requests_per_unit: ${limit}`));
    const reply = await fetch(`http://${tidegate.admin}/api/v1/limits/reload`, {
      method: 'POST',
      headers: { authorization: 'Bearer secret' },
    });
    expect(reply.status).toBe(200);
    const answers = await Promise.all(asking.map((client) => client.decide(request)));
    expect(answers.map(({ statuses }) => statuses[0]?.currentLimit?.requestsPerUnit)).toEqual(
      asking.map(() => limit),
    );
  }
});

test('a worker that is killed under load is started again; no token is spent twice', async () => {
  const request = oneDescriptor('shop', { leased: 'a' });
  let ok = 0;
  let failed = 0;
  let ended = false;
  const load = connect(6).map(async (client) => {
    while (!ended) {
      await client.decide(request).then(
        ({ overallCode }) => {
          if (overallCode === RlsCode.OK) ok += 1;
        },
        () => {
          failed += 1;
        },
      );
    }
  });
  await until('there is load', () => ok > 500);
  const victim = pids().get(1)!;
  process.kill(victim, 'SIGKILL');
  await until('it is started again', () => pids().get(1) !== victim);
  const before = ok;
  await until('it goes on', () => ok > before + 500 || ok + failed > 20_000);
  ended = true;
  await Promise.all(load);
  expect(failed).toBeLessThanOrEqual(200);
  expect(await metric('tidegate_worker_restarts_total')).toBe(1);
  await until('leases are back', async () => (await metric('tidegate_lease_outstanding_tokens')) === 0);
  const after = await press(request, connect(1)[0]!, 7_000 - Math.min(ok, 6_000));
  // What the killed one held is lost until its lease runs out, and then for good; its allowance is 300 tokens.
  expect(ok + after).toBeLessThanOrEqual(6_000);
  expect(ok + after).toBeGreaterThanOrEqual(6_000 - 300 - failed);
  expect(tidegate.logs().filter(({ msg }) => msg === 'a worker ended; it is started again')).toHaveLength(1);
});

test('a worker that is started again asks over a link of its own, and the old one is gone', async () => {
  const request = oneDescriptor('shop', { exact: 'a' });
  const primary = tidegate.child.pid;
  const openSockets = (pid: number): number =>
    readdirSync(`/proc/${pid}/fd`).filter((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:');
      } catch {
        return false;
      }
    }).length;
  let ok = 0;
  let before = Infinity;
  for (let kills = 0; kills < 4; kills += 1) {
    const old = pids().get(1)!;
    process.kill(old, 'SIGKILL');
    await until('it is started again', () => pids().get(1) !== old);
    const sums = await Promise.all(connect(4).map((client) => press(request, client, 40)));
    ok += sums.reduce((sum, each) => sum + each, 0);
    for (const client of clients.splice(0)) client.close();
    const allowed = before;
    await until('no link of a worker that is gone is open', () => openSockets(primary) <= allowed);
    // What the primary opens besides, it has opened by then.
    before = openSockets(primary);
  }
  expect(ok).toBe(4 * 4 * 40);
  const rest = await Promise.all(connect(2).map((client) => press(request, client, 100)));
  expect(rest[0]! + rest[1]!).toBe(800 - ok);
  for (const client of clients.splice(0)) client.close();
  const first = pids().get(1)!;
  await until('none has what others have', () => openSockets(first) <= openSockets(pids().get(2)!));
});

test('all drain on SIGTERM, and end with the primary', async () => {
  const waiting = connect(4).map((client) => client.decide(oneDescriptor('shop', { queue: 'b' })));
  await Promise.all(waiting);
  const inFlight = connect(4).map((client) => client.decide(oneDescriptor('shop', { exact: 'b' })));
  await Promise.all(inFlight);
  const running = [...pids().values()];
  expect(running).toHaveLength(2);
  const exit = await tidegate.child.stop();
  expect(exit).toBe(0);
  for (const pid of running) expect(() => process.kill(pid, 0)).toThrow();
  expect(tidegate.logs().at(-1)?.msg).toBe('stopped');
});

test('workers end when the primary is killed', async () => {
  const running = [...pids().values()];
  tidegate.child.signal('SIGKILL');
  await tidegate.child.exited;
  const isGone = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  };
  await until('they are gone', () => running.every(isGone));
});

test('a port that is taken refuses the start', async () => {
  const blocked = startTidegate({
    limits: limits.path,
    env: { TIDEGATE_WORKERS: '2', TIDEGATE_DATA_PORT: tidegate.data.split(':')[1]! },
  });
  await expect(blocked).rejects.toThrow('TG_LISTEN');
});
