/** Conditions of classes as matchers, and whether a class can be part of a route. */
import fc from 'fast-check';
import type { PlainMessage } from '../../../src/mesh/definitions';
import { conditionsOf, matchersOf, pathsMeet } from '../../../src/mesh/weights/class-matchers';
import type { ClassRow } from '../../../src/mesh/weights/rows';
import { classRow } from './resources';

const one = (more: Partial<ClassRow>) => ({ row: classRow('x', more), at: 'mesh.classes[0]' });

interface Matcher {
  readonly name: string;
  readonly present_match?: boolean;
  readonly string_match?: {
    readonly exact?: string;
    readonly prefix?: string;
    readonly suffix?: string;
    readonly contains?: string;
    readonly ignore_case?: boolean;
    readonly safe_regex?: { readonly regex: string };
  };
}

/** Whether a value matches, as Envoy has it: expressions have to match all of it. */
function takes(matchers: readonly PlainMessage[], headers: Readonly<Record<string, string>>): boolean {
  return (matchers as unknown as readonly Matcher[]).every(({ name, string_match: match }) => {
    const value = headers[name];
    if (value === undefined) return false;
    if (match === undefined) return true;
    const { exact, prefix, suffix, contains, safe_regex: regex } = match;
    const fold = (text: string): string => (match.ignore_case === true ? text.toLowerCase() : text);
    const has = fold(value);
    if (exact !== undefined) return has === fold(exact);
    if (prefix !== undefined) return has.startsWith(fold(prefix));
    if (suffix !== undefined) return has.endsWith(fold(suffix));
    if (contains !== undefined) return has.includes(fold(contains));
    const [, insensitive, source] = /^(\(\?i\))?(.*)$/s.exec(regex?.regex ?? '') ?? [];
    return new RegExp(`^(?:${source ?? ''})$`, insensitive === undefined ? 's' : 'si').test(value);
  });
}

describe('matchers', () => {
  test.each<[string, Partial<ClassRow>, Record<string, string>[], Record<string, string>[]]>([
    ['a header that is there', { header: 'x' }, [{ x: '' }, { x: 'a' }], [{}]],
    ['any value', { header: 'x', values: ['a', '*'] }, [{ x: 'b' }], [{}]],
    ['one value', { header: 'x', values: ['a.b'] }, [{ x: 'a.b' }], [{ x: 'aXb' }, { x: 'a.bc' }, {}]],
    ['a beginning', { header: 'x', values: ['eu-*'] }, [{ x: 'eu-1' }, { x: 'eu-' }], [{ x: 'us-eu-1' }]],
    ['an end', { header: 'x', values: ['*.de'] }, [{ x: 'a.de' }], [{ x: 'a.de.x' }]],
    ['a middle', { header: 'x', values: ['*mid*'] }, [{ x: 'amidst' }], [{ x: 'mi' }]],
    [
      'several values',
      { header: 'x', values: ['a+b', 'c|d', 'e*'] },
      [{ x: 'a+b' }, { x: 'c|d' }, { x: 'ef' }],
      [{ x: 'aab' }, { x: 'c' }, { x: 'd' }, { x: 'xe' }],
    ],
    ['a method', { methods: ['POST'] }, [{ ':method': 'POST' }], [{ ':method': 'GET' }]],
    ['methods', { methods: ['POST', 'PUT'] }, [{ ':method': 'PUT' }], [{ ':method': 'PUTT' }]],
    [
      'a path',
      { path: '/pay.x' },
      [{ ':path': '/pay.x' }, { ':path': '/pay.x?a=/' }],
      [{ ':path': '/pay.x/1' }, { ':path': '/payyx' }],
    ],
    [
      'a path below',
      { path: '/pay/*' },
      [{ ':path': '/pay/1?x' }],
      [{ ':path': '/pay' }, { ':path': '/PAY/1' }],
    ],
    [
      'all of it',
      { header: 'x', values: ['1'], methods: ['GET'], path: '/*' },
      [{ x: '1', ':method': 'GET', ':path': '/' }],
      [{ x: '1', ':method': 'PUT', ':path': '/' }],
    ],
  ])('%s', (_name, row, yes, no) => {
    const [matchers = [], ...others] = matchersOf(one(row), false);
    expect(others).toEqual([]);
    for (const headers of yes) expect([headers, takes(matchers, headers)]).toEqual([headers, true]);
    for (const headers of no) expect([headers, takes(matchers, headers)]).toEqual([headers, false]);
  });

  test('take either case where the route does', () => {
    for (const path of ['/pay', '/pay/*']) {
      const lists = matchersOf(one({ path }), true);
      const some = (of: string): boolean => lists.some((list) => takes(list, { ':path': of }));
      expect(some('/PAY/1')).toBe(path === '/pay/*');
      expect(some('/PAY')).toBe(path === '/pay');
      expect(some('/Pay?a')).toBe(path === '/pay');
    }
  });

  test('a long path and long values become routes of their own, each with each', () => {
    const path = `/${'p'.repeat(200)}`;
    const values = ['a'.repeat(70), 'b'.repeat(70), 'c'];
    const lists = matchersOf(one({ path, header: 'x', values, methods: ['GET'] }), false);
    expect(lists).toHaveLength(6);
    for (const x of values)
      for (const end of ['', '?q']) {
        const headers = { x, ':path': `${path}${end}`, ':method': 'GET' };
        expect(lists.filter((list) => takes(list, headers))).toHaveLength(1);
      }
  });

  test('any values are taken as they stand, in expressions that Envoy takes', () => {
    const value = fc.string({ minLength: 1, maxLength: 200 }).filter((text) => !/[*\r\n\0]/.test(text));
    fc.assert(
      fc.property(fc.uniqueArray(value, { minLength: 1, maxLength: 300 }), value, (values, other) => {
        const lists = matchersOf(one({ header: 'x', values }), false);
        for (const wanted of values)
          expect(lists.filter((list) => takes(list, { x: wanted })).length).toBe(1);
        expect(lists.some((list) => takes(list, { x: other }))).toBe(values.includes(other));
        for (const list of lists) {
          const match = (list as unknown as readonly Matcher[])[0]?.string_match;
          expect(match?.safe_regex?.regex.replaceAll('\\', '').length ?? 0).toBeLessThan(80);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('are told in words', () => {
    expect(
      conditionsOf(one({ header: 'x', values: ['a', 'b', 'c', 'd'], methods: ['GET'], path: '/p*' })),
    ).toBe('x is a or b or c or ..., method GET, path /p*');
    expect(conditionsOf(one({ header: 'x' }))).toBe('has x');
  });
});

describe('a class and a route', () => {
  const insensitive = { case_sensitive: { value: false } };
  test.each<[PlainMessage, string, boolean]>([
    [{ prefix: '/' }, '', true],
    [{ prefix: '/' }, '/a', true],
    [{ prefix: '/api' }, '/a', false],
    [{ prefix: '/api' }, '/a*', true],
    [{ prefix: '/api' }, '/api/x', true],
    [{ prefix: '/api' }, '/web/*', false],
    [{ prefix: '/API', ...insensitive }, '/api/x', true],
    [{ path: '/a' }, '/a', true],
    [{ path: '/a' }, '/b', false],
    [{ path: '/a/b' }, '/a/*', true],
    [{ path: '/a' }, '/a/*', false],
    [{ path_separated_prefix: '/a' }, '/a', true],
    [{ path_separated_prefix: '/a' }, '/a/b', true],
    [{ path_separated_prefix: '/a' }, '/ab', false],
    [{ path_separated_prefix: '/a' }, '/*', true],
    [{ path_separated_prefix: '/a' }, '/ab*', false],
    [{ safe_regex: { regex: '/x.*' } }, '/y', true],
    [{ connect_matcher: {} }, '/y', true],
  ])('%j with %s: %s', (match, path, meet) => {
    expect(pathsMeet(match, path)).toBe(meet);
  });
});
