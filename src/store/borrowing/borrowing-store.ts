/**
 * A store that borrows at once: where a request is denied by token buckets alone that others may lend to, what it lacks is
 * moved from them, and the request is asked once more, within its deadline. Everything else goes straight through, denials
 * that are charged too, for a second try would charge them twice.
 *
 * It belongs next to the shared buckets, beneath leases: these then see what came of the second try, as if it were the first.
 */
import { Later } from '../../core/later';
import { randomUUID } from 'node:crypto';
import type { BucketCall, BucketRequest, BucketResult, BucketStore } from '../../core/buckets';
import type { Clock } from '../../core/clock';
import type { BucketOperator } from '../../core/pool-link';
import { type BorrowedTokens, type Lender, LoanWindow } from './loan-window';
import { allAllowed, type Lack, lacksOf } from './shortages';

/** What a {@link BorrowingStore} stands on. */
export interface BorrowingStoreOptions {
  /** Decides; closed with this store. */
  readonly inner: BucketStore;
  /** Operates on the same buckets. */
  readonly operator: Pick<BucketOperator, 'transfer'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Who may lend to the bucket of a key at once, best first; mostly nobody. Cheap: it stands in the path of decisions. */
  readonly lendersOf: (bucketKey: string) => readonly Lender[];
  /** Told of tokens that moved; must not throw. */
  readonly borrowed?: (tokens: BorrowedTokens) => void;
}

/** The part of what is left of a request's time that borrowing may take: the second try needs the rest. */
const BORROWING_PART = 0.5;
/** With less left than this there is no second try, ms. */
const LEAST_MS = 1;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** See the file's head. */
export class BorrowingStore implements BucketStore {
  readonly #loans: LoanWindow;
  #closing = false;

  constructor(private readonly options: BorrowingStoreOptions) {
    const { operator, clock, borrowed = () => undefined } = options;
    this.#loans = new LoanWindow({ operator, clock, borrowed, run: randomUUID() });
  }

  decide(request: BucketRequest): readonly BucketResult[] | Later<readonly BucketResult[]> {
    const results = this.options.inner.decide(request);
    if (request.chargeDenied !== 'none' || this.#closing) return results;
    if (!(results instanceof Later)) {
      if (allAllowed(results)) return results;
      const lacks = lacksOf(request, results, this.#mayBorrow);
      return lacks.length === 0
        ? results
        : Later.from(this.#borrow(request, results, lacks, request.deadlineMs));
    }
    if (!request.calls.some(this.#mayBorrow)) return results;
    const askedMs = this.options.clock.monotonicMs();
    return results.map((denied) => {
      if (this.#closing || allAllowed(denied)) return denied;
      const lacks = lacksOf(request, denied, this.#mayBorrow);
      if (lacks.length === 0) return denied;
      return Later.from(this.#borrow(request, denied, lacks, this.#leftMs(request.deadlineMs, askedMs)));
    });
  }

  ready(): boolean {
    return this.options.inner.ready();
  }

  /** Closes the store beneath; nothing is borrowed any more. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.options.inner.close();
  }

  readonly #mayBorrow = (call: BucketCall): boolean =>
    call.hits > 0 && this.options.lendersOf(call.key).length > 0 && this.#loans.isOpen(call.key);

  /** Borrows what is lacking and asks once more; the denial stands where that takes too long or brings nothing. */
  async #borrow(
    request: BucketRequest,
    denied: readonly BucketResult[],
    lacks: readonly Lack[],
    deadlineMs: number,
  ): Promise<readonly BucketResult[]> {
    const startMs = this.options.clock.monotonicMs();
    if (deadlineMs < LEAST_MS) return denied;
    const loans = lacks.map(({ call, tokens }) =>
      this.#loans.borrow(call, tokens, this.options.lendersOf(call.key)),
    );
    const arrived = await inTime(Promise.all(loans), deadlineMs * BORROWING_PART);
    const leftMs = this.#leftMs(deadlineMs, startMs);
    if (arrived?.every((tokens) => tokens > 0) !== true || leftMs < LEAST_MS || this.#closing) return denied;
    return this.options.inner.decide({ ...request, deadlineMs: leftMs });
  }

  #leftMs(deadlineMs: number, sinceMs: number): number {
    return deadlineMs - (this.options.clock.monotonicMs() - sinceMs);
  }
}

/** What a promise, which never rejects, gives; undefined when it takes longer. */
async function inTime<T>(promise: Promise<T>, limitMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, Math.min(LONGEST_TIMER_MS, limitMs), undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
