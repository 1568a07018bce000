/** Pools by the settings and the limits in use. */
import { keyMember, poolSetups } from '../../../src/app/control/pool-setup';
import { usualPolicy } from '../../../src/control/usual-policy';
import { ClassCounts } from '../../../src/observe/class-counts';
import { ClassMap } from '../../../src/observe/class-map';
import { loaded } from '../../config/load';
import { tableOf } from '../../limiter/parts';

const LIMITS = `
domain: shop
descriptors:
  - {key: service, value: pay, rate_limit: {unit: second, requests_per_unit: 20, capacity: 30, priority: HIGH}}
  - {key: service, value: mail, rate_limit: {unit: minute, requests_per_unit: 600, algorithm: fixed_window}}
  - {key: service, value: free, rate_limit: {unlimited: true}}
  - {key: user, rate_limit: {unit: second, requests_per_unit: 5}}
  - {key: other, rate_limit: {unit: second, requests_per_unit: 7}}
`;

function setups(yaml: string, limits = LIMITS) {
  const { settings } = loaded({ file: yaml });
  const { heavyKeys, maxTenants } = settings.observe;
  const counts = new ClassCounts({
    source: 'one',
    map: new ClassMap(settings.observe),
    keysPerRule: heavyKeys.perRule,
    maxKeys: heavyKeys.total,
    minKeyRatePerS: heavyKeys.minRate,
    minKeyShare: heavyKeys.minShare,
    maxTenants,
    keepMs: heavyKeys.keepMs,
    random: () => 0.5,
  });
  return poolSetups(settings, tableOf(limits, { demandFor: counts.demandFor }));
}

const POOLS = `
pools:
  tick: 300ms
  interval: 1s
  list: [{name: main, mode: active}]
  members:
    - {pool: main, match: shop.service_pay, guarantee_per_s: 3, sla_weight: 2, region_weight: 3, max_per_s: 100}
    - {pool: main, match: 'shop.service_*', priority: LOW}
    - {pool: main, match: shop.user}
`;

test('there are no pools unless they are asked for', () => {
  expect(setups('log: {level: info}')).toEqual([]);
});

test('rules that match are members, a rule with many buckets a template, and unlimited or other rules neither', () => {
  const [pool] = setups(POOLS);
  expect(pool?.members.map(({ policy }) => policy.id)).toEqual(['shop.service_pay', 'shop.service_mail']);
  expect(pool?.templates.map(({ policy }) => policy.id)).toEqual(['shop.user']);
  const [pay, mail] = pool?.members ?? [];
  expect(pay?.policy).toMatchObject({
    bucketKey: 'shop|service=pay',
    service: 'shop',
    priority: 'HIGH',
    weight: 6,
    nominalPerS: 20,
    nominalCapacity: 30,
    guaranteePerS: 3,
    maxPerS: 100,
    maxCapacity: 120,
    lends: true,
  });
  expect(mail?.policy).toMatchObject({ priority: 'LOW', nominalPerS: 10, maxPerS: 20, lends: false });
});

test.each([
  ['', 0],
  ['queue: {max_wait: 200ms, max_depth: 50}, ', 4],
  ['queue: {max_wait: 10s, max_depth: 50}, ', 50],
])('as many may wait as the rule says and its rate serves until they give up: %s', (queue, limit) => {
  const limits = LIMITS.replace('capacity: 30,', `capacity: 30, ${queue}`);
  expect(setups(POOLS, limits)[0]?.members.map(({ queueLimit }) => queueLimit)).toEqual([limit, 0]);
});

test('the total is the sum of the members where none is set, and the interval whole ticks', () => {
  expect(setups(POOLS)[0]?.policy).toMatchObject({ totalPerS: 30, tickMs: 300, intervalMs: 900 });
  expect(setups(POOLS.replace('mode: active', 'mode: active, total_per_s: 77'))[0]?.policy.totalPerS).toBe(
    77,
  );
});

test('a heavy key is a member of its own, with the limits of its rule', () => {
  const [template] = setups(POOLS)[0]?.templates ?? [];
  if (template === undefined) throw new Error('no template');
  expect(keyMember(template, 'shop.user|shop|user=ada').policy).toMatchObject({
    id: 'shop.user|shop|user=ada',
    ruleId: 'shop.user',
    bucketKey: 'shop|user=ada',
    nominalPerS: 5,
  });
});

test("a pool that is made without settings has the settings' defaults", () => {
  const [setup] = setups('pools: {list: [{name: main, mode: active, total_per_s: 50, lend_at_once: false}]}');
  const { tickMs, intervalMs } = setup?.policy ?? { tickMs: 0, intervalMs: 0 };
  const frame = { name: 'main', totalPerS: 50, tickMs, intervalMs, lending: true };
  expect(usualPolicy(frame)).toEqual(setup?.policy);
});
