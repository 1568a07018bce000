/** Metric keys, held against a second account of the reference's rules written from the request's side. */
import fc from 'fast-check';
import type { LimitTable } from '../../src/limiter/limit-table';
import { descriptor, tableOf } from './parts';

/** One configured level: how it names its value, and its flags. */
interface Level {
  readonly value: 'exact' | 'wildcard' | 'bare';
  readonly valueToMetric: boolean;
  readonly share: boolean;
}

const CONFIGURED = { exact: 'ab', wildcard: 'a*', bare: '' } as const;

function keyOf(table: LimitTable, text: string): string | undefined {
  const domain = table.domains.get('d');
  return domain === undefined ? undefined : table.match(domain, descriptor(text))?.metricKey;
}

function tableFor(levels: readonly Level[], detailed: boolean): LimitTable {
  const build = (index: number): object[] => {
    const level = levels[index];
    if (level === undefined) return [];
    const last = index === levels.length - 1;
    return [
      {
        key: `k${index}`,
        ...(level.value === 'bare' ? {} : { value: CONFIGURED[level.value] }),
        value_to_metric: level.valueToMetric,
        ...(level.share && level.value === 'wildcard' ? { share_threshold: true } : {}),
        ...(last
          ? { rate_limit: { unit: 'day' }, detailed_metric: detailed }
          : { descriptors: build(index + 1) }),
      },
    ];
  };
  return tableOf(JSON.stringify({ domain: 'd', descriptors: build(0) }));
}

/** What the reference's documentation of the three flags comes to. */
function expected(levels: readonly Level[], detailed: boolean, values: readonly string[]): string {
  const shared = (level: Level): boolean => level.share && level.value === 'wildcard';
  const parts = levels.map((level, index) => {
    const runtime = values[index] ?? '';
    const configured = CONFIGURED[level.value];
    const join = (value: string): string => (value === '' ? `k${index}` : `k${index}_${value}`);
    if (shared(level)) return join(configured);
    if (detailed) return levels.some(shared) ? join(runtime) : `k${index}_${runtime}`;
    return join(level.valueToMetric ? runtime : configured);
  });
  return ['d', ...parts].join('.');
}

describe('metric keys', () => {
  const level = fc.record<Level>({
    value: fc.constantFrom('exact', 'wildcard', 'bare'),
    valueToMetric: fc.boolean(),
    share: fc.boolean(),
  });

  test('are as the reference makes them, for every combination of flags', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(level, fc.constantFrom('', 'x', 'y.z')), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (pairs, detailed) => {
          const levels = pairs.map(([one]) => one);
          const values = pairs.map(([one, any]) =>
            one.value === 'exact' ? 'ab' : one.value === 'wildcard' ? `a${any}` : any,
          );
          const text = values.map((value, index) => `k${index}=${value}`).join(',');
          expect(keyOf(tableFor(levels, detailed), text)).toBe(expected(levels, detailed, values));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  const one = (flags: string): LimitTable =>
    tableOf(
      `{domain: d, descriptors: [{key: k, value: "a*", ${flags} rate_limit: {unit: day}}, {key: j, ${flags.replace(/share_threshold: true,/, '')} rate_limit: {unit: day}}]}`,
    );

  test.each([
    ['', 'k=abc', 'd.k_a*'],
    ['', 'j=abc', 'd.j'],
    ['value_to_metric: true,', 'k=abc', 'd.k_abc'],
    ['value_to_metric: true,', 'j=abc', 'd.j_abc'],
    ['value_to_metric: true,', 'j=', 'd.j'],
    ['detailed_metric: true,', 'k=abc', 'd.k_abc'],
    ['detailed_metric: true,', 'j=', 'd.j_'],
    ['share_threshold: true,', 'k=abc', 'd.k_a*'],
    ['share_threshold: true, value_to_metric: true,', 'k=abc', 'd.k_a*'],
    ['share_threshold: true, detailed_metric: true,', 'k=abc', 'd.k_a*'],
  ])('with %j, %s counts as %s', (flags, text, key) => {
    expect(keyOf(one(flags), text)).toBe(key);
  });

  test('a star in a key counts under the rule, and under the pattern where a flag asks for more', () => {
    const table = (flags: string): LimitTable =>
      tableOf(`{domain: d, descriptors: [{key: "x*", ${flags} rate_limit: {unit: day}}]}`);
    expect(keyOf(table(''), 'xyz=v')).toBe('d.x*');
    expect(keyOf(table('value_to_metric: true,'), 'xyz=v')).toBe('d.xyz_v');
    expect(keyOf(table('share_threshold: true, detailed_metric: true,'), 'xyz=v')).toBe('d.xyz_x*');
  });
});
