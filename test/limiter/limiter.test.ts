/** A request in, an answer out: fields, modes, addends, overrides, deadlines. The buckets are scripted. */
import { Later } from '../../src/core/later';
import type { BucketOutcome } from '../../src/core/buckets';
import { MAX_UINT32, RlsCode, type RlsRequest, type RlsResponse } from '../../src/core/rls';
import { Limiter, type LimiterOptions } from '../../src/limiter/limiter';
import {
  decideNow,
  descriptor,
  LIMITER,
  outcome,
  RecordedTelemetry,
  requestOf,
  ScriptedStore,
  tableOf,
  thrownBy,
} from './parts';

const TABLE = `
domain: d
descriptors:
  - {key: k, rate_limit: {unit: minute, requests_per_unit: 10, name: base}}
  - {key: j, rate_limit: {per: 90s, requests_per_unit: 20}}
  - {key: free, rate_limit: {unlimited: true, replaces: [{name: base}]}}
  - {key: r, rate_limit: {unit: hour, requests_per_unit: 5, name: mine, replaces: [{name: base}]}}
  - {key: m1, rate_limit: {unit: hour, requests_per_unit: 5, name: one, replaces: [{name: two}]}}
  - {key: m2, rate_limit: {unit: hour, requests_per_unit: 5, name: two, replaces: [{name: one}]}}
  - {key: s, shadow_mode: true, rate_limit: {unit: minute, requests_per_unit: 3}}
  - {key: q1, quota_mode: true, rate_limit: {unit: minute, requests_per_unit: 3}}
  - {key: q2, quota_mode: true, rate_limit: {unit: minute, requests_per_unit: 4}}
  - {key: w, rate_limit: {unit: minute, requests_per_unit: 7, algorithm: fixed_window}}
  - {key: none}
`;

interface Setup {
  readonly limiter: Limiter;
  readonly store: ScriptedStore;
  readonly telemetry: RecordedTelemetry;
}

/** Outcomes are given in the order of the calls; what is missing passes. */
function setup(
  outcomes: readonly Partial<BucketOutcome>[] = [],
  options: Partial<LimiterOptions> = {},
): Setup {
  const telemetry = new RecordedTelemetry();
  const store = new ScriptedStore((request) => request.calls.map((_call, index) => outcome(outcomes[index])));
  const limiter = new Limiter({ store, local: store, telemetry }, { ...LIMITER, ...options });
  limiter.useTable(tableOf(TABLE, { countersFor: telemetry.countersFor }));
  return { limiter, store, telemetry };
}

const OVER = { allowed: false };
const decide = (
  descriptors: Parameters<typeof requestOf>[0],
  outcomes: readonly Partial<BucketOutcome>[] = [],
  options: Partial<LimiterOptions> = {},
): RlsResponse => decideNow(setup(outcomes, options).limiter, requestOf(descriptors));

describe('statuses', () => {
  test('a limit that passes shows itself, what is left and when it is whole', () => {
    expect(decide(['k=a'], [{ remaining: 4, resetUs: 30_100_000 }])).toEqual({
      overallCode: RlsCode.OK,
      statuses: [
        {
          code: RlsCode.OK,
          currentLimit: { name: 'base', requestsPerUnit: 10, unit: 2 },
          limitRemaining: 4,
          durationUntilResetS: 31,
        },
      ],
      responseHeadersToAdd: [],
    });
  });

  test('a limit that denies shows nothing left, and when the call may come again', () => {
    expect(
      decide(['k=a'], [{ ...OVER, resetUs: 60_000_000, retryAfterUs: 5_400_000 }]).statuses[0],
    ).toMatchObject({
      code: RlsCode.OVER_LIMIT,
      limitRemaining: 0,
      durationUntilResetS: 6,
    });
  });

  test('a window that denies resets at its end', () => {
    const { statuses } = decide(['w=a'], [{ ...OVER, resetUs: 42_000_000, retryAfterUs: Infinity }]);
    expect(statuses[0]?.durationUntilResetS).toBe(42);
  });

  test.each([
    ['no rule', ['x=y'], { code: RlsCode.OK, limitRemaining: 0 }],
    ['a key without a rule', ['none=y'], { code: RlsCode.OK, limitRemaining: 0 }],
    ['an unlimited rule', ['free=y'], { code: RlsCode.OK, limitRemaining: MAX_UINT32 }],
  ])('%s asks no bucket', (_what, descriptors, status) => {
    const { limiter, store } = setup();
    expect(decideNow(limiter, requestOf(descriptors)).statuses).toEqual([status]);
    expect(store.asked).toEqual([]);
  });

  test('one a descriptor, in order', () => {
    const { statuses, overallCode } = decide(['x=y', 'w=a', 'free=z', 'j=b'], [{ remaining: 1 }, OVER]);
    expect(statuses.map((status) => [status.code, status.limitRemaining])).toEqual([
      [1, 0],
      [1, 1],
      [1, MAX_UINT32],
      [2, 0],
    ]);
    expect(overallCode).toBe(RlsCode.OVER_LIMIT);
  });

  test('durations stay within what protobuf can carry', () => {
    const { statuses } = decide(['k=a'], [{ resetUs: 1e24 }]);
    expect(statuses[0]?.durationUntilResetS).toBe(315_576_000_000);
  });

  test('what never comes is shown as one window', () => {
    const { statuses } = decide(['j=a'], [{ ...OVER, resetUs: Infinity, retryAfterUs: Infinity }]);
    expect(statuses[0]?.durationUntilResetS).toBe(90);
  });
});

describe('verdicts', () => {
  // Shown as the descriptors, which of their buckets deny, and the overall code without and with each global mode.
  const { OK, OVER_LIMIT } = RlsCode;
  test.each<[string[], number[], number, number, number]>([
    [['k=a', 'j=b'], [], OK, OK, OK],
    [['k=a', 'j=b'], [1], OVER_LIMIT, OK, OK],
    [['k=a', 'j=b'], [0, 1], OVER_LIMIT, OK, OVER_LIMIT],
    [['s=a'], [0], OK, OK, OK],
    [['s=a', 'k=b'], [0, 1], OVER_LIMIT, OK, OK],
    [['q1=a'], [0], OVER_LIMIT, OK, OVER_LIMIT],
    [['q1=a', 'q2=b'], [0], OK, OK, OK],
    [['q1=a', 'q2=b'], [0, 1], OVER_LIMIT, OK, OVER_LIMIT],
    [['q1=a', 'k=b'], [0], OVER_LIMIT, OK, OK],
    [['q1=a', 'k=b'], [1], OVER_LIMIT, OK, OK],
    [['q1=a', 'x=y'], [0], OVER_LIMIT, OK, OK],
    [['q1=a', 'free=y'], [0], OVER_LIMIT, OK, OVER_LIMIT],
    [['x=y'], [], OK, OK, OK],
  ])(
    '%j with %j denied: %d, in global shadow mode %d, in global quota mode %d',
    (descriptors, denied, plain, shadow, quota) => {
      const outcomes = descriptors.map((_one, index) => (denied.includes(index) ? OVER : {}));
      const code = (options: Partial<LimiterOptions>): number =>
        decide(descriptors, outcomes, options).overallCode;
      expect([code({}), code({ shadowMode: true }), code({ quotaMode: true })]).toEqual([
        plain,
        shadow,
        quota,
      ]);
    },
  );

  test('global shadow mode keeps the statuses, and counts what it let pass', () => {
    const { limiter, telemetry } = setup([OVER], { shadowMode: true });
    expect(decideNow(limiter, requestOf(['k=a'])).statuses[0]?.code).toBe(RlsCode.OVER_LIMIT);
    expect(telemetry.events).toContain('global shadow');
  });

  test("a rule's own shadow mode hides the status", () => {
    expect(decide(['s=a'], [OVER]).statuses[0]).toMatchObject({ code: RlsCode.OK, limitRemaining: 0 });
  });

  test.each<[string, Partial<LimiterOptions>, string[], string[], boolean]>([
    ['plain', {}, ['k=a', 's=a', 'q1=a'], ['hard', 'shadow', 'quota'], false],
    ['global shadow', { shadowMode: true }, ['k=a', 's=a', 'q1=a'], ['shadow', 'shadow', 'shadow'], false],
    ['global quota', { quotaMode: true }, ['k=a', 'q1=a'], ['quota', 'quota'], false],
    ['global quota with an unmatched one', { quotaMode: true }, ['k=a', 'x=y'], ['quota'], true],
    ['global quota with a shadow one', { quotaMode: true }, ['k=a', 's=y'], ['quota', 'shadow'], true],
    ['global quota with an unlimited one', { quotaMode: true }, ['k=a', 'free=y'], [], false],
  ])('the store is told each part in the verdict: %s', (_what, options, descriptors, roles, satisfied) => {
    const { limiter, store } = setup([], options);
    decideNow(limiter, requestOf(descriptors));
    expect(store.asked.flatMap(({ calls }) => calls.map((call) => call.role))).toEqual(roles);
    for (const request of store.asked) expect(request.quotaSatisfied).toBe(satisfied);
  });
});

describe('replaces', () => {
  test.each<[string[], string[]]>([
    [['k=a', 'r=b'], ['d|r=b']],
    [['r=b', 'k=a'], ['d|r=b']],
    [['k=a', 'free=b'], []],
    [
      ['k=a', 'j=b'],
      ['d|k=a', 'd|j=b'],
    ],
    [['m1=a', 'm2=b'], []],
    [
      ['m1=a', 'k=b'],
      ['d|m1=a', 'd|k=b'],
    ],
    [['k=a', 'k=b', 'r=c'], ['d|r=c']],
  ])('%j asks the buckets %j', (descriptors, keys) => {
    const { limiter, store } = setup();
    const { statuses } = decideNow(limiter, requestOf(descriptors));
    expect(store.asked.flatMap(({ calls }) => calls.map((call) => call.key))).toEqual(keys);
    expect(statuses).toHaveLength(descriptors.length);
  });
});

describe('hits', () => {
  test.each([
    [0, undefined, false, 1],
    [1, undefined, false, 1],
    [7, undefined, false, 7],
    [7, 0, false, 0],
    [7, 3, false, 3],
    [0, 0, false, 0],
    [0, 2, true, -2],
    [0, undefined, true, -1],
    [4, undefined, true, -4],
    [4, 0, true, 0],
    [MAX_UINT32, undefined, false, MAX_UINT32],
    [0, 2 ** 53, false, 2 ** 53],
    [0, 2 ** 64, true, -(2 ** 64)],
  ])('request %d, descriptor %p, negative %p: %d', (addend, own, negativeHits, hits) => {
    const { limiter, store } = setup();
    const one = descriptor('k=a', { negativeHits, ...(own === undefined ? {} : { hitsAddend: own }) });
    decideNow(limiter, requestOf([one], addend));
    const asked = store.asked[0]?.calls[0]?.hits;
    expect(Object.is(asked, hits)).toBe(true);
  });
});

describe('overrides', () => {
  const limited = (text: string, requestsPerUnit: number, unit: number) =>
    descriptor(text, { limit: { requestsPerUnit, unit } });

  test('stand instead of a configured limit, without its name and modes', () => {
    const { limiter, store } = setup([OVER]);
    const { statuses } = decideNow(limiter, requestOf([limited('s=a', 100, 3)]));
    expect(statuses[0]).toMatchObject({
      code: RlsCode.OVER_LIMIT,
      currentLimit: { name: '', requestsPerUnit: 100, unit: 3 },
    });
    expect(store.asked[0]?.calls[0]).toMatchObject({
      role: 'hard',
      params: { limit: 100, windowUs: 3_600_000_000 },
    });
  });

  test('have a bucket for each limit, apart from the configured one', () => {
    const { limiter, store } = setup();
    decideNow(
      limiter,
      requestOf([
        'k=a',
        limited('k=a', 5, 2),
        limited('k=a', 6, 2),
        limited('k=a', 5, 3),
        limited('k=a', 5, 2),
      ]),
    );
    const keys = store.asked[0]?.calls.map((call) => call.key) ?? [];
    expect(new Set(keys).size).toBe(4);
    expect(keys[1]).toBe(keys[4]);
  });

  test('count under the descriptor', () => {
    const { limiter, telemetry } = setup();
    decideNow(limiter, requestOf([limited('k=a,b', 5, 2)], 3));
    expect(telemetry.figures.get('d.k_a.b')).toMatchObject({ total: 3, within: 3 });
  });

  test.each([0, 8, 99, -1, 1.5])('unit %d is refused', (unit) => {
    const { limiter, store } = setup();
    expect(thrownBy(() => decideNow(limiter, requestOf(['k=a', limited('k=b', 5, unit)])))).toMatchObject({
      code: 'TG_REQUEST_BAD_OVERRIDE',
    });
    expect(store.asked).toEqual([]);
  });

  test('of an unknown domain limit nothing', () => {
    const { limiter } = setup();
    expect(decideNow(limiter, requestOf([limited('k=a', 0, 1)], 0, 'other')).statuses).toEqual([
      { code: RlsCode.OK, limitRemaining: 0 },
    ]);
  });
});

describe('requests that cannot be decided', () => {
  const without = (part: Partial<RlsRequest>): RlsRequest => ({ ...requestOf(['k=a']), ...part });
  test.each([
    ['no domain', without({ domain: '' }), 'TG_REQUEST_NO_DOMAIN', 'rate limit domain must not be empty'],
    [
      'no descriptors',
      without({ descriptors: [] }),
      'TG_REQUEST_NO_DESCRIPTORS',
      'rate limit descriptor list must not be empty',
    ],
    [
      'no entries',
      without({ descriptors: [{ entries: [], negativeHits: false }] }),
      'TG_REQUEST_EMPTY_KEY',
      'a descriptor has no entries',
    ],
    ['an empty key', requestOf(['=a']), 'TG_REQUEST_EMPTY_KEY', 'an entry has no key'],
  ])('%s', (_what, request, code, message) => {
    expect(thrownBy(() => decideNow(setup().limiter, request))).toMatchObject({ code, message });
  });

  test('empty keys pass unmatched where the reference lets them', () => {
    const { limiter } = setup([], { strictRequests: false });
    expect(decideNow(limiter, requestOf(['=a'])).statuses).toEqual([{ code: RlsCode.OK, limitRemaining: 0 }]);
  });

  test('nothing is decided before limits are loaded', () => {
    const parts = setup();
    const limiter = new Limiter(
      { store: parts.store, local: parts.store, telemetry: parts.telemetry },
      LIMITER,
    );
    expect(limiter.currentTable).toBeUndefined();
    expect(thrownBy(() => decideNow(limiter, requestOf(['k=a'])))).toMatchObject({ code: 'TG_NO_LIMITS' });
  });

  test('an unknown domain is counted once a descriptor', () => {
    const { limiter, telemetry } = setup();
    decideNow(limiter, requestOf(['k=a', 'j=b'], 0, 'other'));
    expect(telemetry.events).toEqual(['domain other', 'domain other']);
  });
});

describe('the store', () => {
  test.each([
    [Infinity, 10],
    [100, 10],
    [20, 10],
    [15, 7.5],
    [1, 0.5],
    [0, 0],
  ])('with %d ms left to the caller it has %d ms', (timeoutMs, deadlineMs) => {
    const { limiter, store } = setup();
    void limiter.decide(requestOf(['k=a']), { timeoutMs });
    expect(store.asked[0]?.deadlineMs).toBe(deadlineMs);
  });

  test.each([
    ['bucket', ['d|k=a', 'd|j=b']],
    ['domain', ['d', 'd']],
  ] as const)('colocate: %s', (colocate, groups) => {
    const { limiter, store } = setup([], { colocate });
    decideNow(limiter, requestOf(['k=a', 'j=b']));
    expect(store.asked[0]?.calls.map((call) => call.group)).toEqual(groups);
  });

  test('may answer later, and the table that the call began with decides', async () => {
    const { limiter, store, telemetry } = setup();
    let answer: (outcomes: BucketOutcome[]) => void = () => undefined;
    store.then(() => Later.from(new Promise((resolve) => (answer = resolve))));
    const pending = limiter.decide(requestOf(['k=a']), { timeoutMs: 50 });
    limiter.useTable(tableOf('{domain: d, descriptors: []}', { countersFor: telemetry.countersFor }));
    answer([outcome({ remaining: 3 })]);
    expect((await pending).statuses[0]).toMatchObject({ limitRemaining: 3, currentLimit: { name: 'base' } });
  });
});
