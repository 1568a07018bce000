/** What a worker has asked and waits for, in the order asked, which is the order of the answers. */
import type { BucketRequest, BucketResult } from '../../core/buckets';
import type { TidegateError } from '../../core/errors';
import { Later } from '../../core/later';
import type { LeaseDone } from '../../core/leases';
import type { TransferResult } from '../../core/pool-link';

/** A request that waits: itself what its caller was given. */
export class AskedDecision extends Later<readonly BucketResult[]> {
  /** Its caller was told that there is no answer. */
  expired = false;

  /** @param untilMs when it is too late, monotonic ms. */
  constructor(
    readonly request: BucketRequest,
    readonly untilMs: number,
  ) {
    super();
  }

  fail(error: TidegateError): void {
    if (!this.expired) this.resolve(this.request.calls.map(() => error));
  }
}

/** A lease's exchange that waits. */
export class AskedLease {
  constructor(readonly done: LeaseDone) {}

  fail(error: TidegateError): void {
    this.done(error);
  }
}

/** Tokens that are being moved. */
export class AskedMove {
  constructor(readonly done: (outcome: TransferResult | TidegateError) => void) {}

  fail(error: TidegateError): void {
    this.done(error);
  }
}

/** Anything that waits. */
export type Asked = AskedDecision | AskedLease | AskedMove;

const LEAST_COMPACTED = 1_024;

/** See the file's head. */
export class AskedQueue {
  #items: (Asked | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(asked: Asked): void {
    this.#items.push(asked);
  }

  /** Takes the one that was asked first. */
  shift(): Asked | undefined {
    const asked = this.#items[this.#head];
    if (asked === undefined) return undefined;
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head >= LEAST_COMPACTED && 2 * this.#head >= this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return asked;
  }

  /**
   * Tells those requests that are too late.
   * @returns when the next one is; Infinity when none is left to be told. A request told may ask anew.
   */
  expire(nowMs: number, errorFor: (request: BucketRequest) => TidegateError): number {
    const late: AskedDecision[] = [];
    let nextMs = Infinity;
    for (let at = this.#head; at < this.#items.length; at += 1) {
      const asked = this.#items[at];
      if (!(asked instanceof AskedDecision) || asked.expired) continue;
      if (asked.untilMs <= nowMs) late.push(asked);
      else if (asked.untilMs < nextMs) nextMs = asked.untilMs;
    }
    for (const asked of late) {
      asked.fail(errorFor(asked.request));
      asked.expired = true;
    }
    return nextMs;
  }

  /** Takes all. */
  clear(): readonly Asked[] {
    const all = this.#items.slice(this.#head).filter((asked) => asked !== undefined);
    this.#items = [];
    this.#head = 0;
    return all;
  }
}
