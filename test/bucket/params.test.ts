import fc from 'fast-check';
import {
  bucketParams,
  MAX_WINDOW_US,
  paramsInForce,
  rateUtPerS,
  sameParams,
  TIMED_VERSION,
} from '../../src/bucket/params';
import { TidegateError } from '../../src/core/errors';

const VALID = { algorithm: 'token_bucket', limit: 10, windowUs: 1_000_000 } as const;

describe('rateUtPerS()', () => {
  it.each([
    { limit: 0, windowUs: 1_000_000, rate: 0 },
    { limit: 1, windowUs: 1_000_000, rate: 1_000_000 },
    { limit: 100, windowUs: 60_000_000, rate: 1_666_666 },
    { limit: 1, windowUs: 2_000_000, rate: 500_000 },
    { limit: 1, windowUs: 1_024_000_000, rate: 976.5625 },
    { limit: 4_294_967_295, windowUs: 1_000, rate: 4_294_967_294_999_999_488 },
    { limit: 4_294_967_295, windowUs: 1_000_000, rate: 4_294_967_295_000_000 },
  ])('$limit in $windowUs us is $rate ut/s', ({ limit, windowUs, rate }) => {
    expect(rateUtPerS(limit, windowUs)).toBe(rate);
  });

  it('never rounds up, and loses less than 1e-6 of the rate', () => {
    const limits = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 4_294_967_295 }));
    fc.assert(
      fc.property(limits, fc.integer({ min: 1_000, max: MAX_WINDOW_US }), (limit, windowUs) => {
        const rate = rateUtPerS(limit, windowUs);
        const scaled = BigInt(Math.floor(rate)) * 2n ** 32n + BigInt((rate % 1) * 2 ** 32);
        const exact = (BigInt(limit) * 10n ** 12n * 2n ** 32n) / BigInt(windowUs);
        expect(scaled <= exact).toBe(true);
        expect((exact - scaled) * 1_000_000n <= exact).toBe(true);
        expect(Number(String(rate))).toBe(rate);
      }),
    );
  });
});

describe('bucketParams()', () => {
  it('fills in the burst and the refill from the limit', () => {
    expect(bucketParams(VALID)).toEqual({ ...VALID, capacity: 10, rateUtPerS: 10_000_000, version: 0 });
  });

  it('keeps a burst and a refill that are given', () => {
    const given = { ...VALID, capacity: 3, rateUtPerS: 5, version: 9 };
    expect(bucketParams(given)).toEqual(given);
  });

  it('lets nothing through with a limit of 0, whatever the burst', () => {
    expect(bucketParams({ ...VALID, limit: 0, capacity: 5, rateUtPerS: 7 })).toMatchObject({
      capacity: 0,
      rateUtPerS: 0,
    });
  });

  it.each([
    ['limit', { limit: -1 }, 'TG_LIMITS_BAD_NUMBER'],
    ['limit', { limit: 1.5 }, 'TG_LIMITS_BAD_NUMBER'],
    ['limit', { limit: 4_294_967_296 }, 'TG_LIMITS_BAD_NUMBER'],
    ['limit', { limit: NaN }, 'TG_LIMITS_BAD_NUMBER'],
    ['capacity', { capacity: 4_294_967_296 }, 'TG_LIMITS_BAD_NUMBER'],
    ['rate', { rateUtPerS: -1 }, 'TG_LIMITS_BAD_NUMBER'],
    ['rate', { rateUtPerS: Infinity }, 'TG_LIMITS_BAD_NUMBER'],
    ['version', { version: 2 ** 53 }, 'TG_LIMITS_BAD_NUMBER'],
    ['window', { windowUs: 999 }, 'TG_LIMITS_BAD_DURATION'],
    ['window', { windowUs: MAX_WINDOW_US + 1 }, 'TG_LIMITS_BAD_DURATION'],
    ['algorithm', { algorithm: 'leaky' as never }, 'TG_LIMITS_BAD_CHOICE'],
  ])('refuses a %s out of range: %j', (name, change, code) => {
    const build = () => bucketParams({ ...VALID, ...change });
    expect(build).toThrow(TidegateError);
    expect(build).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(name) as string }) as Error,
    );
  });
});

describe('the parameters in force', () => {
  const held = bucketParams({ ...VALID, version: 4_294_967_296 });

  it.each([
    { offered: 'older', version: 4_294_967_295, wins: false },
    { offered: 'equal', version: 4_294_967_296, wins: true },
    { offered: 'newer', version: 4_294_967_297, wins: true },
  ])('$offered ones replace those held: $wins', ({ version, wins }) => {
    const other = bucketParams({ ...VALID, limit: 20, version });
    expect(paramsInForce(held, other, Number.MAX_SAFE_INTEGER)).toBe(wins ? other : held);
  });

  it('are the newest, but for a time that is over two minutes past', () => {
    const version = fc.oneof(fc.nat(), fc.integer({ min: 2 ** 40 - 2, max: 2 ** 40 + 300_000 }));
    const figures = fc.tuple(version, version, fc.integer({ min: 2 ** 40 - 2, max: 2 ** 40 + 500_000 }));
    fc.assert(
      fc.property(figures, ([heldVersion, offeredVersion, nowMs]) => {
        const older = bucketParams({ ...VALID, version: heldVersion });
        const other = bucketParams({ ...VALID, limit: 20, version: offeredVersion });
        const past = heldVersion >= TIMED_VERSION && nowMs - heldVersion > 120_000;
        const wins = past || offeredVersion >= heldVersion;
        expect(paramsInForce(older, other, nowMs * 1_000)).toBe(wins ? other : older);
      }),
    );
  });

  it('are the same when every figure is', () => {
    expect(sameParams(held, { ...held })).toBe(true);
    for (const change of [{ limit: 9 }, { capacity: 9 }, { rateUtPerS: 9 }, { version: 9 }]) {
      expect(sameParams(held, { ...held, ...change })).toBe(false);
    }
  });
});
