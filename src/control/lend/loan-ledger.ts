/** The ledger of loans: what was ordered, what is lent, and how it ended. Bounded. */
import type { LoanOrder, LoanOutcome, LoanView } from '../../core/control';
import type { DebtAccount } from './debt-account';
import type { InFlight } from './lend-position';

/** Loans that may be open at once, and ended ones that are remembered. */
export const MAX_OPEN_LOANS = 16_384;
export const MAX_ENDED_LOANS = 1_000;

/** A loan; amounts are whole tokens. */
export interface Loan {
  readonly id: string;
  readonly lender: string;
  readonly borrower: string;
  /** What was ordered until it has arrived, then what did. */
  amount: number;
  /** Of it, what went home, and what got lost on the way home. */
  returned: number;
  lost: number;
  readonly atMs: number;
  readonly dueMs: number;
  readonly why: string;
  /** `sent` until its outcome is known. */
  state: 'sent' | 'open' | 'returned' | 'expired' | 'failed';
  /** When its lender first needed it back, ms; null when it has not. */
  neededAtMs: number | null;
  /** It failed because nobody told what became of it; somebody still may. */
  unheard: boolean;
}

/** An order to take a loan's tokens home, without an outcome yet. */
export interface Recall {
  readonly id: string;
  readonly loanId: string;
  readonly tokens: number;
  readonly atMs: number;
  readonly dueMs: number;
}

/** What an outcome was of. */
export type Settled =
  { readonly kind: 'none' } | { readonly kind: 'loan' } | { readonly kind: 'recall'; readonly loan: Loan };

const whole = (figure: number, most: number): number => (figure > 0 ? Math.min(most, Math.floor(figure)) : 0);

/** What of a loan is still away. */
export function awayOf(loan: Loan): number {
  return loan.amount - loan.returned - loan.lost;
}

/** The ledger. What ends unreturned is written to the account it was given. */
export class LoanLedger {
  readonly open = new Map<string, Loan>();
  readonly recalls = new Map<string, Recall>();
  /** Failed loans that nobody told of; somebody still may. */
  readonly unheard = new Map<string, Loan>();
  private ended: Loan[] = [];
  private readonly recalled = new Set<string>();
  private readonly balances = new Map<string, number>();

  constructor(private readonly account: DebtAccount) {}

  /** Orders without an outcome. */
  get unsettled(): number {
    let sent = 0;
    for (const loan of this.open.values()) if (loan.state === 'sent') sent += 1;
    return sent + this.recalls.size;
  }

  /** Writes down a loan that is being ordered. */
  lend(order: LoanOrder, atMs: number): void {
    this.put({
      id: order.loanId,
      lender: order.lender,
      borrower: order.borrower,
      amount: order.tokens,
      returned: 0,
      lost: 0,
      atMs,
      dueMs: order.dueMs,
      why: order.why,
      state: 'sent',
      neededAtMs: null,
      unheard: false,
    });
  }

  /** Writes down that a loan is being taken home. */
  recall(recall: Recall): void {
    this.recalls.set(recall.id, recall);
    this.recalled.add(recall.loanId);
  }

  /** Whether a loan is being taken home. */
  isRecalled(loanId: string): boolean {
    return this.recalled.has(loanId);
  }

  /** Takes a loan as it is, `sent`, `open` or unheard of, such as from another's ledger. */
  put(loan: Loan): void {
    if (loan.unheard) {
      this.end(loan, 'failed');
      return;
    }
    this.open.set(loan.id, loan);
    if (loan.state === 'open') this.shift(loan, awayOf(loan));
  }

  /** Lent less borrowed that is open, tokens. */
  balanceOf(id: string): number {
    return this.balances.get(id) ?? 0;
  }

  /** Takes an outcome; a second one of the same order, or one of an order that is not known, changes nothing. */
  settle(outcome: LoanOutcome): Settled {
    const recall = this.recalls.get(outcome.loanId);
    if (recall !== undefined) {
      const loan = this.settleRecall(recall, outcome);
      return loan === undefined ? { kind: 'none' } : { kind: 'recall', loan };
    }
    const loan = this.open.get(outcome.loanId);
    if (loan?.state === 'sent') {
      loan.amount = whole(outcome.moved, loan.amount);
      if (loan.amount === 0) this.end(loan, 'failed');
      else {
        loan.state = 'open';
        this.shift(loan, loan.amount);
      }
      return { kind: 'loan' };
    }
    const late = this.unheard.get(outcome.loanId);
    if (late !== undefined) this.settleLate(late, outcome);
    return { kind: 'none' };
  }

  /** Ends what is due: what is away becomes a debt, and what was never heard of has failed. @returns how many had. */
  lapse(isDue: (order: { readonly atMs: number; readonly dueMs: number }) => boolean): number {
    let unheard = 0;
    for (const recall of this.recalls.values()) {
      if (!isDue(recall)) continue;
      this.dropRecall(recall);
      unheard += 1;
    }
    for (const loan of this.open.values()) {
      if (loan.state !== 'sent' || !isDue(loan)) continue;
      loan.unheard = true;
      this.end(loan, 'failed');
      unheard += 1;
    }
    return unheard;
  }

  /** Ends a loan that is open: as returned, or its rest as a debt. */
  close(loan: Loan): void {
    const away = awayOf(loan);
    this.shift(loan, -away);
    if (away > 0) this.account.write(loan.lender, loan.borrower, away);
    this.end(loan, away > 0 || loan.lost > 0 ? 'expired' : 'returned');
  }

  /** Writes off every loan with a party for which `gone` holds; nobody owes them. */
  writeOff(gone: (id: string) => boolean): void {
    for (const loan of this.open.values()) {
      if (!gone(loan.lender) && !gone(loan.borrower)) continue;
      if (loan.state === 'open') this.shift(loan, -awayOf(loan));
      this.end(loan, 'failed');
    }
    for (const recall of this.recalls.values()) if (!this.open.has(recall.loanId)) this.dropRecall(recall);
    for (const [id, loan] of this.unheard) {
      if (!gone(loan.lender) && !gone(loan.borrower)) continue;
      loan.unheard = false;
      this.unheard.delete(id);
    }
  }

  /** What is on its way or borrowed, by member. */
  inFlight(): Map<string, InFlight> {
    const sums = new Map<string, { leaving: number; arriving: number; borrowed: number }>();
    const of = (id: string) => {
      const known = sums.get(id) ?? { leaving: 0, arriving: 0, borrowed: 0 };
      sums.set(id, known);
      return known;
    };
    for (const loan of this.open.values()) {
      of(loan.borrower).borrowed += awayOf(loan);
      if (loan.state !== 'sent') continue;
      of(loan.lender).leaving += loan.amount;
      of(loan.borrower).arriving += loan.amount;
    }
    for (const { loanId, tokens } of this.recalls.values()) {
      const loan = this.open.get(loanId);
      if (loan === undefined) continue;
      of(loan.borrower).leaving += tokens;
      of(loan.lender).arriving += tokens;
    }
    return sums;
  }

  /** All that is remembered, newest first. */
  views(pool: string): LoanView[] {
    const loans = [...this.ended.slice(-MAX_ENDED_LOANS), ...this.open.values()].reverse();
    return loans.map(({ id: loanId, lender, borrower, amount, returned, atMs, dueMs, why, state }) => {
      const shown = state === 'sent' ? 'open' : state;
      return { loanId, pool, lender, borrower, amount, returned, atMs, dueMs, why, state: shown };
    });
  }

  private settleRecall(recall: Recall, outcome: LoanOutcome): Loan | undefined {
    this.dropRecall(recall);
    const loan = this.open.get(recall.loanId);
    if (loan === undefined) return undefined;
    const moved = whole(outcome.moved, Math.min(recall.tokens, awayOf(loan)));
    loan.returned += moved;
    const lost = whole(outcome.lost, Math.min(recall.tokens - moved, awayOf(loan)));
    loan.lost += lost;
    this.shift(loan, -moved - lost);
    if (awayOf(loan) === 0) this.close(loan);
    return loan;
  }

  /** A loan that was taken for failed had moved: it is over, so what moved is a debt. */
  private settleLate(loan: Loan, outcome: LoanOutcome): void {
    this.unheard.delete(loan.id);
    const moved = whole(outcome.moved, loan.amount);
    if (moved === 0) return;
    loan.amount = moved;
    loan.state = 'expired';
    this.account.write(loan.lender, loan.borrower, moved);
  }

  private dropRecall(recall: Recall): void {
    this.recalls.delete(recall.id);
    this.recalled.delete(recall.loanId);
  }

  private end(loan: Loan, state: Loan['state']): void {
    loan.state = state;
    this.open.delete(loan.id);
    this.ended.push(loan);
    if (loan.unheard) this.unheard.set(loan.id, loan);
    if (this.ended.length < 2 * MAX_ENDED_LOANS) return;
    for (const { id } of this.ended.splice(0, MAX_ENDED_LOANS)) this.unheard.delete(id);
  }

  private shift(loan: Loan, tokens: number): void {
    if (tokens === 0) return;
    this.balance(loan.lender, tokens);
    this.balance(loan.borrower, -tokens);
  }

  private balance(id: string, by: number): void {
    const balance = this.balanceOf(id) + by;
    if (balance === 0) this.balances.delete(id);
    else this.balances.set(id, balance);
  }
}
