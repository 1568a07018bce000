/**
 * The pure pieces of the data path one by one: what a decision costs without a socket. Prints ns per operation, median
 * and spread of several rounds that take turns. Needs a build (`npm run build`).
 *
 *   node bench/micro.mjs [--rounds 7] [--ms 200] [--only PART-OF-NAME]
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { formatSpread, spreadOf } from './harness/statistics.mjs';
import { DOMAIN, ENTRY_KEY, planKeys } from './load/keys.mjs';

const GRPC_PREFIX_BYTES = 5;
const BATCH = 1_000;

const load = createRequire(import.meta.url);
const { decodeRateLimitRequest, encodeRateLimitResponse } = load('../dist/wire/index.js');
const { MemoryStore } = load('../dist/store/memory/memory-store.js');
const { Limiter } = load('../dist/limiter/limiter.js');
const { compileLimits } = load('../dist/limiter/compile-limits.js');
const { PLAIN_ANSWERS } = load('../dist/limiter/answer.js');
const { PlanCache } = load('../dist/limiter/plan-cache.js');
const { RateLimitCalls, SHOULD_RATE_LIMIT } = load('../dist/app/rls-handler.js');
const { systemClock } = load('../dist/app/system-clock.js');

const clock = systemClock;
const limits = `
domain: ${DOMAIN}
descriptors:
  - key: ${ENTRY_KEY}
    rate_limit: {unit: minute, requests_per_unit: 1000000000}
`;

/** Counters that do what counters must: add. What the metrics cost beyond that is measured through the server. */
class Counters {
  hits = 0;
  totalHits(hits) {
    this.hits += hits;
  }
  overLimit(hits) {
    this.hits += hits;
  }
  nearLimit(hits) {
    this.hits += hits;
  }
  withinLimit(hits) {
    this.hits += hits;
  }
  shadowMode(hits) {
    this.hits += hits;
  }
}

function buildLimiter() {
  const { table, errors } = compileLimits([{ name: 'bench.yaml', text: limits }], {
    defaults: { algorithm: 'token_bucket', consistency: 'exact', onError: 'error' },
    mergeDomains: false,
    lenient: false,
    generation: 1,
    countersFor: () => new Counters(),
  });
  if (table === undefined) throw new Error(errors.join('\n'));
  const telemetry = {
    countersFor: () => new Counters(),
    domainNotFound() {},
    globalShadow() {},
    callFailed() {},
    failureModeUsed() {},
    denied() {},
  };
  const limiter = new Limiter(
    { store: new MemoryStore({ clock }), local: new MemoryStore({ clock }), telemetry },
    {
      colocate: 'bucket',
      shadowMode: false,
      quotaMode: false,
      dynamicMetadata: false,
      headers: { enabled: false, limit: '', remaining: '', reset: '', retryAfter: true },
      nearLimitRatio: 0.8,
      chargeDenied: 'none',
      storeDeadlineMs: 10,
      strictRequests: true,
    },
  );
  limiter.useTable(table);
  return limiter;
}

/** The messages of a key pattern, in the order that the load sends them. */
function messages(pattern) {
  const { requests, sequence } = planKeys(pattern);
  const bare = requests.map((request) => request.subarray(GRPC_PREFIX_BYTES));
  let next = 0;
  return () => {
    next = next + 1 === sequence.length ? 0 : next + 1;
    return bare[sequence[next]];
  };
}

const context = { timeoutMs: Number.POSITIVE_INFINITY };

function pieces() {
  const message = messages('hot')();
  const request = decodeRateLimitRequest(message);
  const limiter = buildLimiter();
  const response = limiter.decide(request, context);
  const store = new MemoryStore({ clock });
  const params = limiter.currentTable.rules[0].params;
  const bucketRequest = (key) => ({
    calls: [{ key, group: key, params, hits: 1, role: 'hard', assumeOnFailure: false }],
    chargeDenied: 'none',
    quotaSatisfied: false,
    deadlineMs: 10,
  });
  const one = bucketRequest('a');
  const plan = limiter.plan(request);
  const whole = (pattern, maxPlans) => {
    const take = messages(pattern);
    const calls = new RateLimitCalls({
      limiter,
      telemetry: { callFailed() {} },
      plans: new PlanCache({ maxPlans, maxMessageBytes: 1_024 }),
      finished() {},
      bounds: { maxMessageBytes: 1_048_576, maxDescriptors: 1_000, maxEntries: 64 },
      monotonicMs: () => clock.monotonicMs(),
    });
    const handler = calls.methods().get(SHOULD_RATE_LIMIT);
    return () => {
      const bytes = take();
      return handler.inPlace(bytes, 0, bytes.length, context).length;
    };
  };
  return {
    'wire: decode a request of one entry': () => () => decodeRateLimitRequest(message).descriptors.length,
    'wire: encode its answer': () => () => encodeRateLimitResponse(response).length,
    'memory store: one bucket': () => () => store.decide(one).length,
    'memory store: 100,000 buckets in turn': () => {
      const keys = Array.from({ length: 100_000 }, (_, index) => bucketRequest(`bench|user=u${index}`));
      let next = 0;
      return () => {
        next = (next + 7_919) % keys.length;
        return store.decide(keys[next]).length;
      };
    },
    'limiter: plan a request': () => () => limiter.plan(request).items.length,
    'limiter and memory store: decide what is planned': () => () =>
      limiter.decidePlan(plan, context, PLAIN_ANSWERS).statuses.length,
    'bytes to bytes: hot': () => whole('hot', 16_384),
    'bytes to bytes: hot, no plans kept': () => whole('hot', 0),
    'bytes to bytes: zipf:1.1:100000': () => whole('zipf:1.1:100000', 16_384),
    'bytes to bytes: zipf:1.1:100000, no plans kept': () => whole('zipf:1.1:100000', 0),
  };
}

function nsPerOperation(operation, forMs) {
  let operations = 0;
  let kept = 0;
  const startMs = performance.now();
  let elapsedMs = 0;
  while (elapsedMs < forMs) {
    for (let count = 0; count < BATCH; count += 1) kept += operation();
    operations += BATCH;
    elapsedMs = performance.now() - startMs;
  }
  if (kept === 0) throw new Error('an operation returned nothing');
  return (elapsedMs / operations) * 1e6;
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    ms: { type: 'string', default: '200' },
    only: { type: 'string', default: '' },
  },
});
// What is not asked for is not built: 100,000 messages on the heap would slow down the others.
const chosen = Object.entries(pieces())
  .filter(([name]) => name.includes(values.only))
  .map(([name, make]) => [name, make()]);
const figures = new Map(chosen.map(([name]) => [name, []]));
for (const [, operation] of chosen) nsPerOperation(operation, Number(values.ms));
for (let round = 0; round < Number(values.rounds); round += 1) {
  for (const [name, operation] of chosen)
    figures.get(name).push(nsPerOperation(operation, Number(values.ms)));
}
console.log(`| piece | ns per operation, median (min..max) of ${values.rounds} |\n|---|---|`);
for (const [name, found] of figures) {
  console.log(`| ${name} | ${formatSpread(spreadOf(found), (figure) => figure.toFixed(0))} |`);
}
