/**
 * What a worker and the process that holds the buckets say to each other, in words of eight bytes (see the frame writer).
 * A frame holds records one after another. What is asked is answered in the order asked, so nothing needs a number but
 * keys and parameters, which are told once: the other side remembers them by a number of the worker's choice.
 *
 *   worker -> primary
 *     PARAMS  number algorithm limit windowUs capacity rateUtPerS version
 *     DECIDE  flags n, then n times: hits params flags key
 *     LEASE   params holder seq window held back confirmed recorded want keepUs epsilon key
 *     MOVE    params params tokens keep key key
 *   primary -> worker
 *     RESULTS n, then n times: left usedBefore usedAfter resetUs retryAfterUs, or NaN error
 *     GRANT   settled granted accepted outstanding remaining resetUs window forgotten missing
 *     MOVED   moved lost
 *     FAILED  error
 *
 * A key is its number; or, below 0, how to read the text that follows after the number to remember it by (-1: none). `left`
 * is what remains; less 1 and negated when denied. An error is how to read the text that follows: its code and message.
 */
import { type BucketRequest, CHARGE_DENIED, type Role } from '../../core/buckets';
import { CATALOGUE, type ErrorCode } from '../../core/error-catalogue';
import { TidegateError } from '../../core/errors';

/** Bytes of a word. */
export const WORD_BYTES = 8;
/** The longest frame, its first word included: 8 MiB. */
export const MAX_FRAME_WORDS = 2 ** 20;
/** The most buckets of a request, and the most sets of parameters that a worker may have the other side remember. */
export const MAX_CALLS = 8_192;
/** The longest keys of a request together, UTF-16 units. */
export const MAX_REQUEST_CHARS = 2 ** 20;
/** Keys that a worker may have the other side remember. */
export const MAX_KEYS = 2 ** 17;
/** Longer keys are told each time, which bounds what remembering takes. */
export const MAX_KEPT_KEY_CHARS = 160;

const MAX_ERROR_CHARS = 240;

/** What a worker says. */
export const ASK = {
  PARAMS: 1,
  DECIDE: 2,
  LEASE: 3,
  MOVE: 4,
} as const;

/** What it is answered. */
export const ANSWER = {
  RESULTS: 1,
  GRANT: 2,
  MOVED: 3,
  FAILED: 4,
} as const;

/** A request's flags: `chargeDenied` by its place among all, and these. */
export const REQUEST_FLAG = {
  CHARGE_MASK: 3,
  QUOTA_SATISFIED: 4,
  /** Nobody waits for an answer. */
  SILENT: 8,
  ALL: 15,
} as const;

/** A call's flags: its role by its place among all, and this. */
export const CALL_FLAG = {
  ROLE_MASK: 3,
  ASSUME_ON_FAILURE: 4,
  ALL: 7,
} as const;

/** Roles by their numbers. */
export const ROLES: readonly Role[] = ['hard', 'quota', 'shadow'];

/** The flags of a request. */
export function requestFlags(request: BucketRequest, silent: boolean): number {
  return (
    CHARGE_DENIED.indexOf(request.chargeDenied) |
    (request.quotaSatisfied ? REQUEST_FLAG.QUOTA_SATISFIED : 0) |
    (silent ? REQUEST_FLAG.SILENT : 0)
  );
}

/** An error as a text. */
export function errorText(error: TidegateError): string {
  return `${error.code} ${error.message}`.slice(0, MAX_ERROR_CHARS);
}

/** An error from a text; one of an unknown code is internal. */
export function errorOf(text: string): TidegateError {
  const space = text.indexOf(' ');
  const code = text.slice(0, Math.max(0, space));
  const message = text.slice(space + 1);
  return new TidegateError(Object.hasOwn(CATALOGUE, code) ? (code as ErrorCode) : 'TG_INTERNAL', message);
}
