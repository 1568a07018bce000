/**
 * What a decision allocates where it is made in the process: bytes, promises, and how many objects each function makes; what
 * observation adds to its time; and what a watched bucket keeps. Needs a build.
 *
 *   node --expose-gc --min-semi-space-size=256 --max-semi-space-size=256 bench/allocations.mjs [--rounds 7] [--decisions 50000]
 */
import { createHook } from 'node:async_hooks';
import { Session } from 'node:inspector';
import { createRequire } from 'node:module';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { getHeapStatistics } from 'node:v8';
import { buildHandler } from './harness/handler.mjs';
import { formatSpread, ratioOf, spreadOf } from './harness/statistics.mjs';

const load = createRequire(import.meta.url);
const { LeasedStore } = load('../dist/store/leased/leased-store.js');
const { bucketParams } = load('../dist/bucket/params.js');

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, decisions: { type: 'string', default: '50000' } },
});
const ROUNDS = Number(values.rounds);
const DECISIONS = Number(values.decisions);
const BATCH = 5_000;
const ROUND_MS = 400;
const SAMPLED = 5_000;
const WATCHED = 100_000;
const SHOWN = 14;
if (typeof globalThis.gc !== 'function') throw new Error('run node with --expose-gc');

let collections = 0;
new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries())
    if (detail.flags !== constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) collections += 1;
}).observe({ entryTypes: ['gc'] });
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));
let promises = 0;
const hook = createHook({ init: (_id, type) => void (promises += type === 'PROMISE' ? 1 : 0) });

function decideMany({ decide }, count) {
  for (let i = 0; i < count; i += 1) if (decide() === 0) throw new Error('an answer was empty');
}

/** Bytes of heap a decision; undefined where a collection came in between, which would have taken some away. */
async function allocated(handler) {
  globalThis.gc();
  await settle();
  const before = collections;
  const heapBefore = getHeapStatistics().used_heap_size;
  decideMany(handler, DECISIONS);
  const bytes = (getHeapStatistics().used_heap_size - heapBefore) / DECISIONS;
  await settle();
  return collections === before ? bytes : undefined;
}

function nsPerDecision(handler) {
  const startMs = performance.now();
  let elapsedMs = 0;
  let decisions = 0;
  for (; elapsedMs < ROUND_MS; elapsedMs = performance.now() - startMs) {
    decideMany(handler, BATCH);
    decisions += BATCH;
  }
  return (elapsedMs / decisions) * 1e6;
}

async function promisesOf(handler) {
  promises = 0;
  hook.enable();
  decideMany(handler, DECISIONS);
  hook.disable();
  return promises / DECISIONS;
}

/** Who allocates, from V8's sampling heap profiler with every allocation sampled. */
async function allocators(handler) {
  const session = new Session();
  session.connect();
  const ask = (method, params) =>
    new Promise((resolve, reject) =>
      session.post(`HeapProfiler.${method}`, params, (error, result) =>
        error === null ? resolve(result) : reject(error),
      ),
    );
  await ask('startSampling', {
    samplingInterval: 1,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  decideMany(handler, SAMPLED);
  const { profile } = await ask('stopSampling');
  session.disconnect();
  const names = new Map();
  const name = ({ id, callFrame, children }) => {
    const file = callFrame.url.replace(/^file:\/\//, '').replace(/^.*\/(dist|bench|node_modules)\//, '$1/');
    names.set(id, `${callFrame.functionName || '(anonymous)'} ${file}`);
    children.forEach(name);
  };
  name(profile.head);
  const found = new Map();
  for (const { size, nodeId } of profile.samples) {
    const key = names.get(nodeId);
    const sum = found.get(key) ?? { objects: 0, bytes: 0 };
    found.set(key, { objects: sum.objects + 1 / SAMPLED, bytes: sum.bytes + size / SAMPLED });
  }
  return [...found].sort(([, a], [, b]) => b.bytes - a.bytes).filter(([, { objects }]) => objects > 0.05);
}

/** Bytes of heap that a leased store keeps for each bucket that it watches, which are those asked for twice. */
async function watched(grants) {
  const reply = { settled: true, granted: 0, accepted: 0, outstanding: 0, remaining: 1_000, resetUs: 0 };
  const outcome = { allowed: true, remaining: 1_000, resetUs: 0, retryAfterUs: 0 };
  const store = new LeasedStore({
    shared: { decide: () => [outcome], ready: () => true, close: async () => undefined },
    source: {
      lease: (ask, done) =>
        done({ ...reply, window: 0, forgotten: 0, missing: 0, granted: grants ? ask.want : 0 }),
    },
    terms: { epsilon: 0.05, ttlMs: 60_000, idleMs: 10_000 },
    clock: { monotonicMs: () => 0 },
    holder: 1,
  });
  const params = bucketParams({ algorithm: 'token_bucket', limit: 10_000, windowUs: 1_000_000 });
  globalThis.gc();
  const before = process.memoryUsage();
  for (let index = 0; index < WATCHED; index += 1) {
    const key = `bench|user=u${String(index).padStart(7, '0')}`;
    const call = { key, group: key, params, hits: 1, role: 'hard', assumeOnFailure: false, leased: true };
    const request = { calls: [call], chargeDenied: 'none', quotaSatisfied: false, deadlineMs: 10 };
    for (let hit = 0; hit < (grants ? 24 : 2); hit += 1) store.decide(request);
  }
  globalThis.gc();
  const after = process.memoryUsage();
  const { buckets, outstanding } = store.stats();
  await store.close();
  return {
    buckets,
    outstanding,
    bytes: (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / buckets,
  };
}

const whole = (figure) => figure.toFixed(0);
const two = (figure) => figure.toFixed(2);
const VARIANTS = ['leased', 'exact'].flatMap((consistency) =>
  ['hot', 'zipf:1.1:10000'].map((keys) => ({ consistency, keys })),
);
console.log(
  '| decided in the process | keys | ns a decision | ns without observation | with / without | bytes | bytes without observation | promises |',
);
console.log('|---|---|---|---|---|---|---|---|');
for (const { consistency, keys } of VARIANTS) {
  const both = [true, false].map((observed) => buildHandler({ consistency, observed, keys }));
  for (const handler of both) decideMany(handler, DECISIONS * 4);
  const ns = [[], []];
  const bytes = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const turn of [round % 2, 1 - (round % 2)]) {
      ns[turn].push(nsPerDecision(both[turn]));
      bytes[turn].push(await allocated(both[turn]));
      both[turn].step();
    }
  }
  const cells = [
    ...[consistency === 'leased' ? 'leased' : 'memory store', keys],
    ...ns.map((figures) => formatSpread(spreadOf(figures), whole)),
    formatSpread(ratioOf(ns[0], ns[1]), two),
    ...bytes.map((figures) => formatSpread(spreadOf(figures), whole)),
    await promisesOf(both[0]),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

const hot = buildHandler({ consistency: 'leased', observed: true, keys: 'hot' });
decideMany(hot, DECISIONS * 4);
console.log(
  '\n| who allocates, leased, one hot key | objects a decision | bytes a decision |\n|---|---|---|',
);
for (const [name, { objects, bytes }] of (await allocators(hot)).slice(0, SHOWN))
  console.log(`| ${name} | ${objects.toFixed(2)} | ${bytes.toFixed(0)} |`);

for (const grants of [false, true]) {
  const { buckets, bytes } = await watched(grants);
  console.log(
    `\n${buckets} watched buckets, ${grants ? 'each holding a lease' : 'none holding a lease'}: ${bytes.toFixed(0)} bytes each, key included`,
  );
}
process.exit();
