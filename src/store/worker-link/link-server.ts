/** The side of a link that holds the buckets: settles what one worker asks, at once, in the order asked. */
import { bucketParams } from '../../bucket/params';
import { transferFault } from '../../bucket/transfer';
import type { BucketParams, BucketRequest, BucketResult } from '../../core/buckets';
import { TidegateError } from '../../core/errors';
import type { LeaseReply, LeaseSource } from '../../core/leases';
import type { TokenTransfer, TransferResult } from '../../core/pool-link';
import {
  isLease,
  isTransfer,
  type LinkAnswer,
  type LinkAsk,
  type LinkLease,
  type LinkQuestion,
  type LinkReply,
  type LinkRequest,
  type LinkTransfer,
  toLinkError,
  toLinkOutcome,
} from './messages';

/** Buckets that answer at once. */
export interface LinkedBuckets extends LeaseSource {
  decide(request: BucketRequest): readonly BucketResult[];
  move(transfer: Omit<TokenTransfer, 'id'>): TransferResult | TidegateError;
}

/** Sets of parameters kept so that equal ones of several workers are one object. */
const MAX_KEPT = 10_000;

/** Makes equal parameters one object, so that buckets know them by identity. */
export class SharedParams {
  readonly #known = new Map<string, BucketParams>();

  /** @throws TidegateError for parameters that cannot be. */
  of(params: BucketParams): BucketParams {
    const { algorithm, limit, windowUs, capacity, rateUtPerS, version } = params;
    const identity = `${algorithm} ${limit} ${windowUs} ${capacity} ${rateUtPerS} ${version}`;
    const known = this.#known.get(identity);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_KEPT) this.#known.clear();
    const checked = bucketParams(params);
    this.#known.set(identity, checked);
    return checked;
  }
}

/** One worker's link. */
export class LinkServer {
  readonly #params = new Map<number, BucketParams>();

  constructor(
    private readonly buckets: LinkedBuckets,
    private readonly shared: SharedParams,
  ) {}

  /** Settles a message. @returns the answer; undefined where none is wanted. */
  receive(message: LinkAsk): LinkReply | undefined {
    if (message.anew) this.#params.clear();
    for (const [id, params] of message.params) this.#params.set(id, this.shared.of(params));
    const answers: LinkAnswer[] = [];
    for (const ask of message.asks) {
      if (ask[0] !== 0) answers.push([ask[0], this.#settle(ask)]);
      else this.#settle(ask);
    }
    return answers.length === 0 ? undefined : { kind: 'answer', answers };
  }

  #settle(ask: LinkQuestion): LinkAnswer[1] {
    try {
      if (isTransfer(ask)) return this.#move(ask);
      return isLease(ask) ? this.#lease(ask) : this.#decide(ask);
    } catch (thrown) {
      return toLinkError(TidegateError.from(thrown));
    }
  }

  #decide([, chargeDenied, quotaSatisfied, calls]: LinkRequest): LinkAnswer[1] {
    const results = this.buckets.decide({
      calls: calls.map(([key, params, hits, role, assumeOnFailure]) => ({
        key,
        group: key,
        params: this.#paramsOf(params),
        hits,
        role,
        assumeOnFailure,
      })),
      chargeDenied,
      quotaSatisfied,
      deadlineMs: Infinity,
    });
    return results.map((result) =>
      result instanceof TidegateError ? toLinkError(result) : toLinkOutcome(result),
    );
  }

  #lease([, params, ask]: LinkLease): LinkAnswer[1] {
    let answer: LeaseReply | TidegateError | undefined;
    this.buckets.lease({ ...ask, params: this.#paramsOf(params) }, (outcome) => {
      answer = outcome;
    });
    if (answer === undefined) throw new TidegateError('TG_INTERNAL', 'a lease was not settled at once');
    return answer instanceof TidegateError ? toLinkError(answer) : answer;
  }

  #move([, fromParams, toParams, fromKey, toKey, tokens, keep]: LinkTransfer): LinkAnswer[1] {
    const from = { key: fromKey, group: fromKey, params: this.#paramsOf(fromParams) };
    const to = { key: toKey, group: toKey, params: this.#paramsOf(toParams) };
    const transfer = { id: 'link', from, to, tokens, keep };
    const outcome = transferFault(transfer) ?? this.buckets.move(transfer);
    return outcome instanceof TidegateError ? toLinkError(outcome) : outcome;
  }

  #paramsOf(id: number): BucketParams {
    const params = this.#params.get(id);
    if (params === undefined) throw new TidegateError('TG_INTERNAL', 'parameters that were not told');
    return params;
  }
}
