/** Whatever a file holds, reading it ends soon, in a result: limits, or errors with codes. */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOGUE } from '../../src/core/error-catalogue';
import { readLimitsFile } from '../../src/limiter/dialect/limits-reader';
import { MAX_CHARS, MAX_DEPTH, MAX_NODES } from '../../src/limiter/dialect/yaml-tree';
import { compile } from './parts';

const read = (text: string): ReturnType<typeof readLimitsFile> =>
  readLimitsFile({ name: 'f.yaml', text }, { lenient: false });

function firstOf(text: string): string {
  const [first] = read(text).errors;
  return first === undefined ? '' : `${first.code} ${first.message}`;
}

const N = 100_000;
const DEEP = `TG_LIMITS_TOO_LARGE nested deeper than ${MAX_DEPTH} levels`;
const letters = [...'abcdefghijklmnopqrstuvwxyz'];

/** Each letter's line refers ten times to the letter before it. */
function bomb(line: (letter: string, before: string) => string): string {
  return letters
    .slice(1)
    .map((letter, index) => line(letter, letters[index] ?? ''))
    .join('\n');
}

describe('files made to harm', () => {
  // A thousand times what they take would still be far from hanging the process for good: the bound is on growth.
  test.each<[string, string, string]>([
    ['open lists', '['.repeat(N), DEEP],
    ['closed lists', '['.repeat(N) + ']'.repeat(N), DEEP],
    ['block lists', '- '.repeat(N), DEEP],
    ['explicit keys', '? '.repeat(N), DEEP],
    ['explicit keys of lists', '? - '.repeat(N), DEEP],
    ['flow mappings', '{a: '.repeat(N), DEEP],
    ['flow explicit keys', '{? '.repeat(N), DEEP],
    ['values of values', 'a: '.repeat(N), DEEP],
    ['indentation', Array.from({ length: 1_500 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), DEEP],
    [
      'an alias bomb',
      `a: &a [x]\n${bomb((to, from) => `${to}: &${to} [${Array(10).fill(`*${from}`).join(',')}]`)}`,
      `TG_LIMITS_TOO_LARGE more than ${MAX_NODES} values once aliases are expanded`,
    ],
    [
      'a merge bomb',
      `a: &a {x: y}\n${bomb((to, from) => `${to}: &${to} {<<: [${Array(10).fill(`*${from}`).join(',')}]}`)}`,
      `TG_LIMITS_TOO_LARGE more than ${MAX_NODES} values once aliases are expanded`,
    ],
    [
      'a list in itself',
      'domain: d\ndescriptors: &a [*a]\n',
      'TG_LIMITS_SYNTAX alias *a stands inside what it names',
    ],
    [
      'a mapping merged into itself',
      'domain: d\ndescriptors:\n- &a\n  key: k\n  <<: *a\n',
      'TG_LIMITS_SYNTAX alias *a stands inside what it names',
    ],
    [
      'a text that is too long',
      'x'.repeat(MAX_CHARS + 1),
      `TG_LIMITS_TOO_LARGE longer than ${MAX_CHARS} characters`,
    ],
  ])('%s', (_name, text, first) => {
    const started = performance.now();
    expect(firstOf(text)).toBe(first);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('a file that is too deep says where', () => {
    const [error] = read(`domain: d\nx: ${'['.repeat(100)}`).errors;
    expect(error?.at).toMatchObject({ file: 'f.yaml', line: 2 });
    expect(error?.at?.column).toBeGreaterThan(MAX_DEPTH - 5);
  });

  test.each<[string, string]>([
    ['many documents', '---\n'.repeat(20_000)],
    ['many anchors', Array.from({ length: 20_000 }, (_, i) => `a${i}: &b${i} x`).join('\n')],
    ['many aliases', `x: &x y\n${Array.from({ length: 20_000 }, (_, i) => `a${i}: *x`).join('\n')}`],
    ['many tags', '!a '.repeat(20_000)],
    ['many directives', '%YAML 1.1\n'.repeat(20_000)],
    ['many commas', `[${','.repeat(20_000)}]`],
    ['many colons', ':'.repeat(N)],
    ['one long quoted text', `"${'a\n'.repeat(20_000)}`],
    ['many equal keys', 'a: b\n'.repeat(20_000)],
    ['zero bytes', '\0'.repeat(N)],
    ['long keys', Array.from({ length: 50 }, (_, i) => `${' '.repeat(i)}${'k'.repeat(1_000)}:`).join('\n')],
  ])('%s: an error soon', (_name, text) => {
    const started = performance.now();
    expect(read(text).errors.length).toBeGreaterThan(0);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('a large file without mistakes loads', () => {
    const rules = Array.from(
      { length: 5_000 },
      (_, i) => `- {key: k, value: v${i}, rate_limit: {unit: day, requests_per_unit: ${i}}}`,
    );
    const { table, errors } = compile(`domain: d\ndescriptors:\n${rules.join('\n')}`);
    expect(errors).toEqual([]);
    expect(table?.rules).toHaveLength(5_000);
  });
});

describe('keys that objects have of themselves', () => {
  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'])('%s', (key) => {
    expect(firstOf(`domain: d\n${key}: {polluted: yes}\n`)).toBe(
      `TG_LIMITS_UNKNOWN_KEY unknown key '${key}' in a limits file`,
    );
    const { table } = compile(
      `domain: ${key}\ndescriptors: [{key: ${key}, value: ${key}, rate_limit: {unit: day, name: ${key}}}]`,
    );
    expect(table?.rules[0]?.id).toBe(`${key}.${key}_${key}`);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

/** Nothing but a result, and only known codes in it. */
function expectResult(text: string): void {
  const { table, errors, warnings } = compile(text);
  expect(table === undefined).toBe(errors.length > 0);
  for (const error of [...errors, ...warnings]) {
    expect(CATALOGUE[error.code]).toBeDefined();
    expect(error.code).toMatch(/^TG_LIMITS_/);
    expect(error.message).not.toMatch(/undefined|\[object/);
    expect(error.at?.file).toBe('a.yaml');
    expect(error.at?.line).toBeGreaterThan(0);
    expect(error.at?.column).toBeGreaterThan(0);
  }
}

const VALID = readFileSync(join(__dirname, '../fixtures/limits/good/everything.yaml'), 'utf8');
const PIECES = [
  ...[
    '\n',
    '  ',
    '\t',
    '\r',
    '- ',
    ': ',
    '? ',
    '# ',
    '{',
    '}',
    '[',
    ']',
    ',',
    '"',
    "'",
    '|',
    '>',
    '&a ',
    '*a',
    '!!str ',
    '!x ',
    '<<: ',
  ],
  ...[
    '---',
    '...',
    '%YAML 1.2',
    '*',
    '~',
    '0',
    '-1',
    '1e9',
    'yes',
    '""',
    'domain',
    'descriptors',
    'rate_limit',
    'unit',
    'per: 1s',
    'key',
    'value',
  ],
  ...['\uFEFF', '\0', '\u2028', '\uD800', '💥', '\\', '@', '`'],
];

describe('fuzzing', () => {
  test('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
        expectResult(Buffer.from(bytes).toString('utf8')),
      ),
      { numRuns: 500 },
    );
  });

  test('random text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), expectResult), { numRuns: 300 });
  });

  test('random pieces of YAML', () => {
    const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((list) => list.join(''));
    fc.assert(fc.property(pieces, expectResult), { numRuns: 1_000 });
  });

  test('a valid file with pieces put in, cut out and doubled', () => {
    const edit = fc.record({
      at: fc.nat({ max: VALID.length }),
      cut: fc.nat({ max: 12 }),
      put: fc.oneof(
        fc.constantFrom(...PIECES),
        fc.nat({ max: VALID.length }).map((from) => VALID.slice(from, from + 40)),
      ),
    });
    const edited = fc
      .array(edit, { minLength: 1, maxLength: 4 })
      .map((edits) =>
        edits.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), VALID),
      );
    fc.assert(fc.property(edited, expectResult), { numRuns: 300 });
  });

  test('every beginning of a valid file', () => {
    for (let length = 0; length <= VALID.length; length += 3) expectResult(VALID.slice(0, length));
  });
});
