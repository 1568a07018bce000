/** What the planner is shown of a group. */
import {
  groupSeen,
  type GroupSources,
  type SeenBucket,
  type TargetRow,
} from '../../../src/app/mesh/traffic-groups';
import type { TrafficGroup } from '../../../src/core/traffic';
import type { TrafficSnapshot } from '../../../src/core/traffic-telemetry';

const NOW_MS = 5_000_000;

const row = (cluster: string, bucket: string): TargetRow => ({
  group: 'shop',
  cluster,
  endpoint: '',
  subset: '',
  bucket,
  signals: '',
  backup: false,
  maxShare: 1,
  weight: 1,
  runtimePrefix: '',
});

const GROUP: TrafficGroup = {
  name: 'shop',
  targets: ['a', 'b'].map((id) => ({ id, weight: 1, backup: false, maxShare: 1 })),
  classes: [
    { name: 'vip', priority: 'CRITICAL' },
    { name: 'default', priority: 'LOW' },
  ],
};

const bucket = (demandPerS: number): SeenBucket => ({
  level: { tokens: 7, capacity: 20 },
  refillPerS: 10,
  seenAtMs: NOW_MS - 50,
  rates: { demandPerS, admittedPerS: 0, deniedPerS: 0, queuedPerS: 0 },
  forecast: undefined,
});

function told(
  series: readonly (readonly [route: string, cluster: string, ratePerS: number])[],
): TrafficSnapshot {
  const sums = new Map<string, number>();
  for (const [, cluster, ratePerS] of series) sums.set(cluster, (sums.get(cluster) ?? 0) + ratePerS);
  return {
    series: series.map(([route, cluster, ratePerS]) => ({ route, cluster, ratePerS, host: '' })),
    clusters: [...sums].map(([cluster, ratePerS]) => ({ cluster, ratePerS })),
    hosts: [],
  } as unknown as TrafficSnapshot;
}

function sources(changes: Partial<GroupSources> = {}): GroupSources {
  const rows = new Map([
    ['a', row('a', 'rule.a')],
    ['b', row('b', '')],
  ]);
  return {
    row: (id) => rows.get(id),
    bucket: (id) => (id === 'rule.a' ? bucket(30) : undefined),
    health: () => undefined,
    told: undefined,
    lifeMs: 10_000,
    classOf: (route) => (route.endsWith('/vip') ? 'vip' : undefined),
    ...changes,
  };
}

test('a bucket tells tokens and demand; a target without one is what Envoys tell of it', () => {
  const traffic = told([['r', 'b', 12]]);
  expect(groupSeen(GROUP, sources({ told: traffic }), NOW_MS).targets).toMatchObject([
    { id: 'a', seenAtMs: NOW_MS - 50, tokens: 7, capacity: 20, refillPerS: 10, leased: 0, demandPerS: 30 },
    { id: 'b', seenAtMs: NOW_MS, tokens: NaN, refillPerS: NaN, demandPerS: 12 },
  ]);
});

test('a target of which nobody tells was never seen', () => {
  const [, other] = groupSeen(GROUP, sources(), NOW_MS).targets;
  expect(other).toMatchObject({ seenAtMs: -Infinity, demandPerS: NaN, health: undefined });
});

test('classes have their part of the demand as their routes tell it; routes to other clusters do not count', () => {
  const traffic = told([
    ['r/vip', 'a', 5],
    ['r', 'a', 10],
    ['r', 'b', 5],
    ['other', 'elsewhere', 1_000],
  ]);
  expect(groupSeen(GROUP, sources({ told: traffic }), NOW_MS).classDemandPerS).toEqual([
    0.25 * 35,
    0.75 * 35,
  ]);
});

test.each([
  ['nobody tells', undefined],
  ['nothing came', told([])],
])('the demand of classes is not known where %s', (_what, traffic) => {
  expect(groupSeen(GROUP, sources({ told: traffic }), NOW_MS).classDemandPerS).toEqual([NaN, NaN]);
});

test('all demand of a group without classes is the default', () => {
  const group = { ...GROUP, classes: [{ name: 'default', priority: 'LOW' as const }] };
  expect(groupSeen(group, sources(), NOW_MS).classDemandPerS).toEqual([30]);
});

test('a bucket that was not seen for long is not known, and hides nothing of what else is told of its target', () => {
  const lost = (): SeenBucket => ({ ...bucket(30), seenAtMs: NOW_MS - 10_001 });
  const [silent] = groupSeen(GROUP, sources({ bucket: lost }), NOW_MS).targets;
  expect(silent).toMatchObject({ seenAtMs: NOW_MS - 10_001, tokens: NaN });
  const now = { errorShare: 0.6, latencyP50Ms: 1, latencyP99Ms: 2, cpu: NaN, memory: NaN, out: NaN };
  const health = (): { now: typeof now; ahead: undefined } => ({ now, ahead: undefined });
  const [ill] = groupSeen(GROUP, sources({ bucket: lost, health }), NOW_MS).targets;
  expect(ill).toMatchObject({ seenAtMs: NOW_MS, tokens: NaN, capacity: NaN, health: { errorShare: 0.6 } });
});
