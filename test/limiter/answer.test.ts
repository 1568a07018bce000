/** Response headers and dynamic metadata. */
import type { BucketOutcome } from '../../src/core/buckets';
import type { RlsHeader, RlsResponse } from '../../src/core/rls';
import type { HeaderOptions } from '../../src/limiter/answer';
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
} from './parts';

const TABLE = `
domain: d
descriptors:
  - {key: a, rate_limit: {unit: minute, requests_per_unit: 10}, metadata: {team: red, nested: {x: 1, list: [1]}, n: ~}}
  - {key: b, rate_limit: {per: 90s, requests_per_unit: 20}, metadata: {team: blue, nested: {x: 2, y: 3, list: [2]}, extra: yes}}
  - {key: free, rate_limit: {unlimited: true}, metadata: {free: true}}
  - {key: s, shadow_mode: true, rate_limit: {unit: minute, requests_per_unit: 30}, metadata: {__proto__: {polluted: true}}}
  - {key: q, quota_mode: true, rate_limit: {unit: minute, requests_per_unit: 40}}
  - {key: q2, quota_mode: true, rate_limit: {unit: minute, requests_per_unit: 50}}
`;

function decide(
  descriptors: Parameters<typeof requestOf>[0],
  outcomes: readonly Partial<BucketOutcome>[],
  options: Partial<LimiterOptions>,
  hitsAddend = 0,
): RlsResponse {
  const telemetry = new RecordedTelemetry();
  const store = new ScriptedStore((request) => request.calls.map((_call, index) => outcome(outcomes[index])));
  const limiter = new Limiter({ store, local: store, telemetry }, { ...LIMITER, ...options });
  limiter.useTable(tableOf(TABLE, { countersFor: telemetry.countersFor }));
  return decideNow(limiter, requestOf(descriptors, hitsAddend));
}

const over = (retryAfterS: number): Partial<BucketOutcome> => ({
  allowed: false,
  retryAfterUs: retryAfterS * 1e6,
});
const left = (remaining: number): Partial<BucketOutcome> => ({ remaining, resetUs: 33_000_000 });
const shown = (headers: readonly RlsHeader[]): string =>
  headers.map(({ key, value }) => `${key}: ${value}`).join(', ');

describe('RateLimit headers', () => {
  const enabled: HeaderOptions = { ...LIMITER.headers, enabled: true };
  test.each<[string, string[], Partial<BucketOutcome>[], string]>([
    ['the limit', ['a=x'], [left(4)], 'RateLimit-Limit: 10, RateLimit-Remaining: 4, RateLimit-Reset: 33'],
    [
      'the one with the least left',
      ['a=x', 'b=x'],
      [left(4), left(3)],
      'RateLimit-Limit: 20, RateLimit-Remaining: 3, RateLimit-Reset: 33',
    ],
    [
      'the first of equals',
      ['a=x', 'b=x'],
      [left(4), left(4)],
      'RateLimit-Limit: 10, RateLimit-Remaining: 4, RateLimit-Reset: 33',
    ],
    [
      'the last that denied',
      ['a=x', 'b=x', 's=x'],
      [over(2), over(7), left(1)],
      'RateLimit-Limit: 20, RateLimit-Remaining: 0, RateLimit-Reset: 7',
    ],
    [
      'a quota that ran out, as it has the least left',
      ['q=x', 'a=x'],
      [over(2), left(1)],
      'RateLimit-Limit: 40, RateLimit-Remaining: 0, RateLimit-Reset: 2',
    ],
    [
      'a hard denial before a quota',
      ['q=x', 'a=x'],
      [over(2), over(3)],
      'RateLimit-Limit: 10, RateLimit-Remaining: 0, RateLimit-Reset: 3',
    ],
    ['nothing for an unlimited rule', ['free=x'], [], ''],
    ['nothing where nothing matches', ['none=x'], [], ''],
    [
      'a limit beside an unlimited one',
      ['free=x', 'a=x'],
      [left(4)],
      'RateLimit-Limit: 10, RateLimit-Remaining: 4, RateLimit-Reset: 33',
    ],
  ])('describe %s', (_what, descriptors, outcomes, text) => {
    expect(shown(decide(descriptors, outcomes, { headers: enabled }).responseHeadersToAdd)).toBe(text);
  });

  test('carry the names that the settings give', () => {
    const headers = { ...enabled, limit: 'X-L', remaining: 'X-R', reset: 'X-T' };
    expect(shown(decide(['a=x'], [left(4)], { headers }).responseHeadersToAdd)).toBe(
      'X-L: 10, X-R: 4, X-T: 33',
    );
  });

  test('are left out unless they are asked for', () => {
    expect(decide(['a=x'], [over(1)], {}).responseHeadersToAdd).toEqual([]);
  });
});

describe('retry-after', () => {
  const headers: HeaderOptions = { ...LIMITER.headers, retryAfter: true };
  test.each<[string, string[], Partial<BucketOutcome>[], string]>([
    ['is not on what passes', ['a=x'], [left(4)], ''],
    ['is when the call may come again', ['a=x'], [over(7)], 'retry-after: 7'],
    ['is rounded up', ['a=x'], [over(6.2)], 'retry-after: 7'],
    ['is at least a second', ['a=x'], [over(0.000_001)], 'retry-after: 1'],
    ['is one window where the call can never pass', ['b=x'], [over(Infinity)], 'retry-after: 90'],
    ['waits for every hard limit', ['a=x', 'b=x'], [over(7), over(9)], 'retry-after: 9'],
    ['waits for the first quota only', ['q=x', 'q2=x'], [over(7), over(3)], 'retry-after: 3'],
    [
      'does not wait for a quota when another has room',
      ['a=x', 'q=x', 'q2=x'],
      [over(2), over(7), left(1)],
      'retry-after: 2',
    ],
    [
      'waits for a hard limit and the first quota',
      ['a=x', 'q=x', 'q2=x'],
      [over(5), over(9), over(7)],
      'retry-after: 7',
    ],
    ['does not wait for a limit in shadow', ['a=x', 's=x'], [over(2), over(50)], 'retry-after: 2'],
  ])('%s', (_what, descriptors, outcomes, text) => {
    expect(shown(decide(descriptors, outcomes, { headers }).responseHeadersToAdd)).toBe(text);
  });

  test('is not on what only shadow mode lets pass', () => {
    expect(decide(['a=x'], [over(7)], { headers, shadowMode: true }).responseHeadersToAdd).toEqual([]);
  });

  test('stands after the RateLimit headers', () => {
    const both = { ...headers, enabled: true };
    expect(decide(['a=x'], [over(7)], { headers: both }).responseHeadersToAdd.map(({ key }) => key)).toEqual([
      'RateLimit-Limit',
      'RateLimit-Remaining',
      'RateLimit-Reset',
      'retry-after',
    ]);
  });
});

describe('dynamic metadata', () => {
  const metadata = (
    descriptors: Parameters<typeof requestOf>[0],
    outcomes: readonly Partial<BucketOutcome>[] = [],
    hits = 0,
  ): unknown =>
    JSON.parse(
      JSON.stringify(decide(descriptors, outcomes, { dynamicMetadata: true }, hits).dynamicMetadata),
    );

  test('is absent unless it is asked for', () => {
    expect(decide(['a=x'], [], {})).not.toHaveProperty('dynamicMetadata');
  });

  test('tells what was asked', () => {
    const limit = { requestsPerUnit: 5, unit: 2 };
    const request = [
      descriptor('none=x,y'),
      descriptor('z=', { hitsAddend: 0 }),
      descriptor('o=1', { limit, hitsAddend: 7 }),
    ];
    expect(metadata(request, [], 3)).toEqual({
      domain: 'd',
      hitsAddend: 3,
      descriptors: [
        { entries: ['none=x', 'y='] },
        { entries: ['z='], hitsAddend: 0 },
        { entries: ['o=1'], limit: 'requests_per_unit:5 unit:MINUTE', hitsAddend: 7 },
      ],
    });
  });

  test.each([
    [{ requestsPerUnit: 0, unit: 4 }, 'unit:DAY'],
    [{ requestsPerUnit: 1, unit: 7 }, 'requests_per_unit:1 unit:7'],
  ])('prints the override %j as %s', (limit, text) => {
    expect(metadata([descriptor('o=1', { limit })])).toMatchObject({ descriptors: [{ limit: text }] });
  });

  test.each<[string, string[], Partial<BucketOutcome>[], unknown]>([
    ['of a rule that passed', ['a=x'], [], { team: 'red', nested: { x: 1, list: [1] }, n: null }],
    ['of none that denied', ['a=x'], [over(1)], undefined],
    [
      'of those that passed beside one that denied',
      ['a=x', 'b=x'],
      [over(1)],
      { team: 'blue', nested: { x: 2, y: 3, list: [2] }, extra: true },
    ],
    [
      'merged, the first value first',
      ['a=x', 'b=x'],
      [],
      { team: 'red', nested: { x: 1, list: [1], y: 3 }, n: null, extra: true },
    ],
    ['of none that is unlimited', ['free=x'], [], undefined],
    [
      'of one in shadow that would deny',
      ['s=x', 'q=x'],
      [over(1)],
      JSON.parse('{"__proto__": {"polluted": true}}'),
    ],
  ])('has the metadata %s', (_what, descriptors, outcomes, expected) => {
    const all = metadata(descriptors, outcomes) as { metadata?: unknown };
    expect(JSON.stringify(all.metadata)).toBe(JSON.stringify(expected));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('merging changes no rule', () => {
    const first = metadata(['a=x', 'b=x']);
    expect(metadata(['a=x', 'b=x'])).toEqual(first);
    expect(metadata(['b=x', 'a=x'])).toMatchObject({ metadata: { team: 'blue', nested: { x: 2, y: 3 } } });
  });
});
