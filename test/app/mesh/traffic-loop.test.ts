/** The loop of weights beside what goes wrong around it: other files, a start anew, a store that does not answer. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BucketWatch } from '../../../src/app/mesh/bucket-watch';
import { Discovery } from '../../../src/app/mesh/discovery';
import { targetBuckets } from '../../../src/app/mesh/target-buckets';
import { TargetHealths } from '../../../src/app/mesh/target-health';
import { TrafficLoop } from '../../../src/app/mesh/traffic-loop';
import type { BucketLevel, BucketRef } from '../../../src/core/pool-link';
import type { Logger } from '../../../src/core/ports';
import { COUNTS } from '../../../src/core/observation';
import { loaded } from '../../config/load';
import { tableOf } from '../../limiter/parts';
import { until } from '../../parts/until';

const LIMITS = `
domain: shop
descriptors:
  - {key: cluster, value: a, rate_limit: {unit: second, requests_per_unit: 20}}
  - {key: cluster, value: b, rate_limit: {unit: second, requests_per_unit: 500}}
`;
const TICK_MS = 100;
const TYPE = 'type.googleapis.com/envoy.config';

const resources = (timeout: string) =>
  JSON.stringify({
    resources: [
      ...['a', 'b'].map((name) => ({
        '@type': `${TYPE}.cluster.v3.Cluster`,
        name,
        connect_timeout: timeout,
      })),
      {
        '@type': `${TYPE}.route.v3.RouteConfiguration`,
        name: 'routes',
        virtual_hosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [
              {
                match: { prefix: '/' },
                route: {
                  weighted_clusters: {
                    clusters: [
                      { name: 'a', weight: 1 },
                      { name: 'b', weight: 1 },
                    ],
                  },
                },
              },
            ],
          },
        ],
      },
    ],
  });

let folder: string;
let discovery: Discovery;
let loop: TrafficLoop;
let buckets: BucketWatch;
let levels: (refs: readonly BucketRef[]) => Promise<readonly BucketLevel[]>;
let nowMs: number;
let monotonicMs: () => number;
let told: string[];

/** What was logged, and faults that were reported. */
const log = (_fields: object, message: string): void => void told.push(message);
const logger: Logger = { debug: log, info: log, warn: log, error: log };
const faults = {
  report: (_error: unknown, message: string): void => void told.push(message),
  flush: () => {},
};

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tidegate-loop-'));
  await write('all.json', resources('1s'));
  told = [];
  nowMs = 1_000_000;
  monotonicMs = () => nowMs;
  levels = async (refs) => refs.map(() => ({ tokens: 5, capacity: 1_000 }));
});

afterEach(async () => {
  loop.stop();
  discovery.close();
  await rm(folder, { recursive: true, force: true });
});

const write = (name: string, text: string): Promise<void> => writeFile(path.join(folder, name), text);

async function begin(): Promise<void> {
  const { settings } = loaded({
    file: `
mesh:
  path: ${folder}
  poll_interval: 100ms
  targets:
    - {group: g, cluster: a, bucket: shop.cluster_a}
    - {group: g, cluster: b, bucket: shop.cluster_b}
  traffic: {mode: active, leave_per_s: 0.2, lead: 1s}
`,
  });
  discovery = new Discovery(settings.mesh, logger, () => nowMs);
  buckets = new BucketWatch({
    operator: { levels: async (refs) => levels(refs), transfer: () => Promise.reject(new Error('never')) },
    predict: () => undefined,
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
  });
  buckets.use(
    targetBuckets(settings, tableOf(LIMITS, { demandFor: (place: object) => ({ place }) as never })),
  );
  loop = new TrafficLoop({
    settings: settings.mesh,
    discovery,
    buckets,
    healths: new TargetHealths({
      history: { series: () => ({ newest: () => undefined }) as never },
      names: settings.mesh.traffic.signals,
      predict: () => undefined,
      put: () => undefined,
    }),
    told: () => undefined,
    changed: () => undefined,
    logger,
    faults,
    nowMs: () => nowMs,
    monotonicMs: () => monotonicMs(),
  });
  await discovery.start(() => loop.resourcesChanged(), false);
}

/** Turns for so long, each target being asked for so much a second. */
async function turns(forMs: number, perS: number): Promise<void> {
  for (let passed = 0; passed < forMs; passed += TICK_MS) {
    nowMs += TICK_MS;
    if (nowMs % 1_000 === 0)
      buckets.note({
        source: 'one',
        stepMs: 1_000,
        classes: ['shop.cluster_a', 'shop.cluster_b'],
        counts: Float64Array.from([0, 1].flatMap(() => COUNTS.map(() => perS))),
      } as never);
    await loop.turn();
  }
}

const version = (): string | undefined =>
  discovery.view().groups[0]?.types.find(({ typeUrl }) => typeUrl.endsWith('RouteConfiguration'))?.version;
const shareOfA = (): number => loop.groups()[0]?.targets[0]?.shares[0] ?? NaN;

test('other files get the weights in force, and nobody the configured ones in between', async () => {
  await begin();
  const configured = version();
  await turns(10_000, 100);
  expect(shareOfA()).toBeLessThan(0.2);
  const moved = version();
  expect(moved).not.toBe(configured);
  const seen = new Set<string | undefined>();
  await write('all.json', resources('2s'));
  // The loop does not turn meanwhile: what is there is what the new files came with.
  await until('the other files', async () => {
    seen.add(version());
    return told.filter((line) => line === 'resources loaded').length === 2;
  });
  seen.add(version());
  expect(seen).not.toContain(configured);
  expect(shareOfA()).toBeLessThan(0.2);
});

test('after a start Envoys keep what they have until demand is known and weights are found, at once', async () => {
  await begin();
  expect(discovery.holding).toBe(true);
  expect(loop.view().warnings.join()).toContain('just started');
  await turns(1_500, 100);
  expect(discovery.holding).toBe(true);
  expect(shareOfA()).toBeLessThan(0.2);
  await turns(2_000, 100);
  expect(discovery.holding).toBe(false);
  expect(loop.view().warnings.join()).not.toContain('just started');
});

test('where demand does not become known it is waited for no longer than that', async () => {
  jest.useFakeTimers();
  try {
    await begin();
    loop.start();
    jest.advanceTimersByTime(9_999);
    expect(discovery.holding).toBe(true);
    jest.advanceTimersByTime(2);
    expect(discovery.holding).toBe(false);
  } finally {
    loop.stop();
    discovery.close();
    jest.useRealTimers();
  }
});

test('a store that does not answer is asked once, and keeps no turn; then the configured weights come back', async () => {
  await begin();
  await turns(10_000, 100);
  let asked = 0;
  levels = () => {
    asked += 1;
    return new Promise(() => undefined);
  };
  const before = nowMs;
  await turns(1_000, 100);
  expect(asked).toBe(1);
  expect(loop.groups()[0]?.atMs).toBe(before + 1_000);
  nowMs += 60_000;
  await turns(TICK_MS, 100);
  expect(loop.groups()[0]?.state).toBe('stale');
});

test('a store that fails is told, and the turn goes on', async () => {
  await begin();
  levels = () => Promise.reject(new Error('gone'));
  await turns(TICK_MS, 100);
  expect(told).toContain('buckets cannot be looked at');
  expect(loop.groups()).toHaveLength(1);
});

test('files that are all gone, or broken, keep what was there, and are told once', async () => {
  await begin();
  const before = version();
  const faultsTold = (): number => told.filter((line) => line.startsWith('resources not reloaded')).length;
  await rm(path.join(folder, 'all.json'));
  await until('the first fault', async () => faultsTold() === 1);
  await write('all.json', '{"resources": [');
  await until('the second fault', async () => faultsTold() === 2);
  await rm(path.join(folder, 'all.json'));
  await writeFile(path.join(folder, 'x.txt'), '');
  await rm(folder, { recursive: true });
  await until('the last fault', async () => faultsTold() >= 3);
  expect(version()).toBe(before);
});

test('buckets that no limit has are told', async () => {
  await begin();
  expect(loop.warnings()).toEqual([]);
  buckets.use([]);
  expect(loop.warnings()).toHaveLength(2);
  expect(loop.view().warnings.join()).toContain('shop.cluster_a');
});

test('a decision that takes long is followed by a rest as long, so that it takes half of its thread at most', async () => {
  await begin();
  let clockMs = 0;
  // Each decision takes three ticks.
  monotonicMs = () => clockMs;
  let decisions = 0;
  const of = buckets.of.bind(buckets);
  jest.spyOn(buckets, 'of').mockImplementation((id) => {
    if (id === 'shop.cluster_a') {
      decisions += 1;
      clockMs += 3 * TICK_MS;
    }
    return of(id);
  });
  for (; clockMs < 6_000; clockMs += TICK_MS) await loop.turn();
  expect(decisions).toBeGreaterThanOrEqual(9);
  expect(decisions).toBeLessThanOrEqual(11);
});
