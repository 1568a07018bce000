/** What a limits file may say, and how it is read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DescriptorSpec } from '../../src/limiter/dialect/limits-file';
import { readLimitsFile } from '../../src/limiter/dialect/limits-reader';
import { parseBoolean, parseInteger, parsePlain } from '../../src/limiter/dialect/scalars';
import { summarizeRule } from '../../src/limiter/explanation';
import { renderRlconfig } from '../../src/limiter/rlconfig';
import { tableOf } from './parts';

const EVERYTHING = readFileSync(join(__dirname, '../fixtures/limits/good/everything.yaml'), 'utf8');

/** The only descriptor of a file that holds one. */
function only(text: string): DescriptorSpec {
  const { file, errors } = readLimitsFile({ name: 'f.yaml', text }, { lenient: false });
  const first = file?.descriptors[0];
  if (first === undefined) throw new Error(errors.map(String).join('\n'));
  return first;
}

describe('a file with every feature', () => {
  const table = tableOf(EVERYTHING);
  const rules = new Map(table.rules.map((rule) => [rule.id, rule]));
  const summary = (id: string): object => {
    const rule = rules.get(id);
    if (rule === undefined) throw new Error(`no rule ${id}`);
    return summarizeRule(rule);
  };
  const usual = {
    algorithm: 'token_bucket',
    consistency: 'exact',
    name: '',
    onError: 'allow',
    priority: null,
    queue: null,
    weight: 1,
    quotaMode: false,
    replaces: [],
    shadowMode: false,
    unlimited: false,
  };

  test.each<[string, object]>([
    [
      'shop.client',
      { limit: 100, capacity: 100, window: '1m', unit: 'MINUTE', name: 'base', at: 'a.yaml:6:7' },
    ],
    [
      'shop.client_gold',
      {
        ...{ limit: 10, capacity: 50, window: '1s', unit: 'SECOND', onError: 'deny', priority: 'CRITICAL' },
        ...{ replaces: ['base'], at: 'a.yaml:18:7' },
      },
    ],
    [
      'shop.client_internal',
      {
        ...{ limit: 0, capacity: 0, window: '', unit: 'UNKNOWN', unlimited: true, name: 'free' },
        ...{ replaces: ['base', 'other'], at: 'a.yaml:28:7' },
      },
    ],
    [
      'shop.path_/api/*/items',
      {
        ...{ limit: 7, capacity: 7, window: '90s', unit: 'UNKNOWN', algorithm: 'sliding_window' },
        ...{ quotaMode: true, at: 'a.yaml:37:7' },
      },
    ],
    [
      'shop.path_/api/*/items.method.user',
      {
        ...{
          limit: 16,
          capacity: 16,
          window: '1h',
          unit: 'HOUR',
          algorithm: 'fixed_window',
          onError: 'local',
        },
        ...{ priority: 'LOW', shadowMode: true, at: 'a.yaml:46:25' },
      },
    ],
    ['shop.unset', { limit: 0, capacity: 0, window: '1w', unit: 'WEEK', at: 'a.yaml:51:7' }],
  ])('%s', (id, part) => {
    expect(summary(id)).toEqual({ ...usual, id, ...part });
  });

  test('has these rules and no others, in the order of the file', () => {
    expect(table.rules.map((rule) => rule.id)).toEqual([
      'shop.client',
      'shop.client_gold',
      'shop.client_internal',
      'shop.path_/api/*/items',
      'shop.path_/api/*/items.method.user',
      'shop.unset',
    ]);
  });

  test('metadata is carried as it stands, odd keys included', () => {
    const metadata = rules.get('shop.client_gold')?.metadata;
    expect(JSON.stringify(metadata)).toBe(
      '{"tier":1,"tags":["fast",null,1.5,true],"nested":{"__proto__":"kept"}}',
    );
    expect(({} as Record<string, unknown>)['kept']).toBeUndefined();
  });

  test('/rlconfig shows it in the form that the reference has', () => {
    expect(renderRlconfig(table).split('\n').slice(0, 4)).toEqual([
      'shop.client: unit=MINUTE requests_per_unit=100, shadow_mode: false, quota_mode: false',
      'shop.client_gold: unit=SECOND requests_per_unit=10, shadow_mode: false, quota_mode: false',
      'shop.client_internal: unit=UNKNOWN requests_per_unit=0, shadow_mode: false, quota_mode: false',
      'shop.path_/api/*/items: unit=UNKNOWN requests_per_unit=7, shadow_mode: false, quota_mode: true',
    ]);
  });
});

describe('additions', () => {
  const beside = (line: string): DescriptorSpec =>
    only(`domain: d\ndescriptors:\n- key: k\n  ${line}\n  rate_limit: {unit: day, requests_per_unit: 5}\n`);
  const inside = (entry: string): DescriptorSpec =>
    only(`domain: d\ndescriptors:\n- key: k\n  rate_limit: {unit: day, requests_per_unit: 5, ${entry}}\n`);

  test.each([
    ['algorithm: token_bucket', { algorithm: 'token_bucket' }],
    ['algorithm: FIXED_WINDOW', { algorithm: 'fixed_window' }],
    ['algorithm: sliding_window', { algorithm: 'sliding_window' }],
    ['capacity: 20', { capacity: 20 }],
    ['capacity: 4294967295', { capacity: 4294967295 }],
    ['consistency: Exact', { consistency: 'exact' }],
    ['on_error: allow', { onError: 'allow' }],
    ['on_error: deny', { onError: 'deny' }],
    ['on_error: local', { onError: 'local' }],
    ['on_error: error', { onError: 'error' }],
    ['priority: high', { priority: 'HIGH' }],
    ['priority: Medium', { priority: 'MEDIUM' }],
  ])('%s means the same inside rate_limit and beside it', (line, part) => {
    expect(inside(line).rateLimit).toMatchObject(part);
    expect(beside(line).rateLimit).toMatchObject(part);
  });

  test.each([
    ['1ms', 1_000, 0],
    ['90s', 90_000_000, 0],
    ['1s', 1_000_000, 1],
    ['60s', 60_000_000, 2],
    ['"1h"', 3_600_000_000, 3],
    ['24h', 86_400_000_000, 4],
    ['1w', 604_800_000_000, 7],
    ['30d', 2_592_000_000_000, 5],
    ['365d', 31_536_000_000_000, 6],
    ['3650d', 315_360_000_000_000, 0],
  ])('per: %s is a window of %d us, unit %d', (per, windowUs, unit) => {
    const text = `domain: d\ndescriptors: [{key: k, rate_limit: {per: ${per}, requests_per_unit: 5}}]`;
    expect(only(text).rateLimit).toMatchObject({ windowUs, unit });
  });

  test('a null addition is none', () => {
    expect(beside('algorithm: ~').rateLimit).not.toHaveProperty('algorithm');
  });
});

describe('units', () => {
  test.each([
    ['second', 1, 1],
    ['Minute', 2, 60],
    ['HOUR', 3, 3_600],
    ['dAy', 4, 86_400],
    ['week', 7, 604_800],
    ['month', 5, 2_592_000],
    ['year', 6, 31_536_000],
  ])('%s', (unit, number, seconds) => {
    const spec = only(`domain: d\ndescriptors: [{key: k, rate_limit: {unit: ${unit}}}]`);
    expect(spec.rateLimit).toMatchObject({ unit: number, windowUs: seconds * 1e6, requestsPerUnit: 0 });
  });
});

describe('plain scalars, as yaml.v2 reads them', () => {
  test.each<[string, ReturnType<typeof parsePlain>]>([
    ['', null],
    ['~', null],
    ['null', null],
    ['NULL', null],
    ['nUll', 'nUll'],
    ['true', true],
    ['Yes', true],
    ['on', true],
    ['OFF', false],
    ['no', false],
    ['y', 'y'],
    ['N', 'N'],
    ['tRue', 'tRue'],
    ['0', 0],
    ['-0', 0],
    ['12', 12],
    ['+12', 12],
    ['-12', -12],
    ['1_000', 1000],
    ['0x1F', 31],
    ['-0x10', -16],
    ['0b101', 5],
    ['0o17', 15],
    ['017', 15],
    ['08', 8],
    ['0x', '0x'],
    ['1__', 1],
    ['_1', '_1'],
    ['1.5', 1.5],
    ['.5', 0.5],
    ['1.', 1],
    ['1e3', 1000],
    ['-1.5E-2', -0.015],
    ['1e', '1e'],
    ['1.2.3', '1.2.3'],
    ['.inf', Infinity],
    ['-.INF', -Infinity],
    ['.NaN', NaN],
    ['inf', 'inf'],
    ['1:30', '1:30'],
    ['2001-01-01', '2001-01-01'],
    ['10.0.0.1', '10.0.0.1'],
    ['=', '='],
    ['<<', '<<'],
  ])('%j is %p', (text, value) => {
    expect(parsePlain(text)).toEqual(value);
  });

  test('a y or n is a boolean only where one is asked for', () => {
    expect([parseBoolean('y'), parseBoolean('N'), parseBoolean('yEs'), parseBoolean('1')]).toEqual([
      true,
      false,
      undefined,
      undefined,
    ]);
  });

  test('whole numbers are not negative zero', () => {
    expect(Object.is(parseInteger('-0'), 0)).toBe(true);
  });
});
