/** Every mistake in a limits file: its code, place, key and remedy; all of them at once. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOGUE } from '../../src/core/error-catalogue';
import type { TidegateError } from '../../src/core/errors';
import { compileLimits } from '../../src/limiter/compile-limits';
import { COMPILE, compile } from './parts';

const DIR = join(__dirname, '../fixtures/limits');
const FILES = readdirSync(join(DIR, 'bad')).filter((name) => name.endsWith('.yaml'));
type Row = [code: string, place: string, key: string, message: string, remedy: string];
const EXPECTED = JSON.parse(readFileSync(join(DIR, 'expected.json'), 'utf8')) as Record<string, Row[]>;

function rowOf(error: TidegateError): Row {
  const { line, column, key } = error.at ?? {};
  return [error.code, `${line}:${column}`, key ?? '', error.message, error.remedy];
}

function load(file: string): ReturnType<typeof compileLimits> {
  return compileLimits([{ name: file, text: readFileSync(join(DIR, 'bad', file), 'utf8') }], COMPILE);
}

describe('a file with one mistake', () => {
  test('there is an expectation for each, and a file for each expectation', () => {
    expect(FILES.map((name) => name.replace('.yaml', '')).sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  test.each(FILES)('%s', (file) => {
    const { table, errors } = load(file);
    expect(table).toBeUndefined();
    expect(errors.map(rowOf)).toEqual(EXPECTED[file.replace('.yaml', '')]);
    expect(errors.map((error) => error.at?.file)).toEqual(errors.map(() => file));
  });

  test('together they meet every code of limits files but those for what cannot be in one small file', () => {
    const met = new Set(Object.values(EXPECTED).flatMap((rows) => rows.map(([code]) => code)));
    const missing = Object.keys(CATALOGUE).filter((code) => code.startsWith('TG_LIMITS_') && !met.has(code));
    expect(missing.sort()).toEqual([
      'TG_LIMITS_DUPLICATE_DOMAIN',
      'TG_LIMITS_TOO_LARGE',
      'TG_LIMITS_UNREADABLE',
    ]);
  });
});

const RULE = 'rate_limit: {unit: day, requests_per_unit: 1}';

describe('several files', () => {
  test('all mistakes of all of them are reported, in the order of the files', () => {
    const { table, errors } = compile([
      'domain: d\ndescriptors: [{key: ""}, {key: k, shadow_mode: 7}]',
      'domain: e\ndescriptors: [}',
      `domain: d\ndescriptors: [{key: k, ${RULE}}]`,
      'domain: d\ndescriptors: [{value: v}]',
    ]);
    expect(table).toBeUndefined();
    expect(errors.map((error) => `${error.at?.file} ${error.code}`)).toEqual([
      'a.yaml TG_LIMITS_EMPTY_KEY',
      'a.yaml TG_LIMITS_TYPE',
      'b.yaml TG_LIMITS_SYNTAX',
      'd.yaml TG_LIMITS_EMPTY_KEY',
      'c.yaml TG_LIMITS_DUPLICATE_DOMAIN',
      'd.yaml TG_LIMITS_DUPLICATE_DOMAIN',
    ]);
  });

  test("a domain's second file is rejected as the reference rejects it, and says where the first is", () => {
    const text = `domain: shop\ndescriptors: [{key: k, ${RULE}}]`;
    const { errors } = compile([text, text]);
    expect(errors.map(String)).toEqual([
      "TG_LIMITS_DUPLICATE_DOMAIN: b.yaml:1:1: domain: duplicate domain 'shop' in config file (first in a.yaml) (rename one, join them, or set limits.merge_domains)",
    ]);
  });

  test('merged domains report a descriptor that both files have', () => {
    const text = `domain: shop\ndescriptors: [{key: k, ${RULE}}]`;
    const { errors } = compile([text, text], { mergeDomains: true });
    expect(errors.map(rowOf)).toEqual([
      [
        'TG_LIMITS_DUPLICATE_DESCRIPTOR',
        '2:15',
        'descriptors[0]',
        "duplicate descriptor composite key 'shop.k'",
        'join them into one',
      ],
    ]);
  });

  test('the default algorithm counts when a capacity is judged', () => {
    const text =
      'domain: d\ndescriptors: [{key: k, rate_limit: {unit: day, requests_per_unit: 1, capacity: 5}}]';
    expect(compile(text).errors).toEqual([]);
    const { errors } = compile(text, { defaults: { ...COMPILE.defaults, algorithm: 'sliding_window' } });
    expect(errors.map((error) => error.code)).toEqual(['TG_LIMITS_CONFLICT']);
  });
});

describe('reading leniently, as compat does', () => {
  test.each(['duplicate-yaml-key.yaml', 'misplaced-key.yaml', 'two-documents.yaml'])(
    '%s loads, with a warning in the place of each error',
    (file) => {
      const text = readFileSync(join(DIR, 'bad', file), 'utf8');
      const result = compileLimits([{ name: file, text }], { ...COMPILE, lenient: true });
      expect(result.errors).toEqual([]);
      expect(result.warnings.map(rowOf)).toEqual(EXPECTED[file.replace('.yaml', '')]);
      expect(result.table).toBeDefined();
    },
  );

  test('forgives nothing else', () => {
    const forgiven = FILES.filter((file) => {
      const text = readFileSync(join(DIR, 'bad', file), 'utf8');
      return compileLimits([{ name: file, text }], { ...COMPILE, lenient: true }).table !== undefined;
    });
    expect(forgiven).toEqual(['duplicate-yaml-key.yaml', 'misplaced-key.yaml', 'two-documents.yaml']);
  });

  test('the last of two equal keys counts, as in the reference', () => {
    const { table } = compile(`domain: c\ndomain: d\ndescriptors: []`, { lenient: true });
    expect([...(table?.domains.keys() ?? [])]).toEqual(['d']);
  });
});

describe('many mistakes', () => {
  test('are listed up to a bound', () => {
    const { errors } = compile(`domain: d\ndescriptors:\n${'- {value: v}\n'.repeat(5_000)}`);
    expect(errors).toHaveLength(100);
  });
});
