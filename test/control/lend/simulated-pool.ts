/** Buckets that lend by a desk's orders, with every fate that an order can meet; what must hold is checked on the way. */
import type { LoanOrder, LoanOutcome } from '../../../src/core/control';
import { borrowingLimit } from '../../../src/control/lend/lend-position';
import type { LendingDesk, LendMember } from '../../../src/control/lend/lending-desk';
import type { Priority } from '../../../src/core/priority';
import { member, POLICY } from './lend-members';

/** What becomes of an order. */
export type Fate = 'arrives' | 'twice' | 'late' | 'half_lost' | 'fails' | 'unheard' | 'moves_unheard';

/** One tick: what each member is asked for as a multiple of its rate, whose level is not seen, who is gone; the fates are used in turn. */
export interface SimulatedTick {
  readonly demands: readonly number[];
  readonly unseen: readonly boolean[];
  readonly gone: readonly boolean[];
  readonly fates: readonly Fate[];
}

/** A simulated member: its priority, nominal rate, capacity, and the shares it lends and borrows. */
export interface SimulatedMember {
  readonly priority: Priority;
  readonly nominalPerS: number;
  readonly nominalCapacity: number;
  readonly lendable: number;
  readonly borrowable: number;
}

/** The pool. Throws, by the test's expectations, where an invariant is broken. */
export class SimulatedPool {
  readonly levels: number[];
  /** Tokens that transfers took and did not deliver. */
  lost = 0;
  private fate = 0;
  private readonly ids = new Set<string>();
  private readonly late: { order: LoanOrder; settleAt: number }[] = [];

  constructor(
    private readonly kinds: readonly SimulatedMember[],
    private readonly tickMs: number,
  ) {
    this.levels = kinds.map(({ nominalCapacity }) => nominalCapacity);
  }

  /** The members as they are seen at a tick, after its demand was served. */
  serve(tick: SimulatedTick): LendMember[] {
    const seconds = this.tickMs / 1_000;
    return this.kinds.flatMap((kind, at) => {
      const level = Math.min(kind.nominalCapacity, this.level(at) + Math.floor(kind.nominalPerS * seconds));
      const asked = Math.floor((tick.demands[at] ?? 0) * kind.nominalPerS * seconds);
      const served = Math.min(level, asked);
      this.levels[at] = level - served;
      if (tick.gone[at] === true) return [];
      const seen = member(`m${String(at)}`, {
        tokens: tick.unseen[at] === true ? NaN : this.level(at),
        effectivePerS: asked / seconds,
        demandPerS: asked / seconds,
        admittedPerS: served / seconds,
        deniedPerS: (asked - served) / seconds,
        policy: kind,
      });
      return [seen];
    });
  }

  /** Checks a tick's orders against what the buckets hold. */
  check(orders: readonly LoanOrder[], members: readonly LendMember[]): void {
    const seen = new Map(members.map((one) => [one.policy.id, one]));
    const leaving = new Map<string, number>();
    const arriving = new Map<string, number>();
    for (const { loanId, lender, borrower, tokens, keep, why } of orders) {
      expect(this.ids.has(loanId)).toBe(false);
      this.ids.add(loanId);
      expect(lender).not.toBe(borrower);
      expect(Number.isInteger(tokens) && tokens > 0 && Number.isInteger(keep) && keep >= 0).toBe(true);
      leaving.set(lender, (leaving.get(lender) ?? 0) + tokens);
      arriving.set(borrower, (arriving.get(borrower) ?? 0) + tokens);
      const from = seen.get(lender);
      const to = seen.get(borrower);
      expect((from?.tokens ?? NaN) - keep).toBeGreaterThanOrEqual(leaving.get(lender) ?? 0);
      if (why === 'reclaim') continue;
      expect(keep).toBeGreaterThanOrEqual(Math.floor(POLICY.lowWater * (from?.capacity ?? NaN)));
      expect(arriving.get(borrower)).toBeLessThanOrEqual((to?.capacity ?? NaN) - (to?.tokens ?? NaN));
      expect(to?.policy.borrowable).toBeGreaterThan(0);
    }
  }

  /** Moves the tokens of a tick's orders, as a store does, and tells the desk what their fates let it know. */
  move(desk: LendingDesk, orders: readonly LoanOrder[], tick: SimulatedTick, nowMs: number): void {
    for (const { order } of this.late.filter(({ settleAt }) => settleAt <= nowMs)) {
      desk.settled(this.transfer(order, 0), nowMs);
    }
    const still = this.late.filter(({ settleAt }) => settleAt > nowMs);
    this.late.splice(0, this.late.length, ...still);
    for (const order of orders) {
      const { loanId } = order;
      const fate = tick.fates[this.fate % tick.fates.length] ?? 'arrives';
      this.fate += 1;
      if (fate === 'fails') desk.settled({ loanId, moved: 0, lost: 0, error: 'TG_STORE_TIMEOUT' }, nowMs);
      else if (fate === 'late') this.late.push({ order, settleAt: nowMs + 3 * this.tickMs });
      else if (fate === 'moves_unheard') this.transfer(order, 0);
      else if (fate !== 'unheard') {
        const outcome = this.transfer(order, fate === 'half_lost' ? 0.5 : 0);
        desk.settled(outcome, nowMs);
        if (fate === 'twice') desk.settled(outcome, nowMs);
      }
    }
  }

  /** No bucket is over its capacity, and none under nothing. */
  checkLevels(): void {
    this.kinds.forEach(({ nominalCapacity }, at) => {
      expect(this.level(at)).toBeGreaterThanOrEqual(0);
      expect(this.level(at)).toBeLessThanOrEqual(nominalCapacity);
    });
  }

  /** What a ledger must say at any time: loans of all to all sum to nothing, and each member's to its balance. */
  checkLedger(desk: LendingDesk): void {
    const balances = new Map<string, number>();
    const borrowed = new Map<string, number>();
    for (const { lender, borrower, amount, returned, state } of desk.views()) {
      expect(returned).toBeLessThanOrEqual(amount);
      if (state !== 'open') continue;
      const away = amount - returned;
      balances.set(lender, (balances.get(lender) ?? 0) + away);
      balances.set(borrower, (balances.get(borrower) ?? 0) - away);
      borrowed.set(borrower, (borrowed.get(borrower) ?? 0) + away);
    }
    let sum = 0;
    this.kinds.forEach((kind, at) => {
      const id = `m${String(at)}`;
      sum += desk.balanceOf(id);
      const limit = borrowingLimit(member(id, { policy: kind }).policy, this.tickMs);
      expect(borrowed.get(id) ?? 0).toBeLessThanOrEqual(limit);
    });
    expect(sum).toBe(0);
  }

  /** Tokens in all buckets. */
  total(): number {
    return this.levels.reduce((sum, level) => sum + level, 0);
  }

  /** Becomes as another pool is. */
  become(other: SimulatedPool): void {
    this.levels.splice(0, this.levels.length, ...other.levels);
    this.late.splice(0, this.late.length, ...other.late);
    this.fate = other.fate;
    this.lost = other.lost;
  }

  private level(at: number): number {
    return this.levels[at] ?? 0;
  }

  private transfer(order: LoanOrder, lostPart: number): LoanOutcome {
    const from = Number(order.lender.slice(1));
    const to = Number(order.borrower.slice(1));
    const room = (this.kinds[to]?.nominalCapacity ?? 0) - this.level(to);
    const takes = Math.max(0, Math.min(order.tokens, this.level(from) - order.keep));
    const moved = Math.min(room, takes - Math.floor(takes * lostPart));
    const lost = takes - moved;
    this.levels[from] = this.level(from) - takes;
    this.levels[to] = this.level(to) + moved;
    this.lost += lost;
    return { loanId: order.loanId, moved, lost };
  }
}
