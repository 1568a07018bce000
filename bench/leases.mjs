/**
 * What leases save: commands that Redis runs, and CPU of this process, for each decision, exact against leased, on the same
 * keys. No gRPC: the store alone. Needs a build (`npm run build`) and redis-server.
 *
 *   node bench/leases.mjs [--rounds 5] [--ms 1000]
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { startCluster, startRedis } from './harness/redis.mjs';
import { formatSpread, spreadOf } from './harness/statistics.mjs';

const load = createRequire(import.meta.url);
const { RedisStore } = load('../dist/store/redis/redis-store.js');
const { LeasedStore } = load('../dist/store/leased/leased-store.js');
const { bucketParams } = load('../dist/bucket/params.js');
const { systemClock } = load('../dist/app/system-clock.js');

const run = promisify(execFile);
const IN_FLIGHT = 100;
const TERMS = { epsilon: 0.05, ttlMs: 1_000, idleMs: 200 };
const S_US = 1_000_000;
let holder = 0;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, ms: { type: 'string', default: '1000' } },
});

/** Keys, their limit a second, and decisions a second over all of them; Infinity keeps 100 decisions in flight. */
const CASES = [
  { name: '1 hot key, 10 M/s allowed', keys: 1, limit: 10_000_000, perS: Infinity },
  { name: '16 hot keys, 10 M/s allowed each', keys: 16, limit: 10_000_000, perS: Infinity },
  { name: '1 key, 1,000/s allowed, 900/s asked', keys: 1, limit: 1_000, perS: 900 },
  { name: '16 keys, 1,000/s allowed and 900/s asked each', keys: 16, limit: 1_000, perS: 14_400 },
  { name: '1 key, 1,000/s allowed, 4,000/s asked', keys: 1, limit: 1_000, perS: 4_000 },
];

function requestsOf({ keys, limit }, leased) {
  const params = bucketParams({ algorithm: 'token_bucket', limit, windowUs: S_US });
  return Array.from({ length: keys }, (_, index) => {
    const key = `bench|key=${index}`;
    const call = { key, group: key, params, hits: 1, role: 'hard', assumeOnFailure: false, leased };
    return { calls: [call], chargeDenied: 'none', quotaSatisfied: false, deadlineMs: 1_000 };
  });
}

/** Keeps a number of decisions in flight until the time is over. @returns how many were made. */
async function pressHard(store, requests, untilMs) {
  let made = 0;
  const lane = async (first) => {
    for (let next = first; ; next += 1) {
      const results = store.decide(requests[next % requests.length]);
      made += 1;
      if (!Array.isArray(results)) await results;
      else if (made % 1_000 === 0) await new Promise(setImmediate);
      if (made % 64 === 0 && performance.now() >= untilMs) return;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, index) => lane(index)));
  return made;
}

/** Decides at a rate, a millisecond's worth at a time. @returns how many were made. */
async function pressEvenly(store, requests, perS, untilMs) {
  const startMs = performance.now();
  const pending = new Set();
  let made = 0;
  for (let nowMs = startMs; nowMs < untilMs; nowMs = performance.now()) {
    for (const due = ((nowMs - startMs) * perS) / 1_000; made < due; made += 1) {
      const results = store.decide(requests[made % requests.length]);
      if (Array.isArray(results)) continue;
      pending.add(results);
      void results.then(() => pending.delete(results));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(pending);
  return made;
}

async function commandsOf(ports) {
  let commands = 0;
  for (const port of ports) {
    const { stdout } = await run('redis-cli', ['-p', port, 'info', 'commandstats']);
    commands += Number(/cmdstat_evalsha:calls=(\d+)/.exec(stdout)?.[1] ?? 0);
  }
  return commands;
}

async function measure(kind, redis, oneCase, leased, ms) {
  const urls = redis.addresses.split(',');
  const ports = urls.map((url) => url.split(':')[1]);
  for (const port of ports) await run('redis-cli', ['-p', port, 'flushall']);
  const inner = new RedisStore({ kind, urls, keyPrefix: 'bench:' });
  while (!inner.ready()) await new Promise((resolve) => setTimeout(resolve, 5));
  holder += 1;
  const store = leased
    ? new LeasedStore({ shared: inner, source: inner, terms: TERMS, clock: systemClock, holder })
    : inner;
  const requests = requestsOf(oneCase, leased);
  const press = (untilMs) =>
    oneCase.perS === Infinity
      ? pressHard(store, requests, untilMs)
      : pressEvenly(store, requests, oneCase.perS, untilMs);
  await press(performance.now() + ms / 2);
  const before = await commandsOf(ports);
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const made = await press(startMs + ms);
  const elapsedS = (performance.now() - startMs) / 1_000;
  const cpu = process.cpuUsage(cpuBefore);
  const commands = (await commandsOf(ports)) - before;
  await store.close();
  return { perS: made / elapsedS, cpuUs: (cpu.user + cpu.system) / made, commands: commands / made };
}

const folder = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
try {
  for (const [kind, start] of [
    ['redis', startRedis],
    ['cluster', startCluster],
  ]) {
    const redis = await start(folder, 1);
    try {
      for (const oneCase of CASES) {
        const rounds = { exact: [], leased: [] };
        for (let round = 0; round < Number(values.rounds); round += 1) {
          for (const name of ['exact', 'leased']) {
            rounds[name].push(await measure(kind, redis, oneCase, name === 'leased', Number(values.ms)));
          }
        }
        for (const name of ['exact', 'leased']) {
          const of = (figure) => spreadOf(rounds[name].map((each) => each[figure]));
          const each = of('commands');
          console.log(
            [
              `${kind}: ${oneCase.name}: ${name}`.padEnd(72),
              `${formatSpread(of('perS'), (figure) => figure.toFixed(0))} decisions/s`,
              `${formatSpread(of('cpuUs'), (figure) => figure.toFixed(2))} us CPU`,
              each.median > 0 ? `1 command in ${(1 / each.median).toFixed(1)}` : 'no command',
            ].join('  '),
          );
        }
      }
    } finally {
      await redis.stop();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
