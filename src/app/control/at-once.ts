/** Loans that the data path made at once, added up by lender and borrower until they are told: there may be many a second. */
import type { BorrowedTokens } from '../../store/borrowing/loan-window';

/** Tokens that moved between two buckets, by their keys. */
export type AtOnceSum = Pick<BorrowedTokens, 'lender' | 'borrower' | 'tokens'>;

const MAX_PAIRS = 1_000;

/** See the file's head. */
export class AtOnceLoans {
  private pairs = new Map<string, AtOnceSum>();

  /** Tokens moved; beyond the bound of pairs they are not told of. */
  add({ lender, borrower, tokens }: AtOnceSum): void {
    const pair = `${lender.length}:${lender}${borrower}`;
    const known = this.pairs.get(pair);
    if (known === undefined && this.pairs.size >= MAX_PAIRS) return;
    this.pairs.set(pair, { lender, borrower, tokens: tokens + (known?.tokens ?? 0) });
  }

  /** What came since the last look. */
  take(): readonly AtOnceSum[] {
    if (this.pairs.size === 0) return [];
    const all = [...this.pairs.values()];
    this.pairs = new Map();
    return all;
  }
}
