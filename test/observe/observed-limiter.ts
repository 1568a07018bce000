/** A limiter whose demand is observed, and how its tests read it. */
import { COUNTS, type ObservationBatch } from '../../src/core/observation';
import { seededRandom } from '../../src/forecast/numeric/random';
import type { LimitTable } from '../../src/limiter/limit-table';
import { PLAIN_ANSWERS } from '../../src/limiter/answer';
import { Limiter } from '../../src/limiter/limiter';
import { ClassCounts, type ClassCountOptions } from '../../src/observe/class-counts';
import { ClassMap, type ClassMapOptions } from '../../src/observe/class-map';
import {
  LIMITER,
  NO_DEADLINE,
  outcome,
  RecordedTelemetry,
  requestOf,
  ScriptedStore,
  tableOf,
} from '../limiter/parts';

/** Rules of one bucket, of many, without a limit, and below a tenant. */
export const LIMITS = `
domain: d
descriptors:
  - key: path
    value: /login
    rate_limit: {unit: second, requests_per_unit: 10}
  - key: user
    rate_limit: {unit: second, requests_per_unit: 10}
  - key: free
    rate_limit: {unlimited: true}
  - key: tenant
    descriptors:
      - key: api
        value: search
        rate_limit: {unit: second, requests_per_unit: 10}
`;

/** What a test asks and takes. */
export interface Setup {
  readonly counts: ClassCounts;
  readonly limiter: Limiter;
  readonly store: ScriptedStore;
  readonly load: (text: string) => LimitTable;
  readonly ask: (text: string, times?: number, hits?: number) => void;
  readonly steps: (times: number, eachStep?: () => void) => ObservationBatch;
}

/** A limiter whose demand is counted, over a store that lets pass. */
export function setup(
  options: Partial<ClassCountOptions> = {},
  map: Partial<ClassMapOptions> = {},
  text = LIMITS,
): Setup {
  const random = seededRandom(7);
  const counts = new ClassCounts({
    source: 'a',
    map: new ClassMap({ classes: [], serviceKey: '', tenantKey: '', ...map }),
    keysPerRule: 16,
    maxKeys: 1_000,
    minKeyRatePerS: 1,
    minKeyShare: 0.05,
    maxTenants: 100,
    keepMs: 60_000,
    random: () => random.next(),
    ...options,
  });
  const store = new ScriptedStore((request) => request.calls.map(() => outcome()));
  const limiter = new Limiter({ store, local: store, telemetry: new RecordedTelemetry() }, LIMITER);
  let atMs = 0;
  const load = (limits: string): LimitTable => {
    const table = tableOf(limits, { demandFor: counts.demandFor });
    limiter.useTable(table);
    counts.use(table.rules);
    return table;
  };
  load(text);
  return {
    counts,
    limiter,
    store,
    load,
    ask: (asked, times = 1, hits = 0) => {
      const plan = limiter.plan(requestOf([asked], hits));
      for (let time = 0; time < times; time += 1) void limiter.decidePlan(plan, NO_DEADLINE, PLAIN_ANSWERS);
    },
    steps: (times, eachStep = () => undefined) => {
      let last: ObservationBatch | undefined;
      for (let step = 0; step < times; step += 1) {
        eachStep();
        last = counts.take((atMs += 1_000));
      }
      if (last === undefined) throw new Error('no step');
      return last;
    },
  };
}

/** The rows of a batch as objects. */
export function rows(batch: ObservationBatch): Record<string, Record<string, number>> {
  return Object.fromEntries(
    batch.classes.map((id, row) => [
      id,
      Object.fromEntries(
        COUNTS.map((name, column) => [name, batch.counts[row * COUNTS.length + column] ?? NaN]),
      ),
    ]),
  );
}
