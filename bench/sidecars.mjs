/**
 * Many sidecars on the same buckets: how Redis's work, the sidecars' own, and what is admitted grow with their number. Each is a
 * LeasedStore with connections of its own, all in this process; the buckets are in a Redis Cluster of three masters on the other
 * core. Needs a build, redis-server and redis-cli.
 *
 *   taskset -c 0 node bench/sidecars.mjs [--rounds 3] [--ms 2000] [--sidecars 1,2,4,8,16,32]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuSeconds, killStarted } from './harness/processes.mjs';
import { decidingCommands, startCluster } from './harness/redis.mjs';
import { formatSpread, spreadOf } from './harness/statistics.mjs';

const load = createRequire(import.meta.url);
const { RedisStore } = load('../dist/store/redis/redis-store.js');
const { LeasedStore } = load('../dist/store/leased/leased-store.js');
const { bucketParams } = load('../dist/bucket/params.js');
const { systemClock } = load('../dist/app/system-clock.js');

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    ms: { type: 'string', default: '2000' },
    sidecars: { type: 'string', default: '1,2,4,8,16,32' },
  },
});
const TERMS = { epsilon: 0.05, ttlMs: 1_000, idleMs: 200 };
const S_US = 1_000_000;
const WARMUP_MS = 500;
const KEYS = 4;
const REDIS_CORE = 1;
/** The limit of each key a second, and what all sidecars together ask of it. */
const LOADS = [
  { name: '10,000/s each, 0.9 of it asked', limit: 10_000, ofLimit: 0.9 },
  { name: '10,000/s each, twice asked', limit: 10_000, ofLimit: 2 },
];
let holder = 0;
let run = 0;

async function startSidecars(count, redis) {
  const sidecars = [];
  for (let index = 0; index < count; index += 1) {
    const inner = new RedisStore({ kind: 'cluster', urls: redis.addresses.split(','), keyPrefix: 'bench:' });
    while (!inner.ready()) await new Promise((resolve) => setTimeout(resolve, 5));
    holder += 1;
    sidecars.push(
      new LeasedStore({ shared: inner, source: inner, terms: TERMS, clock: systemClock, holder }),
    );
  }
  return sidecars;
}

/** Requests for keys that nobody used before, so that every bucket is full at first. */
function requestsOf({ limit }) {
  run += 1;
  const params = bucketParams({ algorithm: 'token_bucket', limit, windowUs: S_US });
  return Array.from({ length: KEYS }, (_, index) => {
    const key = `bench|run=${run}|key=${index}`;
    const call = { key, group: key, params, hits: 1, role: 'hard', assumeOnFailure: false, leased: true };
    return { calls: [call], chargeDenied: 'none', quotaSatisfied: false, deadlineMs: 1_000 };
  });
}

/** Decides at a rate, a millisecond's worth at a time, sidecar by sidecar and key by key in turn. */
async function press(sidecars, requests, perS, forMs) {
  const pending = new Set();
  const seen = { made: 0, admitted: 0, failed: 0 };
  const count = ([result]) => {
    if (result.allowed === undefined) seen.failed += 1;
    else if (result.allowed) seen.admitted += 1;
  };
  const startMs = performance.now();
  for (let nowMs = startMs; nowMs < startMs + forMs; nowMs = performance.now()) {
    for (const due = ((nowMs - startMs) * perS) / 1_000; seen.made < due; seen.made += 1) {
      const sidecar = sidecars[seen.made % sidecars.length];
      const results = sidecar.decide(requests[Math.floor(seen.made / sidecars.length) % KEYS]);
      if (Array.isArray(results)) count(results);
      else {
        const counted = results.then(count).finally(() => pending.delete(counted));
        pending.add(counted);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(pending);
  return { ...seen, elapsedS: (performance.now() - startMs) / 1_000 };
}

async function measure(count, oneLoad, redis) {
  const sidecars = await startSidecars(count, redis);
  const requests = requestsOf(oneLoad);
  const perS = KEYS * oneLoad.limit * oneLoad.ofLimit;
  const startMs = performance.now();
  const first = await press(sidecars, requests, perS, WARMUP_MS);
  const before = { commands: await decidingCommands(redis.addresses), redis: cpuSeconds(redis.pids) };
  const cpuBefore = process.cpuUsage();
  const then = await press(sidecars, requests, perS, Number(values.ms));
  const elapsedS = (performance.now() - startMs) / 1_000;
  const cpu = process.cpuUsage(cpuBefore);
  const redisS = cpuSeconds(redis.pids) - before.redis;
  const { scripts } = await decidingCommands(redis.addresses);
  for (const sidecar of sidecars) await sidecar.close();
  // From the first call on: what the buckets held, and what came back since.
  const mayAdmit = KEYS * oneLoad.limit * (1 + elapsedS);
  const asked = first.made + then.made;
  return {
    perS: then.made / then.elapsedS,
    commands: (scripts - before.commands.scripts) / then.made,
    cpuUs: (cpu.user + cpu.system) / then.made,
    redisUs: (redisS * 1e6) / then.made,
    ofBound: (first.admitted + then.admitted) / mayAdmit,
    ofWanted: (first.admitted + then.admitted) / Math.min(asked, mayAdmit),
    failed: first.failed + then.failed,
  };
}

const folder = mkdtempSync(join(tmpdir(), 'tidegate-sidecars-'));
try {
  const redis = await startCluster(folder, REDIS_CORE);
  const counts = values.sidecars.split(',').map(Number);
  console.log(
    '| limit and load, 4 keys | sidecars | decisions/s | Redis commands a decision | us of CPU a decision | us of Redis CPU a decision | admitted, of what the limit lets | of what was asked and lets |',
  );
  console.log('|---|---|---|---|---|---|---|---|');
  for (const oneLoad of LOADS) {
    await measure(1, oneLoad, redis);
    const found = new Map(counts.map((count) => [count, []]));
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const count of counts) found.get(count).push(await measure(count, oneLoad, redis));
    }
    for (const [count, figures] of found) {
      const of = (name, digits) =>
        formatSpread(spreadOf(figures.map((figure) => figure[name])), (figure) => figure.toFixed(digits));
      const failed = figures.reduce((sum, figure) => sum + figure.failed, 0);
      const cells = [
        ...[oneLoad.name, count, of('perS', 0), of('commands', 4), of('cpuUs', 2), of('redisUs', 2)],
        ...[of('ofBound', 3), `${of('ofWanted', 3)}${failed > 0 ? `, ${failed} failed` : ''}`],
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
  await redis.stop();
} finally {
  killStarted();
  rmSync(folder, { recursive: true, force: true });
}
