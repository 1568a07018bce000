/** Durations as people write them. */
import fc from 'fast-check';
import { formatDurationUs, parseDurationUs } from '../../src/core/duration';

describe('parseDurationUs()', () => {
  test.each([
    ['0', 0],
    ['0s', 0],
    ['1us', 1],
    ['1µs', 1],
    ['500ms', 500_000],
    ['90s', 90_000_000],
    ['1.5s', 1_500_000],
    ['15m', 900_000_000],
    ['2h', 7_200_000_000],
    ['7d', 604_800_000_000],
    ['1w', 604_800_000_000],
    ['1h30m', 5_400_000_000],
    ['1d1h1m1s1ms1us', 90_061_001_001],
    [' 90s ', 90_000_000],
  ])('%j is %d us', (text, us) => {
    expect(parseDurationUs(text)).toBe(us);
  });

  test.each([
    '',
    ' ',
    '1',
    '90',
    's',
    '-1s',
    '+1s',
    '1 s',
    '1h 30m',
    '1y',
    '1M',
    '1S',
    '1e3s',
    '1..5s',
    '.5s',
    '1,5s',
    '1s!',
    'x1s',
    '1s\n2',
    'Infinity',
    'NaNs',
    '99999999999w',
    `${'9'.repeat(400)}s`,
    '0x10s',
    '１s',
  ])('%j is no duration', (text) => {
    expect(parseDurationUs(text)).toBeUndefined();
  });

  test('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const us = parseDurationUs(text);
        expect(us === undefined || (Number.isSafeInteger(us) && us >= 0)).toBe(true);
      }),
    );
  });

  test('takes time in proportion to the text', () => {
    const started = process.hrtime.bigint();
    expect(parseDurationUs(`${'1s'.repeat(200_000)}x`)).toBeUndefined();
    expect(parseDurationUs(`${'1'.repeat(200_000)}x`)).toBeUndefined();
    expect(Number(process.hrtime.bigint() - started) / 1e6).toBeLessThan(2_000);
  });
});

describe('formatDurationUs()', () => {
  test.each([
    [0, '0'],
    [1, '1us'],
    [1_500, '1500us'],
    [500_000, '500ms'],
    [90_000_000, '90s'],
    [60_000_000, '1m'],
    [86_400_000_000, '1d'],
    [604_800_000_000, '1w'],
  ])('%d us is %s', (us, text) => {
    expect(formatDurationUs(us)).toBe(text);
  });

  test('is read back as the same length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (us) => {
        expect(parseDurationUs(formatDurationUs(us))).toBe(us);
      }),
    );
  });
});
