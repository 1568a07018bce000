/** From what control wants of a bucket to its parameters: within hard bounds, whatever was published. */
import type { BucketParams } from '../core/buckets';
import { US_PER_S } from '../core/clock';
import type { TunedBucket } from '../core/control';
import { MAX_UINT32, type RlsCurrentLimit } from '../core/rls';
import { bucketParams } from '../bucket/params';

/** What no published size of a rule's buckets leaves. */
export interface TuningBounds {
  /** Tokens a second. */
  readonly minPerS: number;
  readonly maxPerS: number;
  /** Whole tokens. */
  readonly minCapacity: number;
  readonly maxCapacity: number;
}

/** A bucket's parameters, and the limit as answers show it. */
export interface TunedSize {
  readonly params: BucketParams;
  readonly currentLimit: RlsCurrentLimit;
}

/** What was published of a bucket: tokens a second, and whole tokens. */
export type WantedSize = Pick<TunedBucket, 'ratePerS' | 'capacity'>;

/** More than any bucket can be given, tokens a second: 2^32 a millisecond is less. */
const ABSURD_PER_S = 1e13;
/** What a limit may lose on its way through a rate and back; tokens. */
const ROUNDING = 1e-6;
/** Rates under a token a second keep so many binary places, as configured ones do. */
const FRACTION = 2 ** 32;

/** Whether figures that were published can be meant at all. */
export function isSensible(ratePerS: number, capacity: number): boolean {
  return isBetween(ratePerS, ABSURD_PER_S) && isBetween(capacity, MAX_UINT32);
}

function isBetween(figure: number, max: number): boolean {
  return Number.isFinite(figure) && figure >= 0 && figure <= max;
}

/** The configured size under a version. */
export function nominalSize(nominal: TunedSize, version: number): TunedSize {
  return { params: { ...nominal.params, version }, currentLimit: nominal.currentLimit };
}

/**
 * What control wants, cut to the bounds, then faded: `held` 1 is all of it, 0 the configured size.
 * A window counts whole tokens: one a window is the least that it can admit, where it admits any.
 */
export function tunedSize(
  nominal: TunedSize,
  wanted: WantedSize,
  bounds: TuningBounds,
  held: number,
  version: number,
): TunedSize {
  const perS = tunedPerS(nominal.params, wanted, bounds, held);
  const requestsPerUnit = windowTokens(perS, nominal.params.windowUs / US_PER_S);
  return {
    params: tunedParams(nominal.params, wanted, bounds, held, version),
    currentLimit: { ...nominal.currentLimit, requestsPerUnit },
  };
}

/** The parameters of a {@link tunedSize}, for who shows no limits. */
export function tunedParams(
  nominal: BucketParams,
  wanted: WantedSize,
  bounds: TuningBounds,
  held: number,
  version: number,
): BucketParams {
  const { algorithm, windowUs, capacity } = nominal;
  const isToken = algorithm === 'token_bucket';
  const perS = tunedPerS(nominal, wanted, bounds, held);
  const tokens = fade(capacity, cut(wanted.capacity, bounds.minCapacity, bounds.maxCapacity), held);
  const perWindow = windowTokens(perS, windowUs / US_PER_S);
  return bucketParams({
    algorithm,
    // A limit of 0 would empty the bucket: one that is not refilled still gives what was lent to it.
    limit: isToken && tokens >= 1 ? Math.max(1, perWindow) : perWindow,
    windowUs,
    capacity: isToken ? Math.min(MAX_UINT32, Math.floor(tokens)) : perWindow,
    ...(isToken ? { rateUtPerS: refillUtPerS(perS) } : {}),
    version,
  });
}

function tunedPerS(nominal: BucketParams, wanted: WantedSize, bounds: TuningBounds, held: number): number {
  const { algorithm, limit, windowUs, rateUtPerS } = nominal;
  const nominalPerS = algorithm === 'token_bucket' ? rateUtPerS / 1_000_000 : limit / (windowUs / US_PER_S);
  return fade(nominalPerS, cut(wanted.ratePerS, bounds.minPerS, bounds.maxPerS), held);
}

function cut(figure: number, min: number, max: number): number {
  return Math.max(0, Math.min(Math.max(figure, min), max));
}

function fade(nominal: number, wanted: number, held: number): number {
  return nominal + (wanted - nominal) * held;
}

function windowTokens(perS: number, windowS: number): number {
  return perS > 0 ? Math.min(MAX_UINT32, Math.max(1, Math.floor(perS * windowS + ROUNDING))) : 0;
}

/** Rounded down, so that no bucket refills faster than the rate says. */
function refillUtPerS(perS: number): number {
  const rate = perS * 1_000_000;
  return perS >= 1 ? Math.floor(rate) : Math.floor(rate * FRACTION) / FRACTION;
}
