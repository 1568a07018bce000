/** The parameters of a bucket: how they are built, rounded, compared and replaced. */
import { ALGORITHMS, type Algorithm, type BucketParams } from '../core/buckets';
import { TidegateError } from '../core/errors';
import { MAX_UINT32 } from '../core/rls';

/** The shortest window, us. */
export const MIN_WINDOW_US = 1_000;
/** The longest window, us: ten years of 365 days. */
export const MAX_WINDOW_US = 10 * 365 * 86_400_000_000;

const WHOLE_FROM_UT_PER_S = 1_000_000n;
const FRACTION_BITS = 32n;
const FRACTION = 2 ** 32;
/** 2^32-1 tokens a millisecond need 62 bits; a double has 53. */
const BITS_BEYOND_A_DOUBLE = 0x3ffn;

/**
 * The refill of a token bucket that gains `limit` tokens each `windowUs`: limit x 10^12 / windowUs, in ut a second,
 * always rounded down, so that no bucket ever refills faster than asked.
 *
 * From one token a second upwards it is a whole number (what is lost is under 1e-6 of the rate). Slower rates keep 32
 * binary places: rounded to whole ut a second, one token a day would lose 5 % and one a month would never come back.
 * Such a rate is still exact in a double and in its shortest decimal form. Rates over 2^53 lose their lowest 10 bits.
 */
export function rateUtPerS(limit: number, windowUs: number): number {
  const perWindow = BigInt(limit) * 1_000_000_000_000n;
  const window = BigInt(windowUs);
  const whole = perWindow / window;
  if (whole < WHOLE_FROM_UT_PER_S) return Number((perWindow << FRACTION_BITS) / window) / FRACTION;
  return Number(whole > BigInt(Number.MAX_SAFE_INTEGER) ? whole - (whole & BITS_BEYOND_A_DOUBLE) : whole);
}

/** What {@link bucketParams} takes. */
export interface BucketParamsInput {
  readonly algorithm: Algorithm;
  /** Tokens a window, 0 to 2^32-1. */
  readonly limit: number;
  /** 1,000 us to ten years. */
  readonly windowUs: number;
  /** The burst, tokens, 0 to 2^32-1; the limit when absent. */
  readonly capacity?: number;
  /** The refill, ut a second; {@link rateUtPerS} of the limit when absent. */
  readonly rateUtPerS?: number;
  /** The table's version; 0 when absent. */
  readonly version?: number;
}

/**
 * Builds parameters. A limit of 0 admits nothing, whatever the capacity says.
 * @throws TidegateError TG_LIMITS_BAD_NUMBER, TG_LIMITS_BAD_DURATION or TG_LIMITS_BAD_CHOICE when a figure is out of range.
 */
export function bucketParams(input: BucketParamsInput): BucketParams {
  const { algorithm, limit, windowUs, version = 0 } = input;
  if (!ALGORITHMS.includes(algorithm)) {
    throw new TidegateError('TG_LIMITS_BAD_CHOICE', `algorithm must be one of ${ALGORITHMS.join(', ')}`);
  }
  requireWhole('limit', limit, MAX_UINT32);
  if (!Number.isInteger(windowUs) || windowUs < MIN_WINDOW_US || windowUs > MAX_WINDOW_US) {
    throw new TidegateError('TG_LIMITS_BAD_DURATION', `the window must be 1ms to 3650d, not ${windowUs} us`);
  }
  const capacity = limit === 0 ? 0 : (input.capacity ?? limit);
  requireWhole('capacity', capacity, MAX_UINT32);
  const rate = limit === 0 ? 0 : (input.rateUtPerS ?? rateUtPerS(limit, windowUs));
  if (!Number.isFinite(rate) || rate < 0) {
    throw new TidegateError('TG_LIMITS_BAD_NUMBER', `the refill rate must be 0 or more, not ${rate} ut/s`);
  }
  requireWhole('version', version, Number.MAX_SAFE_INTEGER);
  return { algorithm, limit, windowUs, capacity, rateUtPerS: rate, version };
}

function requireWhole(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  throw new TidegateError(
    'TG_LIMITS_BAD_NUMBER',
    `${name} must be a whole number from 0 to ${max}, not ${value}`,
  );
}

/** Versions from here on are times, Unix ms; in November 2004 that was as many. */
export const TIMED_VERSION = 2 ** 40;
/** How long a timed version keeps older ones out, us: longer than the limits of a control that ended take to fade. */
export const TIMED_VERSION_LIFE_US = 120_000_000;

/**
 * The parameters that a bucket goes by: those it holds, unless what is offered is of the same version or a newer one, or
 * the version it holds is a time that is long past.
 */
export function paramsInForce(held: BucketParams, offered: BucketParams, nowUs: number): BucketParams {
  return offered === held || offered.version >= held.version || isPast(held.version, nowUs) ? offered : held;
}

function isPast(version: number, nowUs: number): boolean {
  return version >= TIMED_VERSION && nowUs - version * 1_000 > TIMED_VERSION_LIFE_US;
}

/** Whether two sets of parameters of one bucket (so: of equal algorithm and window) are the same in every figure. */
export function sameParams(a: BucketParams, b: BucketParams): boolean {
  return a === b || (a.version === b.version && sameFigures(a, b));
}

/** Whether two sets of parameters of one bucket differ in their versions at most. */
export function sameFigures(a: BucketParams, b: BucketParams): boolean {
  return a.limit === b.limit && a.capacity === b.capacity && a.rateUtPerS === b.rateUtPerS;
}
