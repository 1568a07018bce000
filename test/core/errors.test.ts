/** The error catalogue, the error type, and docs/errors.md in step with them. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CATALOGUE, type ErrorCode } from '../../src/core/error-catalogue';
import { TidegateError, formatPosition } from '../../src/core/errors';
import { renderErrorsDoc } from '../../src/core/errors-doc';

const CODES = Object.keys(CATALOGUE) as ErrorCode[];

describe('the catalogue', () => {
  test.each(CODES)('%s says what it means and what to do', (code) => {
    const entry = CATALOGUE[code];
    expect(code).toMatch(/^TG(_[A-Z0-9]+)+$/);
    expect(entry.meaning).toMatch(/\.$/);
    expect(entry.remedy.length).toBeGreaterThan(5);
    expect([3, 5, 7, 8, 9, 13, 14, 16]).toContain(entry.grpcStatus);
    // Envoy and clients retry UNAVAILABLE: nothing that stays wrong may claim it.
    expect(entry.transient).toBe(entry.grpcStatus === 14);
  });
});

describe('docs/errors.md', () => {
  const page = readFileSync(resolve(__dirname, '../../docs/errors.md'), 'utf8');

  test('is what the catalogue renders', () => {
    expect(page).toBe(renderErrorsDoc());
  });

  test('lists exactly the codes', () => {
    const listed = [...page.matchAll(/^\| `(TG_[A-Z0-9_]+)` \|/gm)].map((match) => match[1] ?? '');
    expect([...listed].sort()).toEqual([...CODES].sort());
  });
});

describe('TidegateError', () => {
  test('carries its code, place and remedy, and prints them in one line', () => {
    const at = { file: 'a.yaml', line: 3, column: 7, key: 'descriptors[0].key' };
    const error = new TidegateError('TG_LIMITS_EMPTY_KEY', 'descriptor has empty key', { at });
    expect(String(error)).toBe(
      'TG_LIMITS_EMPTY_KEY: a.yaml:3:7: descriptors[0].key: descriptor has empty key (give every descriptor a `key`)',
    );
    expect([error.transient, error.grpcStatus]).toEqual([false, 9]);
  });

  test('takes a more exact remedy', () => {
    expect(new TidegateError('TG_USAGE', 'what?', { remedy: 'say more' }).remedy).toBe('say more');
  });

  test.each([
    ['an error of its own', new TidegateError('TG_TLS', 'bad key'), 'TG_TLS', 'bad key'],
    ['any other error', new RangeError('off'), 'TG_INTERNAL', 'off'],
    ['a thrown text', 'plain', 'TG_INTERNAL', 'plain'],
    ['nothing', undefined, 'TG_INTERNAL', 'undefined'],
  ])('wraps %s', (_what, thrown, code, message) => {
    const error = TidegateError.from(thrown);
    expect([error.code, error.message]).toEqual([code, message]);
    if (thrown instanceof Error && error !== thrown) expect(error.cause).toBe(thrown);
  });
});

describe('formatPosition', () => {
  test.each([
    [undefined, ''],
    [{}, ''],
    [{ file: 'f' }, 'f: '],
    [{ file: 'f', line: 1 }, 'f:1: '],
    [{ file: 'f', line: 1, column: 2 }, 'f:1:2: '],
    [{ key: 'a.b' }, 'a.b: '],
    [{ file: 'f', line: 1, column: 2, key: 'a.b' }, 'f:1:2: a.b: '],
  ])('%j is %j', (at, text) => {
    expect(formatPosition(at)).toBe(text);
  });
});
