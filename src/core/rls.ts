/**
 * The RateLimitService's messages as plain data, in the shape the limiter works on.
 * Source: envoy/service/ratelimit/v3/rls.proto and envoy/extensions/common/ratelimit/v3/ratelimit.proto.
 */

/** `RateLimitResponse.Code`. */
export const RlsCode = { UNKNOWN: 0, OK: 1, OVER_LIMIT: 2 } as const;
/** A value of {@link RlsCode}. */
export type RlsCode = (typeof RlsCode)[keyof typeof RlsCode];

/** One key and value of a descriptor. */
export interface RlsEntry {
  readonly key: string;
  readonly value: string;
}

/** A limit carried by the request, used instead of a configured one. */
export interface RlsLimitOverride {
  /** Tokens a unit, 0 to 2^32-1. */
  readonly requestsPerUnit: number;
  /** `envoy.type.v3.RateLimitUnit`'s number; see {@link UNITS}. */
  readonly unit: number;
}

/** One thing to limit on: its entries from the outermost key inwards. */
export interface RlsDescriptor {
  readonly entries: readonly RlsEntry[];
  readonly limit?: RlsLimitOverride;
  /** Tokens this descriptor takes; 0 peeks; absent means the request's figure. */
  readonly hitsAddend?: number;
  /** True when the hits are given back instead of taken. */
  readonly negativeHits: boolean;
}

/** `RateLimitRequest`. */
export interface RlsRequest {
  readonly domain: string;
  readonly descriptors: readonly RlsDescriptor[];
  /** Tokens each descriptor takes unless it says otherwise; 0 means 1. */
  readonly hitsAddend: number;
}

/** `RateLimitResponse.RateLimit`. */
export interface RlsCurrentLimit {
  readonly name: string;
  readonly requestsPerUnit: number;
  readonly unit: number;
}

/** `RateLimitResponse.DescriptorStatus`. */
export interface RlsStatus {
  readonly code: RlsCode;
  readonly currentLimit?: RlsCurrentLimit;
  /** Whole tokens left, 0 to 2^32-1. */
  readonly limitRemaining: number;
  /** Whole seconds until the limit is whole again (or, when over, until the call may be tried again). */
  readonly durationUntilResetS?: number;
}

/** A header to add. */
export interface RlsHeader {
  readonly key: string;
  readonly value: string;
}

/** JSON as `google.protobuf.Value` can carry it. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
/** JSON as `google.protobuf.Struct` can carry it. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** `RateLimitResponse`. */
export interface RlsResponse {
  readonly overallCode: RlsCode;
  readonly statuses: readonly RlsStatus[];
  readonly responseHeadersToAdd: readonly RlsHeader[];
  readonly dynamicMetadata?: JsonObject;
}

/** The units of the limits dialect, with Envoy's numbers and their lengths (a month is 30 days, a year 365). */
export const UNITS = [
  { name: 'SECOND', number: 1, seconds: 1 },
  { name: 'MINUTE', number: 2, seconds: 60 },
  { name: 'HOUR', number: 3, seconds: 3_600 },
  { name: 'DAY', number: 4, seconds: 86_400 },
  { name: 'MONTH', number: 5, seconds: 2_592_000 },
  { name: 'YEAR', number: 6, seconds: 31_536_000 },
  { name: 'WEEK', number: 7, seconds: 604_800 },
] as const;

/** The largest unsigned 32-bit integer; the reference's `limit_remaining` of an unlimited rule. */
export const MAX_UINT32 = 0xffff_ffff;
