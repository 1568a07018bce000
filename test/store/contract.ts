/**
 * The contract of a bucket store: one suite for every store. Stores answer to it through their harness, so it knows
 * nothing of where the buckets are.
 */
import { ALGORITHMS, type Algorithm } from '../../src/core/buckets';
import { MAX_UINT32 } from '../../src/core/rls';
import { ask, askOne, call, daily, DAY_US, SLACK_US, type StoreHarness, toDayStart } from './contract-form';
import { describeRandomSequences } from './contract-random';
import { describeSettlement } from './contract-settlement';

export type { StoreHarness } from './contract-form';

/**
 * Runs the contract.
 * @param makeHarness starts the store; called once, and closed at the end. Every test begins with `reset()`.
 */
export function describeStoreContract(
  name: string,
  makeHarness: () => Promise<StoreHarness> | StoreHarness,
): void {
  describe(`${name} keeps the store contract`, () => {
    let started: StoreHarness | undefined;
    const harness = (): StoreHarness => {
      if (started === undefined) throw new Error('the harness has not started');
      return started;
    };
    beforeAll(async () => {
      started = await makeHarness();
    });
    beforeEach(async () => {
      await harness().reset();
      await toDayStart(harness());
    });
    afterAll(async () => {
      await started?.close();
    });

    it('is ready', () => expect(harness().store.ready()).toBe(true));
    it('has nothing to say about no calls', async () => expect(await ask(harness().store, [])).toEqual([]));
    describe.each(ALGORITHMS)('%s', (algorithm) => {
      describeCounting(algorithm, harness);
      describeChanges(algorithm, harness);
      describeExtremes(algorithm, harness);
    });
    describeTime(harness);
    describeIdentity(harness);
    describeSettlement(harness);
    describeRandomSequences(harness);
  });
}

type Harness = () => StoreHarness;

const days = (n: number): number => Math.round(n * DAY_US);

function describeCounting(algorithm: Algorithm, harness: Harness): void {
  it('admits up to the limit and denies beyond it', async () => {
    const { store } = harness();
    const take = call('k', daily(algorithm, 3), 1);
    for (const used of [0, 1, 2]) {
      const outcome = await askOne(store, take);
      expect(outcome).toMatchObject({ allowed: true, remaining: 2 - used, retryAfterUs: 0 });
      expect(outcome.usedBefore).toBeCloseTo(used, 2);
      expect(outcome.usedAfter).toBeCloseTo(used + 1, 2);
    }
    const denied = await askOne(store, take);
    expect(denied).toMatchObject({ allowed: false, remaining: 0 });
    expect(denied.usedAfter).toBeCloseTo(4, 2);
    expect(denied.retryAfterUs).toBeGreaterThan(0);
    expect(denied.resetUs).toBeGreaterThan(0);
  });

  it('admits again once retryAfterUs has passed, and not well before', async () => {
    const { store, advance } = harness();
    const params = daily(algorithm, 4);
    await askOne(store, call('k', params, 4));
    const denied = await askOne(store, call('k', params, 2));
    expect(denied.allowed).toBe(false);
    await advance(denied.retryAfterUs - 2 * SLACK_US);
    expect(await askOne(store, call('k', params, 2))).toMatchObject({ allowed: false });
    await advance(2 * SLACK_US);
    expect(await askOne(store, call('k', params, 2))).toMatchObject({ allowed: true });
  });

  it('is whole again once resetUs has passed', async () => {
    const { store, advance } = harness();
    const params = daily(algorithm, 4);
    const { resetUs } = await askOne(store, call('k', params, 3));
    await advance(resetUs);
    expect(await askOne(store, call('k', params, 0))).toMatchObject({ remaining: 4, usedBefore: 0 });
    expect(await askOne(store, call('k', params, 4))).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('takes nothing for a peek, which also passes at exactly the limit', async () => {
    const { store } = harness();
    const params = daily(algorithm, 2);
    const peek = call('k', params, 0);
    expect(await askOne(store, peek)).toMatchObject({
      allowed: true,
      remaining: 2,
      usedBefore: 0,
      usedAfter: 0,
    });
    await askOne(store, call('k', params, 2));
    for (let i = 0; i < 3; i += 1)
      expect(await askOne(store, peek)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('gives back for negative hits, never beyond the limit', async () => {
    const { store } = harness();
    const params = daily(algorithm, 5);
    expect(await askOne(store, call('k', params, -3))).toMatchObject({ allowed: true, remaining: 5 });
    await askOne(store, call('k', params, 5));
    expect(await askOne(store, call('k', params, -2))).toMatchObject({ allowed: true, remaining: 2 });
    expect(await askOne(store, call('k', params, -100))).toMatchObject({
      allowed: true,
      remaining: 5,
      usedAfter: 0,
    });
    expect(await askOne(store, call('k', params, 6))).toMatchObject({ allowed: false });
    expect(await askOne(store, call('k', params, 5))).toMatchObject({ allowed: true, remaining: 0 });
  });

  it.each([
    { chargeDenied: 'none', thenFits: true },
    { chargeDenied: 'over', thenFits: false },
    { chargeDenied: 'all', thenFits: false },
  ] as const)('charges a denied call with $chargeDenied: the rest still fits is $thenFits', async (row) => {
    const { store } = harness();
    const params = daily(algorithm, 5);
    await askOne(store, call('k', params, 3));
    expect(await askOne(store, call('k', params, 3), row.chargeDenied)).toMatchObject({
      allowed: false,
      remaining: 0,
    });
    expect(await askOne(store, call('k', params, 2))).toMatchObject({ allowed: row.thenFits });
  });

  it('never admits more than the limit to calls at the same time', async () => {
    const { store } = harness();
    const params = daily(algorithm, 20);
    const outcomes = await Promise.all(Array.from({ length: 60 }, () => askOne(store, call('k', params, 1))));
    expect(outcomes.filter((outcome) => outcome.allowed)).toHaveLength(20);
    expect(await askOne(store, call('k', params, 0))).toMatchObject({ remaining: 0 });
  });
}

function describeChanges(algorithm: Algorithm, harness: Harness): void {
  it('cuts down to a smaller limit at once', async () => {
    const { store } = harness();
    await askOne(store, call('k', daily(algorithm, 10, { version: 1 }), 2));
    expect((await askOne(store, call('k', daily(algorithm, 4, { version: 2 }), 5))).allowed).toBe(false);
    const { remaining } = await askOne(store, call('k', daily(algorithm, 4, { version: 2 }), 0));
    expect(remaining).toBe(algorithm === 'token_bucket' ? 4 : 2);
  });

  it('raises a limit without inventing tokens', async () => {
    const { store } = harness();
    await askOne(store, call('k', daily(algorithm, 10, { version: 1 }), 4));
    const raised = daily(algorithm, 100, { version: 2 });
    const { remaining } = await askOne(store, call('k', raised, 0));
    expect(remaining).toBe(algorithm === 'token_bucket' ? 6 : 96);
    expect(await askOne(store, call('k', raised, remaining))).toMatchObject({ allowed: true, remaining: 0 });
    expect(await askOne(store, call('k', raised, 1))).toMatchObject({ allowed: false });
  });

  it('ignores parameters older than those it has seen, and lets equal versions replace each other', async () => {
    const { store } = harness();
    const version = 4_294_967_296 + 7;
    await askOne(store, call('k', daily(algorithm, 6, { version }), 1));
    const older = daily(algorithm, 1_000, { version: version - 1 });
    expect(await askOne(store, call('k', older, 6))).toMatchObject({ allowed: false });
    expect(await askOne(store, call('k', older, 1))).toMatchObject({ allowed: true, remaining: 4 });
    const tiny = daily(algorithm, 1, { version: version - 1 });
    expect(await askOne(store, call('k', tiny, 1))).toMatchObject({ allowed: true, remaining: 3 });
    expect(await askOne(store, call('k', daily(algorithm, 4, { version }), 4))).toMatchObject({
      allowed: false,
    });
    expect(await askOne(store, call('k', daily(algorithm, 9, { version }), 0))).toMatchObject({
      remaining: algorithm === 'token_bucket' ? 3 : 6,
    });
  });

  it('keeps what it knows of a change that came with a peek', async () => {
    const { store } = harness();
    await askOne(store, call('k', daily(algorithm, 10, { version: 1 }), 8));
    await askOne(store, call('k', daily(algorithm, 3, { version: 5 }), 0));
    const { remaining } = await askOne(store, call('k', daily(algorithm, 10, { version: 4 }), -5));
    expect(remaining).toBe(algorithm === 'token_bucket' ? 3 : 0);
  });
}

function describeExtremes(algorithm: Algorithm, harness: Harness): void {
  it('admits nothing with a limit of 0', async () => {
    const { store } = harness();
    const params = daily(algorithm, 0);
    expect(await askOne(store, call('k', params, 1))).toMatchObject({
      allowed: false,
      retryAfterUs: Infinity,
    });
    expect(await askOne(store, call('k', params, 0))).toMatchObject({ allowed: true, remaining: 0 });
    expect(await askOne(store, call('k', params, -1))).toMatchObject({ allowed: true, remaining: 0 });
    expect(await askOne(store, call('k', params, 1))).toMatchObject({ allowed: false });
  });

  it.each([5, MAX_UINT32, 2 ** 53, 2 ** 64, 1e300])('never passes %d hits on a limit of 4', async (hits) => {
    const { store } = harness();
    const params = daily(algorithm, 4);
    expect(await askOne(store, call('k', params, hits))).toMatchObject({
      allowed: false,
      retryAfterUs: Infinity,
    });
    expect(await askOne(store, call('k', params, hits), 'all')).toMatchObject({ allowed: false });
    expect(await askOne(store, call('k', params, 1))).toMatchObject({ allowed: false });
    expect(await askOne(store, call('k', params, -hits))).toMatchObject({ allowed: true, remaining: 4 });
  });

  it('counts to the largest limit exactly', async () => {
    const { store } = harness();
    const params = daily(algorithm, MAX_UINT32, { rateUtPerS: 1 });
    expect(await askOne(store, call('k', params, MAX_UINT32 - 2))).toMatchObject({ remaining: 2 });
    expect(await askOne(store, call('k', params, 3))).toMatchObject({ allowed: false });
    expect(await askOne(store, call('k', params, 2))).toMatchObject({ allowed: true, remaining: 0 });
    expect(await askOne(store, call('k', params, -MAX_UINT32))).toMatchObject({
      remaining: MAX_UINT32,
      usedAfter: 0,
    });
  });

  it('goes on after a clock that stepped far back, without a gain for a small step', async () => {
    const { store, advance } = harness();
    const params = daily(algorithm, 4);
    await askOne(store, call('k', params, 4));
    await advance(-DAY_US / 4);
    expect(await askOne(store, call('k', params, 1))).toMatchObject({ allowed: false });
    await advance(-20 * DAY_US);
    await askOne(store, call('k', params, 1));
    await advance(3 * DAY_US);
    expect(await askOne(store, call('k', params, 4))).toMatchObject({ allowed: true });
  });
}

function describeTime(harness: Harness): void {
  it('token_bucket refills continuously, up to the capacity', async () => {
    const { store, advance } = harness();
    const params = daily('token_bucket', 24, { capacity: 6 });
    await askOne(store, call('k', params, 6));
    await advance(DAY_US / 24 + 1);
    expect(await askOne(store, call('k', params, 0))).toMatchObject({ remaining: 1 });
    await advance(DAY_US / 8);
    expect(await askOne(store, call('k', params, 5))).toMatchObject({ allowed: false });
    expect(await askOne(store, call('k', params, 4))).toMatchObject({ allowed: true, remaining: 0 });
    await advance(3 * DAY_US);
    expect(await askOne(store, call('k', params, 0))).toMatchObject({ remaining: 6, resetUs: 0 });
  });

  it.each([
    { per: 'day', windowUs: DAY_US },
    { per: 'year', windowUs: 365 * DAY_US },
    { per: 'ten years', windowUs: 3_650 * DAY_US },
  ])('token_bucket brings back one token a $per in time', async ({ windowUs }) => {
    const { store, advance } = harness();
    const params = daily('token_bucket', 1, { windowUs });
    await askOne(store, call('k', params, 1));
    await advance(Math.round(windowUs * 0.999));
    expect(await askOne(store, call('k', params, 1))).toMatchObject({ allowed: false });
    await advance(Math.ceil(windowUs * 0.001 + windowUs * 1e-6));
    expect(await askOne(store, call('k', params, 1))).toMatchObject({ allowed: true });
  });

  it('fixed_window begins anew at UTC multiples of its length', async () => {
    const { store, advance, nowUs } = harness();
    const params = daily('fixed_window', 2);
    await advance(DAY_US / 2);
    const outcome = await askOne(store, call('k', params, 2));
    expect(outcome.resetUs).toBeLessThanOrEqual(DAY_US / 2);
    expect(outcome.resetUs).toBeGreaterThan(DAY_US / 2 - SLACK_US);
    await advance(DAY_US - ((await nowUs()) % DAY_US) - SLACK_US);
    expect(await askOne(store, call('k', params, 1))).toMatchObject({ allowed: false });
    await advance(SLACK_US);
    expect(await askOne(store, call('k', params, 2))).toMatchObject({ allowed: true, usedBefore: 0 });
  });

  it('sliding_window has no edge where twice the limit passes', async () => {
    const { store, advance } = harness();
    const params = daily('sliding_window', 4);
    await advance(days(0.9));
    await askOne(store, call('k', params, 3));
    await advance(days(0.2));
    expect(await askOne(store, call('k', params, 2))).toMatchObject({ allowed: false });
    expect(await askOne(store, call('k', params, 1))).toMatchObject({ allowed: true, remaining: 0 });
    await advance(days(0.85));
    expect(await askOne(store, call('k', params, 3))).toMatchObject({ allowed: true, remaining: 0 });
  });
}

/** Keys that must neither be mixed up nor break anything. */
const KEYS = [
  '',
  'a',
  'a:tb',
  'a{',
  'a}',
  '{a}',
  '{}a',
  '}{',
  'a b',
  ' a',
  'a\n',
  'a\u0000',
  'a\r\nb',
  'é',
  'e\u0301',
  '漢字',
  '🙂',
  '%7B',
  `${'x'.repeat(65_536)}1`,
  `${'x'.repeat(65_536)}2`,
];

function describeIdentity(harness: Harness): void {
  it('keeps buckets of different keys apart, whatever is in the keys', async () => {
    const { store } = harness();
    const params = daily('token_bucket', 1);
    for (const key of KEYS) {
      expect({ key, ...(await askOne(store, call(key, params, 1))) }).toMatchObject({ key, allowed: true });
    }
    for (const key of KEYS) {
      expect({ key, ...(await askOne(store, call(key, params, 1))) }).toMatchObject({ key, allowed: false });
    }
  });

  it('keeps the buckets of a group apart', async () => {
    const { store } = harness();
    const params = daily('token_bucket', 1);
    const calls = KEYS.map((key) => call(key, params, 1, { group: 'a} group{' }));
    expect((await ask(store, calls)).every((outcome) => outcome.allowed)).toBe(true);
    for (const one of calls) expect(await askOne(store, one)).toMatchObject({ allowed: false });
  });

  it('keeps algorithms and windows of one key apart', async () => {
    const { store } = harness();
    const params = [
      daily('token_bucket', 1),
      daily('fixed_window', 1),
      daily('sliding_window', 1),
      daily('fixed_window', 1, { windowUs: 2 * DAY_US }),
      daily('sliding_window', 1, { windowUs: 2 * DAY_US }),
    ];
    for (const each of params)
      expect(await askOne(store, call('k', each, 1))).toMatchObject({ allowed: true });
    for (const each of params)
      expect(await askOne(store, call('k', each, 1))).toMatchObject({ allowed: false });
  });

  it('keeps a token bucket when its window changes', async () => {
    const { store } = harness();
    await askOne(store, call('k', daily('token_bucket', 10, { version: 1 }), 8));
    const weekly = daily('token_bucket', 10, { windowUs: 7 * DAY_US, version: 2 });
    expect(await askOne(store, call('k', weekly, 0))).toMatchObject({ remaining: 2 });
  });
}
