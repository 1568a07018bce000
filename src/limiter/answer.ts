/** From the buckets' outcomes to the answer: statuses, overall code, headers, metadata. */
import type { BucketOutcome } from '../core/buckets';
import {
  MAX_UINT32,
  RlsCode,
  type RlsCurrentLimit,
  type RlsHeader,
  type RlsRequest,
  type RlsResponse,
  type RlsStatus,
} from '../core/rls';
import { dynamicMetadata } from './dynamic-metadata';
import type { LimitedItem, PlanItem } from './plan';

/** Response headers of our own making. */
export interface HeaderOptions {
  /** The `RateLimit-*` headers. */
  readonly enabled: boolean;
  readonly limit: string;
  readonly remaining: string;
  readonly reset: string;
  /** `retry-after` on a denied request (RFC 9110, section 10.2.3). */
  readonly retryAfter: boolean;
}

/** What an answer depends on besides the outcomes. */
export interface AnswerOptions {
  readonly shadowMode: boolean;
  readonly quotaMode: boolean;
  readonly dynamicMetadata: boolean;
  readonly headers: HeaderOptions;
}

/** An answer, and whether only global shadow mode let the request pass. */
export interface Answer {
  readonly response: RlsResponse;
  readonly shadowed: boolean;
}

/** What answers are made into: plain data, or a message's bytes. */
export interface AnswerForm<T> {
  /**
   * The answer to a request of one descriptor that is limited, with a status and nothing else.
   * @param overallCode of the answer. @param code of the status; the other figures are the status's too.
   */
  ofLimit(overallCode: RlsCode, code: RlsCode, limit: RlsCurrentLimit, remaining: number, resetS: number): T;
  /** Any other answer. */
  whole(response: RlsResponse): T;
}

const NO_HEADERS: readonly RlsHeader[] = [];

/** Answers as plain data. */
export const PLAIN_ANSWERS: AnswerForm<RlsResponse> = {
  ofLimit: (overallCode, code, currentLimit, limitRemaining, durationUntilResetS) => ({
    overallCode,
    statuses: [{ code, currentLimit, limitRemaining, durationUntilResetS }],
    responseHeadersToAdd: NO_HEADERS,
  }),
  whole: (response) => response,
};

/** The longest `google.protobuf.Duration`, 10,000 years. */
const MAX_DURATION_S = 315_576_000_000;

const UNMATCHED: RlsStatus = { code: RlsCode.OK, limitRemaining: 0 };
const UNLIMITED: RlsStatus = { code: RlsCode.OK, limitRemaining: MAX_UINT32 };

/** Less than any caller waits exactly. */
const ROUNDING_US = 1_000;

/** What has been seen of a request's descriptors so far. */
class Tally {
  failedHard = 0;
  failedQuota = 0;
  quota = 0;
  /** Whole seconds until every hard limit has room, and until the first quota has. */
  hardRetryS = 0;
  quotaRetryS = Infinity;
  /** The status that the RateLimit headers describe. */
  shown: RlsStatus | undefined;
  shownRemaining = MAX_UINT32;

  begin(): void {
    this.failedHard = 0;
    this.failedQuota = 0;
    this.quota = 0;
    this.hardRetryS = 0;
    this.quotaRetryS = Infinity;
    this.shown = undefined;
    this.shownRemaining = MAX_UINT32;
  }
}

// One for all answers: an answer is made in one go.
const tally = new Tally();

/** Whether an answer to a request of one limited descriptor is its status and nothing else, as it mostly is. */
export function isBare(outcome: BucketOutcome, options: AnswerOptions): boolean {
  const { headers, dynamicMetadata } = options;
  return !dynamicMetadata && !headers.enabled && (outcome.allowed || !headers.retryAfter);
}

/** The answer to a request of one limited descriptor where it {@link isBare}. */
export function answerBare<T>(
  item: LimitedItem,
  outcome: BucketOutcome,
  options: AnswerOptions,
  form: AnswerForm<T>,
): T {
  const code = codeOf(item, outcome);
  const overallCode = options.shadowMode ? RlsCode.OK : code;
  return form.ofLimit(overallCode, code, item.currentLimit, remainingOf(outcome), resetS(item, outcome));
}

/** @param outcomes one an item that is limited, undefined for the others. */
export function answerRequest(
  request: RlsRequest,
  items: readonly PlanItem[],
  outcomes: readonly (BucketOutcome | undefined)[],
  options: AnswerOptions,
): Answer {
  tally.begin();
  const statuses = new Array<RlsStatus>(items.length);
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    const outcome = outcomes[index];
    let status = item?.kind === 'unlimited' ? UNLIMITED : UNMATCHED;
    if (item?.kind === 'limited' && outcome !== undefined) status = statusOf(item, outcome);
    if (item !== undefined && item.kind !== 'unlimited') count(item, status, outcome, options);
    statuses[index] = status;
  }
  const over = tally.failedHard > 0 || (tally.quota > 0 && tally.quota === tally.failedQuota);
  const denied = over && !options.shadowMode;
  const overallCode = denied ? RlsCode.OVER_LIMIT : RlsCode.OK;
  const responseHeadersToAdd = responseHeaders(denied, options.headers);
  const response = options.dynamicMetadata
    ? {
        ...{ overallCode, statuses, responseHeadersToAdd },
        dynamicMetadata: dynamicMetadata(request, items, passedOf(items, statuses)),
      }
    : { overallCode, statuses, responseHeadersToAdd };
  return { response, shadowed: over && options.shadowMode };
}

/** The descriptors that are not over their limit; an unlimited one was asked of nothing. */
function passedOf(items: readonly PlanItem[], statuses: readonly RlsStatus[]): readonly number[] {
  const passed: number[] = [];
  statuses.forEach(({ code }, index) => {
    if (items[index]?.kind !== 'unlimited' && code !== RlsCode.OVER_LIMIT) passed.push(index);
  });
  return passed;
}

function count(
  item: PlanItem,
  status: RlsStatus,
  outcome: BucketOutcome | undefined,
  options: AnswerOptions,
): void {
  const isQuota = options.quotaMode || (item.kind === 'limited' && item.quotaMode);
  if (isQuota) tally.quota += 1;
  if (status.currentLimit !== undefined && status.limitRemaining < tally.shownRemaining) {
    tally.shown = status;
    tally.shownRemaining = status.limitRemaining;
  }
  if (status.code !== RlsCode.OVER_LIMIT) return;
  const retryS = item.kind === 'limited' && outcome !== undefined ? retryAfterS(item, outcome) : 1;
  if (isQuota) {
    tally.failedQuota += 1;
    tally.quotaRetryS = Math.min(tally.quotaRetryS, retryS);
  } else {
    tally.failedHard += 1;
    tally.hardRetryS = Math.max(tally.hardRetryS, retryS);
    tally.shown = status;
    tally.shownRemaining = 0;
  }
}

function statusOf(item: LimitedItem, outcome: BucketOutcome): RlsStatus {
  return {
    code: codeOf(item, outcome),
    currentLimit: item.currentLimit,
    limitRemaining: remainingOf(outcome),
    durationUntilResetS: resetS(item, outcome),
  };
}

/** The code of a descriptor's status; a shadow rule is never over its limit. */
export function codeOf(item: LimitedItem, outcome: BucketOutcome): RlsCode {
  return outcome.allowed || item.shadowMode ? RlsCode.OK : RlsCode.OVER_LIMIT;
}

function remainingOf(outcome: BucketOutcome): number {
  return outcome.allowed ? Math.min(outcome.remaining, MAX_UINT32) : 0;
}

/** Windows reset at their end; a token bucket when it is full, or, where it denied, when the call's tokens are there. */
function resetS(item: LimitedItem, outcome: BucketOutcome): number {
  const { algorithm } = item.call.params;
  if (outcome.allowed || algorithm !== 'token_bucket') return wholeSeconds(outcome.resetUs, item);
  return retryAfterS(item, outcome);
}

function retryAfterS(item: LimitedItem, outcome: BucketOutcome): number {
  return Math.max(1, wholeSeconds(outcome.retryAfterUs, item));
}

/** Rounded up, as a caller that comes early is denied again; what never comes is shown as one window. */
function wholeSeconds(us: number, item: LimitedItem): number {
  const { algorithm, windowUs } = item.call.params;
  const finite = Number.isFinite(us) ? us : windowUs;
  // Refill rates are rounded down: what a bucket is late by that must not look like a second.
  const slack = algorithm === 'token_bucket' ? ROUNDING_US : 0;
  return Math.max(0, Math.min(MAX_DURATION_S, Math.ceil((finite - slack) / 1_000_000)));
}

function responseHeaders(denied: boolean, options: HeaderOptions): readonly RlsHeader[] {
  if (!options.enabled && !(denied && options.retryAfter)) return NO_HEADERS;
  const headers: RlsHeader[] = [];
  const { shown } = tally;
  if (options.enabled && shown?.currentLimit !== undefined) {
    headers.push(
      { key: options.limit, value: String(shown.currentLimit.requestsPerUnit) },
      { key: options.remaining, value: String(shown.limitRemaining) },
      { key: options.reset, value: String(shown.durationUntilResetS ?? 0) },
    );
  }
  if (denied && options.retryAfter) {
    const quotaS = tally.quota > 0 && tally.quota === tally.failedQuota ? tally.quotaRetryS : 0;
    headers.push({ key: 'retry-after', value: String(Math.max(1, tally.hardRetryS, quotaS)) });
  }
  return headers;
}
