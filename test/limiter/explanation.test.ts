/** Why a descriptor meets the rule that it meets. */
import { explain } from '../../src/limiter/explanation';
import { descriptor, tableOf } from './parts';

const TABLE = tableOf(`
domain: d
descriptors:
  - key: client
    rate_limit: {unit: minute, requests_per_unit: 100}
    descriptors:
      - {key: path, value: "/api/*", share_threshold: true, rate_limit: {per: 90s, requests_per_unit: 7, capacity: 9}}
  - {key: client, value: gold}
  - {key: "x*", shadow_mode: true, rate_limit: {unit: hour, requests_per_unit: 1, algorithm: fixed_window}}
  - {key: free, value: "yes", rate_limit: {unlimited: true}}
  - {key: q, quota_mode: true, rate_limit: {unit: second, requests_per_unit: 2, algorithm: sliding_window}}
`);

describe('explain()', () => {
  test.each<[string, string[], string]>([
    [
      'client=a',
      ["the bare key of 'client'"],
      'limited by d.client: 100 per 1m (token_bucket, capacity 100)',
    ],
    [
      'client=a,path=/api/v1',
      ["the bare key of 'client'", "the wildcard '/api/*' of 'path', whose values share one bucket"],
      'limited by d.client.path_/api/*: 7 per 90s (token_bucket, capacity 9)',
    ],
    [
      'client=gold',
      ["the exact value of 'client'"],
      'no limit: what it matches has no rate_limit, which lets it pass',
    ],
    [
      'client=gold,path=/api/v1',
      ["the exact value of 'client'", 'the limits end above this level'],
      'no limit: nothing matches path=/api/v1 at level 2; a rule applies only at its own depth',
    ],
    [
      'client=a,path=/web,more=1',
      [
        "the bare key of 'client'",
        'nothing: no such value, wildcard or bare key at this level',
        'not looked at',
      ],
      'no limit: nothing matches path=/web at level 2; a rule applies only at its own depth',
    ],
    [
      'xyz=1',
      ["the wildcard 'x*' of 'x*'"],
      'limited by d.x*: 1 per 1h (fixed_window; shadow mode: never denied)',
    ],
    ['free=yes', ["the exact value of 'free'"], 'unlimited by d.free_yes'],
    ['q=1', ["the bare key of 'q'"], 'limited by d.q: 2 per 1s (sliding_window; quota mode)'],
    [
      'nothing=1',
      ['nothing: no such value, wildcard or bare key at this level'],
      'no limit: nothing matches nothing=1 at level 1; a rule applies only at its own depth',
    ],
  ])('%s', (text, met, conclusion) => {
    const explanation = explain(TABLE, 'd', descriptor(text));
    expect(explanation.steps.map((step) => step.met)).toEqual(met);
    expect(explanation.steps.map((step) => step.entry)).toEqual(text.split(','));
    expect(explanation.conclusion).toBe(conclusion);
    expect(explanation.rule === undefined).toBe(conclusion.startsWith('no limit'));
  });

  test('names the bucket, the metric and the place of the rule', () => {
    expect(explain(TABLE, 'd', descriptor('client=a,path=/api/v1'))).toMatchObject({
      bucketKey: 'd|client=a|path~/api/*',
      metricKey: 'd.client.path_/api/*',
      rule: { at: 'a.yaml:7:73', window: '90s', limit: 7, capacity: 9 },
    });
  });

  test('of an unknown domain names some that are known', () => {
    const { conclusion, steps } = explain(TABLE, 'other', descriptor('client=a'));
    expect(conclusion).toBe('no limit: the domain is not configured (known: d)');
    expect(steps).toEqual([]);
    const many = tableOf(Array.from({ length: 30 }, (_, index) => `domain: d${index}`));
    expect(explain(many, 'x', descriptor('a')).conclusion.split(', ')).toHaveLength(20);
  });
});
