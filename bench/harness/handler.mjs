/** The RateLimitService's handler, bytes in and bytes out, put together as the server does, but for sockets and Redis. */
import { createRequire } from 'node:module';
import { DOMAIN, ENTRY_KEY, planKeys } from '../load/keys.mjs';

const load = createRequire(import.meta.url);
const { loadSettings } = load('../../dist/config/load-settings.js');
const { MemoryStore } = load('../../dist/store/memory/memory-store.js');
const { LeasedStore } = load('../../dist/store/leased/leased-store.js');
const { QueuedStore } = load('../../dist/store/queued/queued-store.js');
const { Limiter } = load('../../dist/limiter/limiter.js');
const { compileLimits } = load('../../dist/limiter/compile-limits.js');
const { PlanCache } = load('../../dist/limiter/plan-cache.js');
const { RateLimitCalls, SHOULD_RATE_LIMIT } = load('../../dist/app/rls-handler.js');
const { limiterOptions, planCacheOptions, requestBounds } = load('../../dist/app/part-options.js');
const { createClassCounts } = load('../../dist/app/forecasting/observer.js');
const { Metrics } = load('../../dist/telemetry/metrics.js');
const { LeaseCounts } = load('../../dist/telemetry/lease-counts.js');
const { systemClock } = load('../../dist/app/system-clock.js');

const GRPC_PREFIX_BYTES = 5;
/** Calls that one read of a connection brings, which share one reading of the clock. */
const CALLS_A_READ = 25;
const context = { timeoutMs: Number.POSITIVE_INFINITY };
const limits = `
domain: ${DOMAIN}
descriptors:
  - key: ${ENTRY_KEY}
    rate_limit: {unit: minute, requests_per_unit: 1000000000}
`;

/**
 * @param {{ consistency: 'exact' | 'leased', observed: boolean, keys: string }} options leases come from buckets in this process
 * @returns {{ decide: () => number, step: () => void, methods: object, turns: object }} `decide` answers the next message, as the data port has it answered, and says how long the answer is;
 *   `step` is what happens once a second; `methods` and `turns` are for a server of its own
 */
export function buildHandler({ consistency, observed, keys }) {
  const { settings } = loadSettings({ flags: [`--consistency=${consistency}`], env: {}, readFile: String });
  const metrics = new Metrics({ version: 'bench', processMetrics: false }, systemClock);
  const local = new MemoryStore({ clock: systemClock });
  const { epsilon, ttlMs, idleMs } = settings.store.lease;
  const leased = new LeasedStore({
    shared: local,
    source: local,
    terms: { epsilon, ttlMs, idleMs },
    clock: systemClock,
    holder: 1,
    observer: new LeaseCounts(),
  });
  const store = new QueuedStore({
    inner: consistency === 'leased' ? leased : local,
    clock: systemClock,
    maxTotal: settings.queue.maxTotal,
    observer: metrics,
  });
  const counts = createClassCounts(settings, 'bench');
  const { table, errors } = compileLimits([{ name: 'bench.yaml', text: limits }], {
    defaults: { algorithm: 'token_bucket', consistency, onError: 'error' },
    mergeDomains: false,
    lenient: false,
    generation: 1,
    countersFor: (key) => metrics.countersFor(key),
    countersForRule: (id) => metrics.countersForRule(id),
    ...(observed ? { demandFor: counts.demandFor } : {}),
  });
  if (table === undefined) throw new Error(errors.join('\n'));
  const limiter = new Limiter({ store, local, telemetry: metrics }, limiterOptions(settings));
  limiter.useTable(table);
  if (observed) counts.use(table.rules);
  const calls = new RateLimitCalls({
    limiter,
    telemetry: metrics,
    plans: new PlanCache(planCacheOptions(settings)),
    finished: (result, durationMs, calls) => metrics.callFinished(result, durationMs, calls),
    bounds: requestBounds(settings),
    monotonicMs: () => systemClock.monotonicMs(),
    turns: systemClock,
  });
  const methods = calls.methods();
  const handler = methods.get(SHOULD_RATE_LIMIT);
  const { requests, sequence } = planKeys(keys);
  const messages = requests.map((request) => request.subarray(GRPC_PREFIX_BYTES));
  let next = 0;
  let left = 0;
  return {
    decide: () => {
      if (left === 0) {
        systemClock.end();
        systemClock.begin();
        left = CALLS_A_READ;
      }
      left -= 1;
      next = next + 1 === sequence.length ? 0 : next + 1;
      const message = messages[sequence[next]];
      const answer = handler.inPlace(message, 0, message.length, context);
      if (!(answer instanceof Uint8Array)) throw new Error('a local decision was not made at once');
      return answer.length;
    },
    step: () => void counts.take(Date.now()),
    methods,
    turns: systemClock,
  };
}
