/** Lending between the buckets of one pool: each tick it says which tokens are to be moved, and keeps the ledger. */
import type { LendingPolicy, LoanOrder, LoanOutcome, LoanView } from '../../core/control';
import { DebtAccount } from './debt-account';
import { servedFairness } from './fairness';
import { type LendMember, type LendPosition, lendPosition, loanLifeMs } from './lend-position';
import { LendingBreaker } from './lending-breaker';
import { readLendingState, writeLendingState } from './lending-state';
import { awayOf, type Loan, LoanLedger, MAX_OPEN_LOANS } from './loan-ledger';
import { planLoans } from './loan-plan';

export type { LendMember } from './lend-position';

/** Orders at most in one tick. */
export const MAX_ORDERS_PER_TICK = 8_192;
/** What the newest return counts in the mean time to reclaim. */
const RECLAIM_SMOOTHING = 0.1;
const AT_ONCE = 'at_once';
const NOTHING = { leaving: 0, arriving: 0, borrowed: 0 } as const;

/** Whole tokens that moved from one member's bucket to another's, on behalf of a call that waited. */
export type AtOnceLoan = Pick<LoanOrder, 'lender' | 'borrower' | 'tokens'>;

/** How lending is. */
export interface LendingView {
  /** Jain's index of served over demanded at the last tick; null without demand. */
  readonly fairness: number | null;
  /** From a lender's need, as the desk saw it, to its tokens' return: smoothed mean, ms; null before the first. */
  readonly reclaimMs: number | null;
  readonly breaker: 'closed' | 'open' | 'half_open';
}

/**
 * The desk of one pool. Pure: time is an argument, tokens move elsewhere, and what became of each order is told by
 * {@link settled}. An order that nobody tells of has failed when it is due. Nothing throws.
 */
export class LendingDesk {
  private account = new DebtAccount();
  private ledger = new LoanLedger(this.account);
  private breaker = new LendingBreaker();
  private carry = new Map<string, number>();
  private sequence = 0;
  private atMs: number | null = null;
  private fairness: number | null = null;
  private reclaimMs: number | null = null;
  private readonly lifeMs: number;

  /** @param tickMs between ticks, ms. */
  constructor(
    private readonly pool: string,
    private readonly policy: LendingPolicy,
    private readonly tickMs: number,
  ) {
    this.lifeMs = loanLifeMs(tickMs);
  }

  /**
   * Says which tokens are to be moved now: first home, to lenders that need them; then from those with spare to those that
   * lack. A member that is missing has vanished. A time that is not finite changes nothing.
   */
  tick(nowMs: number, members: readonly LendMember[]): readonly LoanOrder[] {
    if (!Number.isFinite(nowMs)) return [];
    this.account.fade(Math.max(0, nowMs - (this.atMs ?? nowMs)));
    this.atMs = nowMs;
    this.fairness = servedFairness(members);
    this.writeOffMissing(members);
    const isDue = this.dueAt(nowMs);
    for (let unheard = this.ledger.lapse(isDue); unheard > 0; unheard -= 1) this.breaker.failed(nowMs);
    if (!this.policy.enabled && this.ledger.open.size === 0) return [];
    const positions = this.positions(members);
    let most = Math.min(MAX_ORDERS_PER_TICK, this.breaker.allowance(nowMs, this.ledger.unsettled));
    const orders = this.recallDue(nowMs, positions, most);
    for (const loan of this.ledger.open.values()) {
      if (loan.state === 'open' && isDue(loan) && !this.ledger.isRecalled(loan.id)) this.ledger.close(loan);
    }
    most = Math.min(most - orders.length, MAX_OPEN_LOANS - this.ledger.open.size);
    if (this.policy.enabled && most > 0) this.lend(nowMs, [...positions.values()], most, orders);
    return orders;
  }

  /** Takes what became of an order. A second outcome of it, or one of an order that is not known, changes nothing. */
  settled(outcome: LoanOutcome, nowMs: number): void {
    const known = this.ledger.settle(outcome);
    if (known.kind === 'none') return;
    if (outcome.error === undefined) this.breaker.succeeded(nowMs);
    else this.breaker.failed(nowMs);
    if (known.kind !== 'recall') return;
    const { loan } = known;
    if (outcome.moved > 0 && loan.neededAtMs !== null) {
      const tookMs = Math.max(0, nowMs - loan.neededAtMs);
      this.reclaimMs =
        this.reclaimMs === null ? tookMs : this.reclaimMs + RECLAIM_SMOOTHING * (tookMs - this.reclaimMs);
    }
    if (loan.state === 'open' && this.dueAt(nowMs)(loan)) this.ledger.close(loan);
  }

  /** Writes down tokens that were lent beside the orders, and have moved already: reclaimed, and owed, as those of any loan. */
  lentAtOnce({ lender, borrower, tokens: amount }: AtOnceLoan, nowMs: number): void {
    if (!Number.isSafeInteger(amount) || amount <= 0 || lender === borrower || !Number.isFinite(nowMs))
      return;
    if (this.ledger.open.size >= MAX_OPEN_LOANS) {
      this.account.write(lender, borrower, amount);
      return;
    }
    this.ledger.put({
      ...{ id: this.nextId(nowMs), lender, borrower, amount, returned: 0, lost: 0 },
      ...{ atMs: nowMs, dueMs: nowMs + this.lifeMs, why: AT_ONCE, state: 'open' },
      ...{ neededAtMs: null, unheard: false },
    });
  }

  /** Writes off a member that is gone: its loans, its debts. */
  forget(memberId: string, _nowMs: number): void {
    this.ledger.writeOff((id) => id === memberId);
    this.account.forget(memberId);
    this.carry.delete(memberId);
  }

  /** Open loans and the last ended ones, newest first. */
  views(): readonly LoanView[] {
    return this.ledger.views(this.pool);
  }

  /** Lent less borrowed that is open, tokens. */
  balanceOf(id: string): number {
    return this.ledger.balanceOf(id);
  }

  /** What a member owes of loans that did not come home, fading, tokens; negative when it is owed. */
  debtOf(id: string): number {
    return this.account.of(id);
  }

  /** How lending is, as of the last tick. */
  view(): LendingView {
    const { fairness, reclaimMs } = this;
    return { fairness, reclaimMs, breaker: this.breaker.state(this.atMs ?? 0) };
  }

  /** All it knows but loans that ended, as JSON text, for {@link restore}. */
  save(): string {
    const { sequence, atMs, fairness, reclaimMs, ledger } = this;
    return writeLendingState({
      ...{ sequence, atMs, fairness, reclaimMs, breaker: this.breaker.saved() },
      ...{ debts: [...this.account.entries()], carry: [...this.carry] },
      ...{
        loans: [...ledger.unheard.values(), ...ledger.open.values()],
        recalls: [...ledger.recalls.values()],
      },
    });
  }

  /** Takes what {@link save} gave, in place of all it knew; what is not that makes it start afresh. */
  restore(state: string): void {
    this.account = new DebtAccount();
    this.ledger = new LoanLedger(this.account);
    this.breaker = new LendingBreaker();
    this.carry = new Map();
    const read = readLendingState(state);
    this.sequence = read?.sequence ?? 0;
    this.atMs = read?.atMs ?? null;
    this.fairness = read?.fairness ?? null;
    this.reclaimMs = read?.reclaimMs ?? null;
    if (read === undefined) return;
    this.breaker.resume(read.breaker);
    for (const [id, tokens] of read.debts) this.account.set(id, tokens);
    for (const [id, tokens] of read.carry) this.carry.set(id, Math.max(-1, Math.min(1, tokens)));
    for (const loan of read.loans) this.ledger.put(loan);
    for (const recall of read.recalls) this.ledger.recall(recall);
  }

  /** Whether an order or a loan is due: half a tick early counts, and so does one from after a clock that stepped back. */
  private dueAt(nowMs: number): (order: { readonly atMs: number; readonly dueMs: number }) => boolean {
    return ({ atMs, dueMs }) => nowMs >= dueMs - this.tickMs / 2 || nowMs < atMs - this.lifeMs;
  }

  private writeOffMissing(members: readonly LendMember[]): void {
    const present = new Set<string>();
    for (const { policy } of members) present.add(policy.id);
    this.ledger.writeOff((id) => !present.has(id));
    for (const [id] of this.account.entries()) if (!present.has(id)) this.account.forget(id);
    for (const id of this.carry.keys()) if (!present.has(id)) this.carry.delete(id);
  }

  private positions(members: readonly LendMember[]): Map<string, LendPosition> {
    const inFlight = this.ledger.inFlight();
    const positions = new Map<string, LendPosition>();
    for (const member of members) {
      const { id } = member.policy;
      const position = lendPosition(member, this.policy, this.tickMs, inFlight.get(id) ?? NOTHING);
      if (position !== undefined) positions.set(id, position);
    }
    return positions;
  }

  /** Orders home what lenders lack, as far as borrowers do not need it themselves. */
  private recallDue(nowMs: number, positions: Map<string, LendPosition>, most: number): LoanOrder[] {
    const orders: LoanOrder[] = [];
    for (const loan of this.ledger.open.values()) {
      if (loan.state !== 'open') continue;
      const lender = positions.get(loan.lender);
      if (lender === undefined || lender.lack === 0) continue;
      loan.neededAtMs ??= nowMs;
      const borrower = positions.get(loan.borrower);
      if (borrower === undefined || orders.length >= most || this.ledger.isRecalled(loan.id)) continue;
      const tokens = Math.min(awayOf(loan), lender.lack, borrower.level - borrower.need);
      if (tokens <= 0) continue;
      lender.lack -= tokens;
      borrower.level -= tokens;
      orders.push(this.recallOrder(nowMs, loan, tokens, borrower.need));
    }
    return orders;
  }

  private recallOrder(nowMs: number, loan: Loan, tokens: number, keep: number): LoanOrder {
    const loanId = this.nextId(nowMs);
    const dueMs = nowMs + this.lifeMs;
    this.ledger.recall({ id: loanId, loanId: loan.id, tokens, atMs: nowMs, dueMs });
    return { loanId, lender: loan.borrower, borrower: loan.lender, tokens, keep, dueMs, why: 'reclaim' };
  }

  private lend(nowMs: number, positions: readonly LendPosition[], most: number, orders: LoanOrder[]): void {
    const weightOf = ({ id, member }: LendPosition): number => {
      const scale = Math.max(1, (member.policy.nominalPerS * this.lifeMs) / 1_000);
      const weight = member.policy.weight > 0 && member.policy.weight < Infinity ? member.policy.weight : 1;
      return weight * this.account.weighs(id, scale);
    };
    for (const planned of planLoans(positions, this.policy.part, weightOf, this.carry, most)) {
      const { lender, borrower, tokens, keep, why } = planned;
      const loanId = this.nextId(nowMs);
      const order = { loanId, lender, borrower, tokens, keep, dueMs: nowMs + this.lifeMs, why };
      this.ledger.lend(order, nowMs);
      orders.push(order);
    }
  }

  /** Unique over restarts and leaders too: the same id twice would move nothing. */
  private nextId(nowMs: number): string {
    this.sequence += 1;
    return `${this.pool}.${Math.trunc(nowMs).toString(36)}.${this.sequence.toString(36)}`;
  }
}
