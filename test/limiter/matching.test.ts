/** Which rule a descriptor meets. */
import fc from 'fast-check';
import { bucketKey, escapeKeyPart, overrideKey } from '../../src/limiter/bucket-key';
import type { LimitTable, RuleMatch } from '../../src/limiter/limit-table';
import { wildcardMatches, wildcardParts } from '../../src/limiter/wildcard';
import { descriptor, tableOf } from './parts';

const RULE = 'rate_limit: {unit: day, requests_per_unit: 5}';

function match(table: LimitTable, text: string): RuleMatch | undefined {
  const domain = table.domains.get('d');
  if (domain === undefined) throw new Error('no domain d');
  return table.match(domain, descriptor(text));
}

function idsOf(table: LimitTable, ...texts: string[]): (string | undefined)[] {
  return texts.map((text) => match(table, text)?.rule.id);
}

describe('one level', () => {
  const table = tableOf(`
domain: d
descriptors:
  - {key: k, ${RULE}}
  - {key: k, value: a, ${RULE}}
  - {key: k, value: "a*", ${RULE}}
  - {key: k, value: "*b", ${RULE}}
  - {key: k, value: abc}
  - {key: j, value: x, ${RULE}}
  - {key: any, value: "*", ${RULE}}
  - {key: a_b, ${RULE}}
  - {key: m, value: a*c*e, ${RULE}}
`);

  test.each<[string, string | undefined, string]>([
    ['k=a', 'd.k_a', 'the exact value before any wildcard'],
    ['k=ab', 'd.k_a*', 'the first wildcard of the file'],
    ['k=b', 'd.k_*b', 'a later wildcard'],
    ['k=xb', 'd.k_*b', 'a star in front'],
    ['k=z', 'd.k', 'the bare key when nothing else matches'],
    ['k=', 'd.k', 'the bare key for an empty value'],
    ['k', 'd.k', 'the bare key without a value'],
    ['k=abc', undefined, 'an exact value without a rule lets pass, and hides the wildcard'],
    ['j=x', 'd.j_x', 'an exact value'],
    ['j=y', undefined, 'no bare key to fall back to'],
    ['any=', 'd.any_*', 'a lone star takes the empty value'],
    ['any=*', 'd.any_*', 'a value spelt like the wildcard'],
    ['any=x y', 'd.any_*', 'a lone star takes anything'],
    ['a=b', undefined, 'key and value are not joined'],
    ['a_b=', 'd.a_b', 'a key with an underscore'],
    ['a_b=c', 'd.a_b', 'a key with an underscore and a value'],
    ['m=ace', 'd.m_a*c*e', 'stars for nothing'],
    ['m=a.c.c.e', 'd.m_a*c*e', 'stars for something'],
    ['m=ae', undefined, 'the middle is missing'],
    ['none=x', undefined, 'no such key'],
    ['k=a,k=a', undefined, 'deeper than the limits'],
  ])('%s meets %s: %s', (text, id) => {
    expect(match(table, text)?.rule.id).toBe(id);
  });
});

describe('several levels', () => {
  const table = tableOf(`
domain: d
descriptors:
  - key: k
    ${RULE}
    descriptors:
      - {key: sub, ${RULE}}
  - key: k
    value: a
    descriptors:
      - {key: sub, value: x, ${RULE}}
  - key: k
    value: "w*"
    descriptors:
      - {key: sub, value: "*", ${RULE}}
`);

  test.each<[string, string | undefined, string]>([
    ['k=z', 'd.k', 'a rule half way down'],
    ['k=z,sub=y', 'd.k.sub', 'the rule below it'],
    ['k=a', undefined, 'no rule half way down'],
    ['k=a,sub=x', 'd.k_a.sub_x', 'down the exact value'],
    ['k=a,sub=y', undefined, 'no way back from the exact value to the bare key'],
    ['k=w1,sub=y', 'd.k_w*.sub_*', 'down a wildcard'],
    ['k=z,sub=y,more=1', undefined, 'deeper than the limits'],
    ['sub=x', undefined, 'a lower level is no first one'],
  ])('%s meets %s: %s', (text, id) => {
    expect(match(table, text)?.rule.id).toBe(id);
  });
});

describe('a star in a key', () => {
  const table = tableOf(`
domain: d
descriptors:
  - {key: "path*", value: x, ${RULE}}
  - {key: "*", ${RULE}}
`);
  test('matches the key and value joined', () => {
    expect(idsOf(table, 'path1=x', 'path1=y', 'other=z')).toEqual(['d.path*_x', 'd.*', 'd.*']);
  });
});

describe('merged domains', () => {
  test('are one, with the wildcards in the order of the files', () => {
    const files = [
      `{domain: d, descriptors: [{key: k, value: "a*", ${RULE}}]}`,
      `{domain: d, descriptors: [{key: k, value: "*b", ${RULE}}, {key: j, ${RULE}}]}`,
    ];
    const table = tableOf(files, { mergeDomains: true });
    expect([...table.domains.keys()]).toEqual(['d']);
    expect(idsOf(table, 'k=ab', 'k=b', 'j=x')).toEqual(['d.k_a*', 'd.k_*b', 'd.j']);
    expect(table.rules.map((rule) => rule.at.file)).toEqual(['a.yaml', 'b.yaml', 'b.yaml']);
  });
});

describe('wildcards', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', 'é', '\n'), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '*', '.'), maxLength: 8 });

  test('match what the same regular expression matches', () => {
    fc.assert(
      fc.property(pattern, text, (one, value) => {
        const escaped = one.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
        const expected = new RegExp(`^${escaped.join('[^]*')}$`).test(value);
        expect(wildcardMatches(wildcardParts(one), value)).toBe(expected);
      }),
      { numRuns: 5_000 },
    );
  });

  test('take time in proportion to the text, not to its powers', () => {
    const started = performance.now();
    expect(wildcardMatches(wildcardParts(`${'a*'.repeat(50)}b`), 'a'.repeat(200_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe('bucket keys', () => {
  const part = fc.string({
    unit: fc.constantFrom('a', 'b', '_', '|', '=', '~', '!', '{', '}', '%', '7', 'é', '\uD800'),
    maxLength: 4,
  });
  const entries = fc.array(fc.record({ key: part, value: part }), { maxLength: 3 });
  const request = fc.record({
    domain: part,
    entries,
    patterns: fc.option(fc.array(fc.option(part, { nil: undefined }), { maxLength: 3 }), { nil: undefined }),
  });
  const keyOf = (one: {
    domain: string;
    entries: { key: string; value: string }[];
    patterns?: (string | undefined)[] | undefined;
  }): string => bucketKey(one.domain, { entries: one.entries, negativeHits: false }, one.patterns);
  /** What a key stands for: a shared pattern takes the place of the value. */
  const meaningOf = (one: {
    domain: string;
    entries: { key: string; value: string }[];
    patterns?: (string | undefined)[] | undefined;
  }): string =>
    JSON.stringify([
      one.domain,
      one.entries.map((entry, i) => [
        entry.key,
        one.patterns?.[i] === undefined ? ['=', entry.value] : ['~', one.patterns[i]],
      ]),
    ]);

  test('differ whenever what they stand for differs', () => {
    fc.assert(
      fc.property(request, request, (a, b) => {
        expect(keyOf(a) === keyOf(b)).toBe(meaningOf(a) === meaningOf(b));
      }),
      { numRuns: 5_000 },
    );
  });

  test('differ by the limit of an override, and from keys of rules', () => {
    const limit = fc.record({ requestsPerUnit: fc.nat({ max: 12 }), unit: fc.nat({ max: 7 }) });
    fc.assert(
      fc.property(request, request, limit, limit, (a, b, first, second) => {
        const of = (one: typeof a, which: typeof first): string =>
          overrideKey(one.domain, { entries: one.entries, negativeHits: false }, which);
        const same = meaningOf({ ...a, patterns: undefined }) === meaningOf({ ...b, patterns: undefined });
        const sameLimit = first.requestsPerUnit === second.requestsPerUnit && first.unit === second.unit;
        expect(of(a, first) === of(b, second)).toBe(same && sameLimit);
        expect(of(a, first)).not.toBe(keyOf(b));
      }),
      { numRuns: 3_000 },
    );
  });

  test('hold no brace, so that they can stand in a hash tag', () => {
    fc.assert(fc.property(request, (one) => expect(keyOf(one)).not.toMatch(/[{}]/)));
    expect(escapeKeyPart('a{b}c')).toBe('a%7bb%7dc');
  });

  test.each([
    ['k=v', 'd|k=v'],
    ['k', 'd|k='],
    ['k=v,j=a=b', 'd|k=v|j=a%3db'],
  ])('%s is kept as %s', (text, key) => {
    expect(bucketKey('d', descriptor(text), undefined)).toBe(key);
  });

  test('values of a shared wildcard have one bucket, others one each', () => {
    const table = tableOf(`
domain: d
descriptors:
  - {key: k, value: "a*", share_threshold: true, ${RULE}, descriptors: [{key: s, ${RULE}}]}
  - {key: k, value: "b*", ${RULE}}
  - {key: k, value: "a1", ${RULE}}
`);
    const key = (text: string): string | undefined => match(table, text)?.key;
    expect(key('k=ax')).toBe(key('k=ay'));
    expect(key('k=ax')).toBe('d|k~a*');
    expect(key('k=a*')).toBe('d|k~a*');
    expect(key('k=bx')).not.toBe(key('k=by'));
    expect(key('k=a1')).toBe('d|k=a1');
    expect(key('k=ax,s=1')).toBe('d|k~a*|s=1');
  });

  test('two shared wildcards with stars in their keys stay apart where both can match', () => {
    const table = tableOf(`
domain: d
descriptors:
  - {key: "*x", value: a, share_threshold: true, ${RULE}}
  - {key: "k*", value: a, share_threshold: true, ${RULE}}
`);
    const [first, second] = [match(table, 'kx=a'), match(table, 'kx=b_a')];
    expect([first?.rule.id, second?.rule.id]).toEqual(['d.*x_a', 'd.k*_a']);
    expect(first?.key).not.toBe(second?.key);
  });
});
