/**
 * What a million live buckets in the memory store cost: node --expose-gc bench/memory-store-footprint.mjs [buckets] [algorithm] [dist]
 * Prints one JSON line: the extra memory once they are all there (heap and array buffers, after a collection), the extra
 * resident set, and the time of a decision. Needs `npm run build`.
 */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [bucketsText = '1000000', algorithm = 'token_bucket', dist = 'dist'] = process.argv.slice(2);
const buckets = Number(bucketsText);
if (typeof globalThis.gc !== 'function' || !Number.isInteger(buckets) || buckets < 1) {
  console.error('usage: node --expose-gc bench/memory-store-footprint.mjs [buckets] [algorithm] [dist]');
  process.exit(2);
}
const require = createRequire(import.meta.url);
const { MemoryStore } = require(resolve(dist, 'store/memory/memory-store.js'));
const { bucketParams } = require(resolve(dist, 'bucket/params.js'));

const MIB = 1_048_576;
const DAY_US = 86_400_000_000;
const params = bucketParams({ algorithm, limit: 100, windowUs: DAY_US });
const clock = { nowUs: () => Date.now() * 1_000, monotonicMs: () => performance.now() };

function decideAll(store) {
  const begun = performance.now();
  for (let i = 0; i < buckets; i += 1) {
    const key = `edge_remote_address_10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}_path_/api/v1/items`;
    const call = { key, group: key, params, hits: 1, role: 'hard', assumeOnFailure: true };
    store.decide({ calls: [call], chargeDenied: 'none', quotaSatisfied: false, deadlineMs: 10 });
  }
  return ((performance.now() - begun) * 1_000_000) / buckets;
}

function memory() {
  globalThis.gc();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { held: heapUsed + arrayBuffers, rss };
}

const warmUp = new MemoryStore({ clock });
decideAll(warmUp);
await warmUp.close();
const before = memory();
const store = new MemoryStore({ clock, maxBuckets: buckets, maxSlidingBuckets: buckets });
const firstNs = decideAll(store);
const after = memory();
const againNs = decideAll(store);
console.log(
  JSON.stringify({
    algorithm,
    live: store.stats().buckets,
    extraMiB: Math.round((after.held - before.held) / MIB),
    extraRssMiB: Math.round((after.rss - before.rss) / MIB),
    bytesPerBucket: Math.round((after.held - before.held) / buckets),
    firstDecisionNs: Math.round(firstNs),
    laterDecisionNs: Math.round(againNs),
  }),
);
