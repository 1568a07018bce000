/** Borrowing for buckets: one loan at a time for each, and none for a while where there was nothing to be had. Bounded. */
import { UT_PER_TOKEN } from '../../bucket/fixed-point';
import type { BucketParams } from '../../core/buckets';
import type { Clock } from '../../core/clock';
import { TidegateError } from '../../core/errors';
import type { BucketOperator, BucketRef } from '../../core/pool-link';

/** A bucket that may lend. */
export interface Lender {
  readonly ref: BucketRef;
  /** What it keeps at least, whole tokens. */
  readonly keep: number;
}

/** Tokens that arrived from a lender. */
export interface BorrowedTokens {
  /** The transfer's id. */
  readonly loanId: string;
  /** Keys of buckets. */
  readonly borrower: string;
  readonly lender: string;
  readonly tokens: number;
  /** Taken from the lender, and arrived nowhere. */
  readonly lost: number;
}

/** What loans stand on. */
export interface LoanWindowOptions {
  readonly operator: Pick<BucketOperator, 'transfer'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Told of every transfer that took tokens; must not throw. */
  readonly borrowed: (tokens: BorrowedTokens) => void;
  /** Before the ids of transfers: nobody else has it. */
  readonly run: string;
}

/** What is borrowed together: for all that were denied while another loan was under way. */
interface Loan {
  readonly borrower: BucketRef;
  readonly lenders: readonly Lender[];
  tokens: number;
  /** Tokens that arrived. */
  readonly arrived: Promise<number>;
  settle(arrived: number): void;
}

/** A bucket that borrows, or that found nothing. */
interface Entry {
  busy: boolean;
  next: Loan | undefined;
  notBeforeMs: number;
}

/** Beyond what is lacking, what refills in this time is borrowed, ms: else each call that follows would borrow again. */
const AHEAD_MS = 50;
/** How long a bucket is left alone for which nobody had anything, ms. */
const NOTHING_MS = 100;
/** Lenders that are asked for one loan. */
const MAX_LENDERS = 4;
const MAX_BUCKETS = 16_384;
/** Loans under way. */
const MAX_UNDER_WAY = 256;
const NOTHING = Promise.resolve(0);

/** See the file's head. */
export class LoanWindow {
  readonly #entries = new Map<string, Entry>();
  #underWay = 0;
  #lastId = 0;

  constructor(private readonly options: LoanWindowOptions) {}

  /** Buckets that something is remembered of. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether borrowing for a bucket may bring anything now. */
  isOpen(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry?.busy === true) return true;
    if (this.#underWay >= MAX_UNDER_WAY) return false;
    return entry === undefined ? this.#hasRoom() : this.options.clock.monotonicMs() >= entry.notBeforeMs;
  }

  /**
   * Borrows for a bucket; with others who want to while a loan is under way. Never rejects.
   * @param tokens what a call lacks.
   * @returns tokens that arrived, for all that borrowed together.
   */
  borrow(borrower: BucketRef, tokens: number, lenders: readonly Lender[]): Promise<number> {
    const { key } = borrower;
    if (!this.isOpen(key)) return NOTHING;
    const entry = this.#entries.get(key) ?? { busy: false, next: undefined, notBeforeMs: -Infinity };
    const loan = (entry.next ??= newLoan(borrower, lenders));
    loan.tokens += tokens;
    if (entry.busy) return loan.arrived;
    entry.busy = true;
    this.#entries.set(key, entry);
    this.#underWay += 1;
    void this.#make(key, entry);
    return loan.arrived;
  }

  /** Makes one loan after the other, until nobody wants any more or there is nothing to be had. */
  async #make(key: string, entry: Entry): Promise<void> {
    let arrived = Infinity;
    for (let loan = entry.next; loan !== undefined; loan = entry.next) {
      entry.next = undefined;
      if (arrived > 0) arrived = await this.#collect(loan);
      loan.settle(arrived);
    }
    entry.busy = false;
    this.#underWay -= 1;
    if (arrived > 0) this.#entries.delete(key);
    else entry.notBeforeMs = this.options.clock.monotonicMs() + NOTHING_MS;
  }

  /** Goes from lender to lender until there is enough. */
  async #collect({ borrower, tokens, lenders }: Loan): Promise<number> {
    const { capacity } = borrower.params;
    const wanted = Math.min(capacity, Math.max(tokens, refillOf(borrower.params, AHEAD_MS)));
    let arrived = 0;
    for (const { ref, keep } of lenders.slice(0, MAX_LENDERS)) {
      if (arrived >= wanted) break;
      if (ref.key === borrower.key) continue;
      arrived += await this.#transfer(ref, borrower, wanted - arrived, keep);
    }
    return arrived;
  }

  async #transfer(from: BucketRef, to: BucketRef, tokens: number, keep: number): Promise<number> {
    this.#lastId += 1;
    const loanId = `${this.options.run}.${this.#lastId}`;
    try {
      const result = await this.options.operator.transfer({ id: loanId, from, to, tokens, keep });
      if (result instanceof TidegateError) return 0;
      const { moved, lost } = result;
      if (moved + lost > 0)
        this.options.borrowed({ loanId, borrower: to.key, lender: from.key, tokens: moved, lost });
      return moved;
    } catch {
      return 0;
    }
  }

  /** Makes room by forgetting whoever has waited long enough; a bucket more when there is none is not borrowed for. */
  #hasRoom(): boolean {
    if (this.#entries.size < MAX_BUCKETS) return true;
    for (const [key, entry] of this.#entries) {
      if (entry.busy || entry.notBeforeMs > this.options.clock.monotonicMs()) return false;
      this.#entries.delete(key);
      return true;
    }
    return false;
  }
}

function newLoan(borrower: BucketRef, lenders: readonly Lender[]): Loan {
  let settle: Loan['settle'] = () => undefined;
  const arrived = new Promise<number>((resolve) => {
    settle = resolve;
  });
  return { borrower, lenders, tokens: 0, arrived, settle: (tokens) => settle(tokens) };
}

/** Tokens that refill in some time, rounded up. */
function refillOf({ rateUtPerS }: BucketParams, ms: number): number {
  return Math.ceil((rateUtPerS / UT_PER_TOKEN) * (ms / 1_000));
}
