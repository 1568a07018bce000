/** Controls one pool: what its members need, what each is to have, and which tokens move between them. Pure. */
import type {
  AdviceReason,
  LoanOutcome,
  LoanView,
  MemberOutput,
  MemberPolicy,
  MemberSeen,
  Override,
  PoolAdvice,
  PoolDecision,
  PoolPolicy,
  PoolSeen,
  TunedBucket,
} from '../core/control';
import { AdviceInForce, type AdviceTaken } from './advice-in-force';
import { allocate, type Allocation, type Claimant } from './allocate/allocate';
import { Elapsed } from './elapsed';
import { FallbackSwitch, nominalShares } from './guard/fallback';
import { guard } from './guard/guard';
import { TotalGovernor } from './health/total-governor';
import { type AtOnceLoan, LendingDesk, type LendingView } from './lend/lending-desk';
import { heldAt, PoolMember, type Wish } from './pool-member';
import { readPoolState, writePoolState } from './pool-state';

/** A total that the services' health lowers by more than this part is shared again at once. */
const TOTAL_BAND = 0.01;
const MAX_WHY_CHARACTERS = 512;
const NO_ORDERS = '[]';
/** The settings' default of `pools.learning.max_factor`. */
const MAX_ADVICE_FACTOR = 2;
const NO_ADVICE: AdviceTaken = { members: 0, refused: 0, why: [] };

/**
 * The control of a pool. Each tick it takes what was seen and lends; each interval, and at once when settings, orders or the
 * health of services ask for it, it sizes, allocates and guards. Between, outputs hold.
 *
 * Time only counts forwards: a clock that steps back, or says no number, lets nothing pass, and one that leaps ahead lets
 * one interval pass. The sum of all rates is at most the total at every tick.
 */
export class PoolController {
  #policy: PoolPolicy;
  #members = new Map<string, PoolMember>();
  #overrides: readonly Override[] = [];
  /** The orders that were applied last; undefined after a take-over, which may have them in force already. */
  #orders: string | undefined = NO_ORDERS;
  #desk: LendingDesk;
  readonly #governor = new TotalGovernor();
  readonly #fallback = new FallbackSwitch();
  readonly #advice = new AdviceInForce();
  /** What was advised last, and what became of it: the same again is no news. */
  #given: PoolAdvice | undefined;
  #taken: AdviceTaken = NO_ADVICE;
  /** Whether the last plan followed advice. */
  #advised = false;
  #elapsed: Elapsed;
  #nextPlanMs = 0;
  #due = true;
  #nowMs = 0;
  #totalPerS: number;
  #healthWhy = '';
  #planWhy = '';
  #claimants: readonly Claimant[] = [];
  #fellBack = false;
  #outputs: readonly MemberOutput[] = [];
  #told: readonly MemberOutput[] = [];

  constructor(policy: PoolPolicy, members: readonly MemberPolicy[]) {
    this.#policy = policy;
    this.#desk = new LendingDesk(policy.name, policy.lending, policy.tickMs);
    this.#elapsed = new Elapsed(policy.intervalMs);
    this.#admit(members);
    this.#totalPerS = this.#configuredPerS();
    this.#startFrom(() => undefined);
  }

  /**
   * Takes new settings. Members that stay keep what was learnt of them and what they have; loans of those that vanish
   * are written off. Takes effect at the next tick.
   */
  use(policy: PoolPolicy, members: readonly MemberPolicy[], nowMs: number): void {
    const before = this.#policy;
    this.#policy = policy;
    if (
      JSON.stringify(policy.lending) !== JSON.stringify(before.lending) ||
      policy.tickMs !== before.tickMs
    ) {
      const saved = this.#desk.save();
      this.#desk = new LendingDesk(policy.name, policy.lending, policy.tickMs);
      this.#desk.restore(saved);
    }
    if (policy.intervalMs !== before.intervalMs) {
      this.#elapsed = new Elapsed(policy.intervalMs);
      this.#nextPlanMs = 0;
      for (const member of this.#members.values()) {
        member.held = { ...member.held, rateAtMs: -Infinity, capacityAtMs: -Infinity };
      }
    }
    for (const gone of this.#admit(members)) this.#desk.forget(gone, nowMs);
    this.#orders = '';
    this.#due = true;
  }

  /** Takes all orders that hold now. They take effect at the next tick, and end at their time. */
  setOverrides(overrides: readonly Override[]): void {
    this.#overrides = overrides;
  }

  /**
   * Takes a learned policy's advice in place of what there was: factors on the demand that the solver shares by and on what
   * lenders keep. It holds for one interval, from the next tick on; what it makes of them is shared, bounded and guarded as the
   * solver's own. Undefined drops it: the solver alone decides at the next tick.
   * @param maxFactor the bound of every factor, and its inverse. @returns how many members' advice was taken, and why others' was not.
   */
  advise(advice: PoolAdvice | undefined, maxFactor = MAX_ADVICE_FACTOR): AdviceTaken {
    if (advice === this.#given) return this.#taken;
    this.#given = advice;
    this.#taken = NO_ADVICE;
    if (advice === undefined) {
      this.#advice.clear();
      this.#due ||= this.#advised;
      return NO_ADVICE;
    }
    const { intervalMs: lifeMs } = this.#policy;
    const now = { nowMs: this.#nowMs, elapsedMs: this.#elapsed.totalMs, lifeMs };
    return (this.#taken = this.#advice.take(advice, now, (id) => this.#members.has(id), maxFactor));
  }

  /** Takes what was seen over the last tick. Never throws: after a fault the nominal rates hold, and it says why. */
  tick(nowMs: number, seen: PoolSeen): PoolDecision {
    if (Number.isFinite(nowMs)) this.#nowMs = nowMs;
    try {
      return this.#tick(seen);
    } catch (error) {
      this.#fallback.failed(`fault: ${String(error).slice(0, MAX_WHY_CHARACTERS)}`);
      this.#totalPerS = Math.min(this.#totalPerS, this.#configuredPerS());
      this.#fallBack();
      return this.#decision([]);
    }
  }

  /** What the last plan would have shared out under other factors on demand, before it is guarded; in the order of the members. */
  sharesUnder(demandFactors: ArrayLike<number>): Float64Array {
    return this.#shareBy((at) => demandFactors[at] ?? 1).ratesPerS;
  }

  /** Takes what became of a loan. */
  settled(outcome: LoanOutcome, nowMs: number): void {
    this.#desk.settled(outcome, nowMs);
  }

  /** Takes a loan that was made without an order, of tokens that have moved already: it is owed as any other. */
  lentAtOnce(loan: AtOnceLoan, nowMs: number): void {
    this.#desk.lentAtOnce(loan, nowMs);
  }

  /** The ledger: open loans and the last ended ones, newest first. */
  loans(): readonly LoanView[] {
    return this.#desk.views();
  }

  /** Lent less borrowed that is open, tokens. */
  balanceOf(id: string): number {
    return this.#desk.balanceOf(id);
  }

  /** How lending is. */
  lendingView(): LendingView {
    return this.#desk.view();
  }

  /** Demand in effect, tokens a second; NaN where it is not known. */
  demandOf(id: string): number {
    return this.#members.get(id)?.demand.last.effectivePerS ?? NaN;
  }

  /** What is known beyond the outputs, as JSON text, for {@link restore}. */
  save(): string {
    return writePoolState([...this.#members.values()], this.#desk.save(), this.#governor.save());
  }

  /**
   * Takes over from another: outputs start from what it published, inside the bounds and the total, and hold for an interval. What is
   * not readable of its state is left.
   */
  restore(state: string, table: readonly TunedBucket[], nowMs: number): void {
    if (Number.isFinite(nowMs)) this.#nowMs = nowMs;
    const saved = readPoolState(state);
    for (const [id, figures] of saved.members) this.#members.get(id)?.restore(figures);
    if (saved.lending !== '') this.#desk.restore(saved.lending);
    this.#governor.restore(saved.health);
    this.#totalPerS = this.#governor.total(this.#nowMs, this.#configuredPerS(), []).totalPerS;
    const published = new Map(table.map((bucket) => [bucket.id, bucket]));
    this.#startFrom((id) => published.get(id));
    this.#elapsed.look(this.#nowMs);
    this.#nextPlanMs = this.#elapsed.totalMs + this.#policy.intervalMs;
    this.#due = false;
    this.#orders = undefined;
  }

  #tick(seen: PoolSeen): PoolDecision {
    this.#elapsed.look(this.#nowMs);
    this.#applyOverrides();
    this.#advice.expire(this.#elapsed.totalMs - this.#policy.tickMs / 2);
    const anybody = this.#look(seen.members);
    this.#fallback.heard(anybody || this.#members.size === 0);
    const { totalPerS, why } = this.#governor.total(this.#nowMs, this.#configuredPerS(), seen.health);
    this.#healthWhy = why;
    const falls = this.#fallback.why !== '';
    const interval = this.#elapsed.totalMs >= this.#nextPlanMs - this.#policy.tickMs / 2;
    const urgent = totalPerS < this.#totalPerS * (1 - TOTAL_BAND);
    if (this.#due || interval || urgent || falls !== this.#fellBack) {
      this.#totalPerS = totalPerS;
      if (falls) this.#fallBack();
      else this.#plan();
      this.#due = false;
      if (interval) this.#nextPlanMs = this.#elapsed.totalMs + this.#policy.intervalMs;
    }
    const lenders = Array.from(this.#members.values(), (member) => member.lender(!falls));
    return this.#decision(this.#desk.tick(this.#nowMs, lenders));
  }

  /** @returns whether anybody was heard. */
  #look(seen: PoolSeen['members']): boolean {
    let told: Map<string, MemberSeen> | undefined;
    let anybody = false;
    let at = 0;
    for (const [id, member] of this.#members) {
      let own = seen[at];
      at += 1;
      // What is told in the order of the members, as it mostly is, needs no looking up.
      if (own?.id !== id || seen.length !== this.#members.size) {
        told ??= new Map(seen.map((each) => [each.id, each]));
        own = told.get(id);
      }
      member.advice = this.#advice.of(id);
      member.look(this.#nowMs, own);
      anybody ||= member.heard;
    }
    return anybody;
  }

  #plan(): void {
    const members = [...this.#members.values()];
    const wishes: Wish[] = members.map((member) => member.wish(this.#nowMs));
    const claimants = wishes.map(({ claimant }) => claimant);
    this.#claimants = claimants;
    const alone = allocate(this.#totalPerS, claimants, this.#policy.maxShare);
    this.#advised = this.#advice.present;
    const share = this.#advised ? this.#shareBy((at) => members[at]?.advice?.demandFactor ?? 1) : alone;
    const guarded = guard(
      this.#elapsed.totalMs,
      this.#policy,
      this.#totalPerS,
      members.map((member, i) => member.proposal(share.ratesPerS[i] ?? NaN, wishes[i]?.capacity ?? NaN)),
    );
    for (const [i, member] of members.entries()) {
      const result = guarded[i];
      if (result === undefined) continue;
      const holds = result.held.ratePerS === member.held.ratePerS && result.clamps.length > 0;
      const rule = share.rules[i] === 'override' ? 'override' : (wishes[i]?.rule ?? share.rules[i] ?? '');
      member.held = result.held;
      member.explain(
        holds && rule !== 'override' ? 'hold' : rule,
        result.clamps,
        this.#adviceReason(member, alone.ratesPerS[i] ?? NaN),
      );
    }
    this.#planWhy = share.shortOfMinima ? 'the minima exceed the total and are scaled to it' : '';
    this.#fellBack = false;
    this.#publish();
  }

  #shareBy(factorOf: (at: number) => number): Allocation {
    const claimants = this.#claimants.map((one, at) => ({ ...one, demandFactor: factorOf(at) }));
    return allocate(this.#totalPerS, claimants, this.#policy.maxShare);
  }

  #adviceReason({ advice }: PoolMember, solverPerS: number): AdviceReason | undefined {
    if (advice === undefined) return undefined;
    const { demandFactor, keepFactor } = advice;
    return { model: this.#advice.model, demandFactor, keepFactor, solverPerS };
  }

  #fallBack(): void {
    const members = [...this.#members.values()];
    const rates = nominalShares(
      this.#totalPerS,
      members.map(({ policy, orderedPerS: rate }) =>
        rate === undefined ? policy : { ...policy, nominalPerS: rate, minPerS: rate, maxPerS: rate },
      ),
    );
    for (const [i, member] of members.entries()) {
      const ratePerS = rates[i] ?? 0;
      const fixed = member.orderedCapacity ?? member.policy.nominalCapacity;
      member.held = {
        ...heldAt({ ...member.policy, minPerS: 0 }, ratePerS, fixed),
        rateAtMs: this.#elapsed.totalMs,
        capacityAtMs: this.#elapsed.totalMs,
      };
      const rule = member.orderedPerS === undefined ? 'fallback' : 'override';
      member.explain(rule, ratePerS < member.policy.nominalPerS ? ['total'] : []);
    }
    this.#planWhy = '';
    this.#advised = false;
    this.#fellBack = true;
    this.#publish();
  }

  /** Lets outputs start from figures that hold already, or from the nominal ones; inside the bounds and the total. */
  #startFrom(held: (id: string) => TunedBucket | undefined): void {
    const members = [...this.#members.values()];
    const proposals = members.map((member) => {
      const known = held(member.policy.id);
      member.held = heldAt(member.policy, known?.ratePerS ?? NaN, known?.capacity ?? NaN);
      member.explain(known === undefined ? 'nominal' : 'hold', []);
      return member.proposal(member.held.ratePerS, member.held.capacity);
    });
    const guarded = guard(0, this.#policy, this.#totalPerS, proposals);
    for (const [i, member] of members.entries()) {
      member.held = { ...(guarded[i]?.held ?? member.held), rateAtMs: -Infinity, capacityAtMs: -Infinity };
    }
    this.#publish();
    this.#told = this.#outputs;
  }

  /** Takes the members of settings; of two with one id the first counts. @returns who is gone. */
  #admit(members: readonly MemberPolicy[]): string[] {
    const before = this.#members;
    this.#members = new Map();
    for (const policy of members) {
      if (this.#members.has(policy.id)) continue;
      const known = before.get(policy.id);
      known?.use(this.#policy, policy);
      this.#members.set(policy.id, known ?? new PoolMember(this.#policy, policy));
    }
    return [...before.keys()].filter((id) => !this.#members.has(id));
  }

  #applyOverrides(): void {
    const live = this.#overrides.filter(
      ({ pool, member, untilMs }) =>
        pool === this.#policy.name && untilMs > this.#nowMs && this.#members.has(member),
    );
    const orders = JSON.stringify(live);
    if (orders === this.#orders) return;
    const known = this.#orders !== undefined;
    this.#orders = orders;
    for (const member of this.#members.values()) member.order(undefined);
    for (const override of live) this.#members.get(override.member)?.order(override);
    if (known || !live.every(({ member }) => this.#members.get(member)?.inOrder)) this.#due = true;
  }

  /** What the settings say; the sum of the nominal rates where they say nothing that can be shared. */
  #configuredPerS(): number {
    const { totalPerS } = this.#policy;
    if (totalPerS > 0 && totalPerS < Infinity) return totalPerS;
    let sum = 0;
    for (const { policy } of this.#members.values()) sum += policy.nominalPerS;
    return sum;
  }

  #publish(): void {
    this.#outputs = Array.from(this.#members.values(), ({ policy, held, reason }) => ({
      id: policy.id,
      ratePerS: held.ratePerS,
      capacity: held.capacity,
      reason,
    }));
  }

  #decision(loans: PoolDecision['loans']): PoolDecision {
    const changed = !sameOutputs(this.#outputs, this.#told);
    this.#told = this.#outputs;
    const why = [this.#fallback.why, this.#healthWhy, this.#planWhy].filter((word) => word !== '');
    return {
      pool: this.#policy.name,
      atMs: this.#nowMs,
      outputs: this.#outputs,
      changed,
      loans,
      totalPerS: this.#totalPerS,
      state: this.#fellBack ? 'fallback' : 'normal',
      why: why.join('; ').slice(0, MAX_WHY_CHARACTERS),
    };
  }
}

function sameOutputs(a: readonly MemberOutput[], b: readonly MemberOutput[]): boolean {
  return (
    a === b ||
    (a.length === b.length &&
      a.every((output, i) => {
        const other = b[i];
        return (
          output.id === other?.id && output.ratePerS === other.ratePerS && output.capacity === other.capacity
        );
      }))
  );
}
