/** One pool in the control thread: looks, has its controller decide, does what was decided where this process leads. */
import type {
  LoanOrder,
  LoanOutcome,
  MemberForecast,
  MemberOutput,
  MemberSeen,
  PoolDecision,
  PoolMode,
  PoolTable,
  ServiceHealth,
} from '../../core/control';
import { TidegateError } from '../../core/errors';
import type { PublishedLearning } from '../../core/learning';
import type { BucketOperator, PoolLink } from '../../core/pool-link';
import type { Logger } from '../../core/ports';
import { PoolController } from '../../control/pool-controller';
import { ModeKeeper } from '../../control/shadow/mode-keeper';
import { ShadowMeter } from '../../control/shadow/shadow-meter';
import type { AtOnceSum } from './at-once';
import type { DemandTap } from './demand-tap';
import type { PoolLearning } from './learning/pool-learning';
import { learningIn, withLearning } from './learning/published-learning';
import { meteredMembers } from './metered-members';
import type { PoolJournal } from './pool-journal';
import { decisionViews } from './decision-views';
import { PoolBuckets } from './pool-buckets';
import { PoolMembers } from './pool-members';
import type { MemberSetup, PoolSetup } from './pool-setup';
import { tunedBuckets } from './tuned-buckets';

/** What a runner stands on. */
export interface RunnerParts {
  readonly link: PoolLink;
  readonly operator: BucketOperator;
  readonly tap: DemandTap;
  /** The next minute's demand of a class, as far as it is foreseen. */
  readonly forecast: (classId: string, nowMs: number) => MemberForecast | undefined;
  readonly health: (services: ReadonlySet<string>, nowMs: number) => readonly ServiceHealth[];
  readonly learning: PoolLearning;
  readonly journal: PoolJournal;
  readonly logger: Logger;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
}

/** Transfers under way at a time. */
const TRANSFERS_AT_ONCE = 64;
/** A table is published anew when so much of its life is over. */
const RENEW_PART = 1 / 3;
const AT_ONCE = 'at_once';
const NO_LEVELS: ReadonlyMap<string, number> = new Map();

/** See the file's head. */
export class PoolRunner {
  readonly controller: PoolController;
  readonly shadow = new ShadowMeter();
  private readonly keeper = new ModeKeeper();
  private readonly inPool: PoolMembers;
  private readonly buckets: PoolBuckets;
  private leading = false;
  private ticking = false;
  private lastTickMs = NaN;
  private lastTable: PoolTable | undefined;
  private publishedAtMs = -Infinity;
  private last: PoolDecision | undefined;
  private outputs = new Map<string, MemberOutput>();
  private seen = new Map<string, MemberSeen>();
  /** What another leader told of learning: until this process leads, and at its first tick then. */
  private learningTold: PublishedLearning | undefined;
  private modeNow: { readonly mode: PoolMode; readonly why: string };

  constructor(
    private setup: PoolSetup,
    private readonly parts: RunnerParts,
  ) {
    this.modeNow = { mode: setup.policy.mode, why: 'as configured' };
    this.controller = new PoolController(setup.policy, []);
    this.inPool = new PoolMembers(setup);
    this.buckets = new PoolBuckets(parts.operator, parts.monotonicMs);
    this.useMembers();
    parts.link.onTable((table) => this.heard(table));
  }

  get name(): string {
    return this.setup.policy.name;
  }

  get link(): PoolLink {
    return this.parts.link;
  }

  get policy() {
    return this.setup.policy;
  }

  /** Members by id, in their order. */
  get members(): ReadonlyMap<string, MemberSetup> {
    return this.inPool.all;
  }

  get learning(): PoolLearning {
    return this.parts.learning;
  }

  get mode(): PoolMode {
    return this.modeNow.mode;
  }

  get decision(): PoolDecision | undefined {
    return this.last;
  }

  outputOf(id: string): MemberOutput | undefined {
    return this.outputs.get(id);
  }

  seenOf(id: string): MemberSeen | undefined {
    return this.seen.get(id);
  }

  /** The newest published table. */
  get table(): PoolTable | undefined {
    return this.lastTable;
  }

  /** New settings or limits: members that stay keep what is known of them. */
  use(setup: PoolSetup): void {
    this.setup = setup;
    this.inPool.use(setup);
    this.useMembers();
  }

  /** Whether a class is a member. */
  wants(classId: string): boolean {
    return this.members.has(classId);
  }

  /** A heavy key of a rule is counted by itself now: where the rule belongs to the pool, it is a member from the next tick on. */
  keyAdded(classId: string, ruleId: string): void {
    this.inPool.keyAdded(classId, ruleId);
  }

  /** A key is counted by itself no more. */
  keyEnded(classId: string): void {
    this.inPool.keyEnded(classId);
  }

  /** The data path borrowed at once: tokens have moved, and the ledger is to know. */
  borrowed({ lender, borrower, tokens }: AtOnceSum): void {
    const from = this.inPool.idOf(lender);
    const to = this.inPool.idOf(borrower);
    if (from === undefined || to === undefined) return;
    const atMs = this.parts.nowMs();
    this.useMembers();
    this.controller.lentAtOnce({ lender: from, borrower: to, tokens }, atMs);
    const data = { lender: from, borrower: to, tokens, moved: tokens, lost: 0, why: AT_ONCE };
    this.parts.journal.tell({ atMs, kind: 'loan', pool: this.name, data });
  }

  /** One tick; one that comes while the last is under way is passed over. Never rejects. */
  async tick(): Promise<void> {
    if (this.ticking) return;
    this.ticking = true;
    try {
      await this.step();
    } catch (thrown) {
      const error = TidegateError.from(thrown);
      this.parts.logger.error({ pool: this.name, error }, 'a tick of a pool failed');
    } finally {
      this.ticking = false;
    }
  }

  private useMembers(): void {
    if (!this.inPool.takeChange()) return;
    this.controller.use(this.policy, this.inPool.policies, this.parts.nowMs());
    const { policies: members, queueLimits } = this.inPool;
    this.learning.use({ policy: this.policy, members, queueLimits });
  }

  private heard(table: PoolTable): void {
    this.lastTable = table;
    this.buckets.heard(table);
    if (!this.leading) this.learningTold = learningIn(table.state);
  }

  private async step(): Promise<void> {
    const { link, nowMs } = this.parts;
    this.useMembers();
    this.follow();
    const orders = link.orders();
    this.setMode(orders.mode);
    if (this.mode === 'off') {
      this.last = undefined;
      this.outputs.clear();
      if (this.leading) await this.publishWhenDue(nowMs(), false);
      return;
    }
    const atMs = nowMs();
    const levels =
      this.leading && this.policy.lending.enabled
        ? await this.buckets.levels(this.members.values())
        : NO_LEVELS;
    this.seen = new Map(Array.from(this.members.keys(), (id) => [id, this.see(id, levels, atMs)]));
    this.controller.setOverrides(orders.overrides);
    const health = this.parts.health(this.inPool.services, atMs);
    const told = this.learningTold;
    if (this.leading) this.learningTold = undefined;
    const pool = { members: [...this.seen.values()], health };
    const { seen, advice } = this.learning.before(atMs, pool, this.mode, orders.learning, told);
    this.controller.advise(advice, this.learning.maxFactor);
    const decision = this.controller.tick(atMs, seen);
    this.learning.after(decision);
    this.note(decision, atMs);
    if (!this.leading) return;
    await this.lend(decision.loans);
    await this.publishWhenDue(atMs, decision.changed || this.learning.takeChange());
  }

  /** Who begins to lead goes on from what was published: nothing changes by that alone. */
  private follow(): void {
    const { link, journal, nowMs } = this.parts;
    const { leader, epoch } = link.role();
    if (leader === this.leading) return;
    this.leading = leader;
    const table = link.table() ?? this.lastTable;
    if (leader && table !== undefined) {
      this.controller.restore(table.state, table.buckets, nowMs());
      this.learningTold = learningIn(table.state);
    }
    this.publishedAtMs = -Infinity;
    journal.tell({ atMs: nowMs(), kind: 'leader', pool: this.name, data: { leader, epoch } });
  }

  private setMode(order: ReturnType<PoolLink['orders']>['mode']): void {
    const { nowMs, journal, logger } = this.parts;
    const before = this.modeNow.mode;
    const { mode, autoPromote } = this.policy;
    this.modeNow = this.keeper.next(nowMs(), {
      configured: mode,
      order,
      advice: this.leading ? this.shadow.advice() : undefined,
      autoPromote,
      ...(this.leading || this.lastTable === undefined ? {} : { published: this.lastTable.mode }),
    });
    if (this.modeNow.mode === before) return;
    const data = { before, ...this.modeNow };
    logger.info({ pool: this.name, ...data }, 'the mode of a pool has changed');
    this.publishedAtMs = -Infinity;
    journal.tell({ atMs: nowMs(), kind: 'mode', pool: this.name, data });
  }

  private see(id: string, levels: ReadonlyMap<string, number>, nowMs: number): MemberSeen {
    const tokens = levels.get(id) ?? NaN;
    return { id, ...this.parts.tap.ratesOf(id), tokens, forecast: this.parts.forecast(id, nowMs) };
  }

  private note(decision: PoolDecision, atMs: number): void {
    const { journal } = this.parts;
    const before = this.last;
    const spanMs = Number.isFinite(this.lastTickMs) ? atMs - this.lastTickMs : this.policy.tickMs;
    this.lastTickMs = atMs;
    const applied = this.mode === 'active';
    journal.decided(decisionViews(decision, this.outputs, applied));
    this.last = decision;
    this.outputs = new Map(decision.outputs.map((output) => [output.id, output]));
    if (before?.state !== decision.state && before !== undefined)
      journal.tell({
        atMs,
        kind: 'state',
        pool: this.name,
        data: { state: decision.state, why: decision.why },
      });
    const sinceMs = Math.max(0, Math.min(spanMs, 10 * this.policy.tickMs));
    this.shadow.tick(atMs, meteredMembers(decision, this.members, this.seen, sinceMs), decision.loans);
  }

  private async lend(orders: readonly LoanOrder[]): Promise<void> {
    const { journal, nowMs } = this.parts;
    for (let from = 0; from < orders.length; from += TRANSFERS_AT_ONCE) {
      const part = orders.slice(from, from + TRANSFERS_AT_ONCE);
      const outcomes = await Promise.all(part.map((order) => this.transfer(order)));
      outcomes.forEach((outcome, at) => {
        this.controller.settled(outcome, nowMs());
        const order = part[at];
        if (order !== undefined)
          journal.tell({ atMs: nowMs(), kind: 'loan', pool: this.name, data: { ...order, ...outcome } });
      });
    }
  }

  /** In shadow nothing moves; the ledger goes on as if it had. */
  private async transfer(order: LoanOrder): Promise<LoanOutcome> {
    const { loanId, tokens } = order;
    if (this.mode !== 'active') return { loanId, moved: tokens, lost: 0 };
    const lender = this.members.get(order.lender);
    const borrower = this.members.get(order.borrower);
    if (lender === undefined || borrower === undefined)
      return { loanId, moved: 0, lost: 0, error: 'TG_CONTROL_UNKNOWN_MEMBER' };
    const { leader, epoch } = this.parts.link.role();
    if (!leader) return { loanId, moved: 0, lost: 0, error: 'TG_CONTROL_UNAVAILABLE' };
    const id = `${this.name}/${epoch}/${loanId}`;
    return this.buckets.transfer(id, order, lender, borrower);
  }

  private async publishWhenDue(nowMs: number, changed: boolean): Promise<void> {
    const { link } = this.parts;
    const { lifeMs, decayMs } = this.policy;
    const sinceMs = nowMs - this.publishedAtMs;
    if (!changed && sinceMs >= 0 && sinceMs < lifeMs * RENEW_PART) return;
    const table = await link.publish({
      madeAtMs: nowMs,
      lifeMs,
      decayMs,
      mode: this.mode,
      buckets: this.mode === 'active' ? tunedBuckets(this.policy, this.members, this.outputs, this.seen) : [],
      state: withLearning(this.controller.save(), this.learning.published),
    });
    if (table === undefined) return;
    this.lastTable = table;
    this.publishedAtMs = nowMs;
  }
}
