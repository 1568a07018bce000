/**
 * `RateLimitResponse`s for whoever sends them at once: each is written over the one before. Of the usual answer, one limit
 * that nothing else is said of, what differs from the last one of the same limit is two integers at its end.
 */
import type { RlsCode, RlsCurrentLimit, RlsResponse } from '../core/rls';
import { ProtoWriter } from './proto-writer';
import { clampDurationS, clampToUint32, writeLimit, writeResponse } from './rate-limit-response';

const OVERALL_CODE = (1 << 3) | 0;
const STATUS = (2 << 3) | 2;
const CODE = (1 << 3) | 0;
const REMAINING = (3 << 3) | 0;
const DURATION = (4 << 3) | 2;
const SECONDS = (1 << 3) | 0;

/** Where things are in the usual answer: its code, its status's length and code, and the status's other fields. */
const OVERALL_AT = 1;
const STATUS_LENGTH_AT = 3;
const CODE_AT = 5;
const LIMIT_AT = 6;
/** With a limit no longer than this, a status's length is one byte: `limit_remaining` takes at most 6, the duration 9. */
const MAX_LIMIT_BYTES = 0x7f - 2 - 6 - 9;
const USUAL_BYTES = LIMIT_AT + MAX_LIMIT_BYTES + 6 + 9;

/** Writes answers into bytes of its own; each is good until the next is written. */
export class AnswerBytes {
  private readonly usual = new Uint8Array(USUAL_BYTES);
  /** The usual answers' bytes by their length. */
  private readonly views: Uint8Array[] = [];
  private readonly writer = new ProtoWriter();
  /** The limit that is written in the usual answer, and where it ends; 0 when it is too long for that. */
  private limit: RlsCurrentLimit | undefined;
  private limitEnd = 0;

  constructor() {
    this.usual[0] = OVERALL_CODE;
    this.usual[2] = STATUS;
    this.usual[4] = CODE;
    for (let length = 0; length <= USUAL_BYTES; length += 1) this.views.push(this.usual.subarray(0, length));
  }

  /** The answer to a request of one descriptor that is limited. Figures outside their field's range are clamped to it. */
  ofLimit(
    overallCode: RlsCode,
    code: RlsCode,
    limit: RlsCurrentLimit,
    remaining: number,
    resetS: number,
  ): Uint8Array {
    if (limit !== this.limit) this.putLimit(limit);
    if (this.limitEnd === 0 || code === 0 || overallCode === 0) {
      const status = { code, currentLimit: limit, limitRemaining: remaining, durationUntilResetS: resetS };
      return this.whole({ overallCode, statuses: [status], responseHeadersToAdd: [] });
    }
    const { usual } = this;
    usual[OVERALL_AT] = overallCode;
    usual[CODE_AT] = code;
    let at = this.limitEnd;
    const left = clampToUint32(remaining);
    if (left !== 0) {
      usual[at] = REMAINING;
      at = putVarint(usual, at + 1, left);
    }
    const seconds = clampDurationS(resetS);
    usual[at] = DURATION;
    at += 2;
    if (seconds === 0) usual[at - 1] = 0;
    else {
      usual[at] = SECONDS;
      const end = putVarint(usual, at + 1, seconds);
      usual[at - 1] = end - at;
      at = end;
    }
    usual[STATUS_LENGTH_AT] = at - STATUS_LENGTH_AT - 1;
    return this.views[at]!;
  }

  /** Any answer. */
  whole(response: RlsResponse): Uint8Array {
    writeResponse(this.writer.reset(), response);
    return this.writer.borrow();
  }

  private putLimit(limit: RlsCurrentLimit): void {
    this.limit = limit;
    writeLimit(this.writer.reset(), limit);
    const bytes = this.writer.borrow();
    this.limitEnd = bytes.length > MAX_LIMIT_BYTES ? 0 : LIMIT_AT + bytes.length;
    if (this.limitEnd > 0) this.usual.set(bytes, LIMIT_AT);
  }
}

/** @param value a whole number from 0 to 2^53-1. @returns where it ended. */
function putVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x8000_0000; rest = Math.floor(rest / 0x80)) {
    bytes[at] = (rest % 0x80) | 0x80;
    at += 1;
  }
  for (; rest >= 0x80; rest >>>= 7) {
    bytes[at] = (rest & 0x7f) | 0x80;
    at += 1;
  }
  bytes[at] = rest;
  return at + 1;
}
