/** What a limits file says of waiting, and the place that it gives to requests. */
import { explain, summarizeRule } from '../../src/limiter/explanation';
import { Limiter } from '../../src/limiter/limiter';
import { LIMITER, RecordedTelemetry, ScriptedStore, compile, descriptor, requestOf, tableOf } from './parts';

const rule = (text: string): string =>
  `domain: d\ndescriptors:\n  - key: k\n    rate_limit: { unit: second, requests_per_unit: 5${text} }\n`;

describe('queue in a limits file', () => {
  test.each([
    [', queue: { max_wait: 20ms, max_depth: 7 }', { maxWait: '20ms', maxDepth: 7 }],
    [', queue: { max_wait: 1s }', { maxWait: '1s', maxDepth: 1_000 }],
    [', queue: {}', { maxWait: '50ms', maxDepth: 1_000 }],
    ['', null],
  ])('%s', (text, queue) => {
    expect(tableOf(rule(text)).rules.map(summarizeRule)).toMatchObject([{ queue, weight: 1 }]);
  });

  test.each([
    [', queue: 50ms', 'TG_LIMITS_TYPE'],
    [', queue: { max_wait: 2m }', 'TG_LIMITS_BAD_DURATION'],
    [', queue: { max_wait: 0s }', 'TG_LIMITS_BAD_DURATION'],
    [', queue: { max_depth: 0 }', 'TG_LIMITS_BAD_NUMBER'],
    [', queue: { max_depth: 100001 }', 'TG_LIMITS_BAD_NUMBER'],
    [', queue: { depth: 3 }', 'TG_LIMITS_UNKNOWN_KEY'],
    [', weight: 0', 'TG_LIMITS_BAD_NUMBER'],
    [', weight: 1001', 'TG_LIMITS_BAD_NUMBER'],
  ])('%s is refused: %s', (text, code) => {
    expect(compile(rule(text)).errors.map((error) => error.code)).toEqual([code]);
  });

  test('is explained', () => {
    const table = tableOf(rule(', queue: { max_wait: 20ms, max_depth: 7 }, weight: 3'));
    expect(explain(table, 'd', descriptor('k=v'))).toMatchObject({
      rule: { queue: { maxWait: '20ms', maxDepth: 7 }, weight: 3 },
      conclusion: expect.stringContaining('up to 7 calls wait at most 20ms') as string,
    });
  });
});

describe('the place of a request among those that wait', () => {
  const table = tableOf(`domain: d
descriptors:
  - key: all
    rate_limit: { unit: second, requests_per_unit: 5, queue: {} }
  - key: free
    rate_limit: { unlimited: true, priority: LOW }
  - key: tenant
    rate_limit: { unit: second, requests_per_unit: 9 }
  - key: tenant
    value: gold
    rate_limit: { unit: second, requests_per_unit: 9, priority: CRITICAL, weight: 4 }
`);
  const asked = (...descriptors: string[]) => {
    const store = new ScriptedStore(() => []);
    const telemetry = new RecordedTelemetry();
    const limiter = new Limiter({ store, local: store, telemetry }, LIMITER);
    limiter.useTable(table);
    try {
      void limiter.decide(requestOf(descriptors), { timeoutMs: 20 });
    } catch {
      // The store answers nothing; what it was asked is what matters.
    }
    return store.asked[0]?.queue;
  };

  test.each([
    [['tenant=gold'], undefined],
    [['all=1'], { rank: 2, weight: 1, timeoutMs: 20 }],
    [['all=1', 'tenant=gold'], { rank: 0, weight: 4 }],
    [['all=1', 'tenant=tin'], { rank: 2, weight: 1 }],
    [['all=1', 'free=1'], { rank: 3, weight: 1 }],
  ])('%j', (descriptors, claim) => {
    if (claim === undefined) expect(asked(...descriptors)).toBeUndefined();
    else expect(asked(...descriptors)).toMatchObject(claim);
  });

  test('tenants are flows of their own, what no rule looks at is not', () => {
    const flow = (...descriptors: string[]): string | undefined => asked(...descriptors)?.flow;
    expect(flow('all=1', 'tenant=a')).not.toBe(flow('all=1', 'tenant=b'));
    expect(flow('all=1', 'trace=a')).toBe(flow('all=1', 'trace=b'));
  });
});
