/** One pool in the control thread: looks, has its controller decide, does what was decided where this process leads. */
import type { BucketParams } from '../../core/buckets';
import type {
  LoanOrder,
  LoanOutcome,
  LoanView,
  MemberForecast,
  MemberOutput,
  MemberSeen,
  PoolDecision,
  PoolMode,
  PoolTable,
  ServiceHealth,
  TunedBucket,
} from '../../core/control';
import { TidegateError } from '../../core/errors';
import type { BucketLevel, BucketOperator, BucketRef, PoolLink } from '../../core/pool-link';
import type { Logger } from '../../core/ports';
import { PoolController } from '../../control/pool-controller';
import { ModeKeeper } from '../../control/shadow/mode-keeper';
import { ShadowMeter } from '../../control/shadow/shadow-meter';
import type { AtOnceSum } from './at-once';
import type { DemandTap } from './demand-tap';
import { lendersOf } from './lenders';
import { meteredMembers } from './metered-members';
import type { PoolJournal } from './pool-journal';
import { decisionViews } from './decision-views';
import { keyMember, type MemberSetup, type PoolSetup } from './pool-setup';

/** What a runner stands on. */
export interface RunnerParts {
  readonly link: PoolLink;
  readonly operator: BucketOperator;
  readonly tap: DemandTap;
  /** The next minute's demand of a class, as far as it is foreseen. */
  readonly forecast: (classId: string, nowMs: number) => MemberForecast | undefined;
  readonly health: (services: ReadonlySet<string>, nowMs: number) => readonly ServiceHealth[];
  readonly journal: PoolJournal;
  readonly logger: Logger;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
}

/** Heavy keys of a pool's rules that are members, at most. */
const MAX_KEYS = 1_000;
/** Loans made at once that are remembered. */
const MAX_AT_ONCE = 1_000;
/** Transfers under way at a time. */
const TRANSFERS_AT_ONCE = 64;
/** A table is published anew when so much of its life is over. */
const RENEW_PART = 1 / 3;

/** See the file's head. */
export class PoolRunner {
  readonly controller: PoolController;
  readonly shadow = new ShadowMeter();
  private readonly keeper = new ModeKeeper();
  private readonly keys = new Map<string, MemberSetup>();
  private byId = new Map<string, MemberSetup>();
  private byKey = new Map<string, string>();
  private readonly loansAtOnce: LoanView[] = [];
  private lastAtOnce = 0;
  private leading = false;
  private ticking = false;
  private lastTickMs = NaN;
  private lastTable: PoolTable | undefined;
  private publishedAtMs = -Infinity;
  private last: PoolDecision | undefined;
  private outputs = new Map<string, MemberOutput>();
  private seen = new Map<string, MemberSeen>();
  private modeNow: { readonly mode: PoolMode; readonly why: string };

  constructor(
    private setup: PoolSetup,
    private readonly parts: RunnerParts,
  ) {
    this.modeNow = { mode: setup.policy.mode, why: 'as configured' };
    this.controller = new PoolController(setup.policy, []);
    this.use(setup);
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
    return this.byId;
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
    const ruleIds = new Set(setup.templates.map(({ policy }) => policy.ruleId));
    for (const [id, key] of this.keys) if (!ruleIds.has(key.policy.ruleId)) this.keys.delete(id);
    this.byId = new Map(
      [...setup.members, ...this.keys.values()].map((member) => [member.policy.id, member]),
    );
    this.useMembers();
  }

  /** Whether a class is, or could become, a member. */
  wants(classId: string): boolean {
    return this.byId.has(classId);
  }

  /** A heavy key of a rule is counted by itself now: where the rule belongs to the pool, it becomes a member. */
  keyAdded(classId: string, ruleId: string): void {
    const template = this.setup.templates.find(({ policy }) => policy.ruleId === ruleId);
    if (template === undefined || this.byId.has(classId) || this.keys.size >= MAX_KEYS) return;
    const member = keyMember(template, classId);
    this.keys.set(classId, member);
    this.byId.set(classId, member);
    this.useMembers();
  }

  /** A key is counted by itself no more. */
  keyEnded(classId: string): void {
    if (!this.keys.delete(classId)) return;
    this.byId.delete(classId);
    this.useMembers();
  }

  /** Loans that the data path made at once, newest first. */
  get atOnce(): readonly LoanView[] {
    const nowMs = this.parts.nowMs();
    return this.loansAtOnce.map((loan) => (loan.dueMs > nowMs ? loan : { ...loan, state: 'expired' }));
  }

  /** The data path borrowed at once. */
  borrowed({ lender, borrower, tokens }: AtOnceSum): void {
    const idOf = (key: string): string | undefined => this.byKey.get(key);
    const [from, to] = [idOf(lender), idOf(borrower)];
    if (from === undefined || to === undefined) return;
    const atMs = this.parts.nowMs();
    this.lastAtOnce += 1;
    const loan: LoanView = {
      loanId: `at-once-${this.lastAtOnce}`,
      pool: this.name,
      lender: from,
      borrower: to,
      amount: tokens,
      returned: 0,
      atMs,
      dueMs: atMs + this.policy.tickMs,
      why: 'at_once',
      state: 'open',
    };
    this.loansAtOnce.unshift(loan);
    this.loansAtOnce.length = Math.min(this.loansAtOnce.length, MAX_AT_ONCE);
    this.parts.journal.tell({ atMs, kind: 'loan', pool: this.name, data: loan });
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
    const members = [...this.byId.values()].map(({ policy }) => policy);
    this.byKey = new Map(members.map(({ bucketKey, id }) => [bucketKey, id]));
    this.controller.use(this.setup.policy, members, this.parts.nowMs());
  }

  private heard(table: PoolTable): void {
    this.lastTable = table;
  }

  private async step(): Promise<void> {
    const { link, tap, nowMs, monotonicMs } = this.parts;
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
    const heard = tap.heard(monotonicMs());
    const levels =
      this.leading && this.policy.lending.enabled ? await this.levels() : new Map<string, number>();
    this.seen = new Map([...this.byId.keys()].map((id) => [id, this.see(id, levels, heard, atMs)]));
    const services = new Set([...this.byId.values()].map(({ policy }) => policy.service));
    this.controller.setOverrides(orders.overrides);
    const decision = this.controller.tick(atMs, {
      members: [...this.seen.values()],
      health: this.parts.health(services, atMs),
    });
    this.note(decision, atMs);
    if (!this.leading) return;
    await this.lend(decision.loans);
    await this.publishWhenDue(atMs, decision.changed);
  }

  /** Who begins to lead goes on from what was published: nothing changes by that alone. */
  private follow(): void {
    const { link, journal, nowMs } = this.parts;
    const { leader, epoch } = link.role();
    if (leader === this.leading) return;
    this.leading = leader;
    const table = link.table() ?? this.lastTable;
    if (leader && table !== undefined) this.controller.restore(table.state, table.buckets, nowMs());
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

  private see(id: string, levels: ReadonlyMap<string, number>, heard: boolean, nowMs: number): MemberSeen {
    const rates = this.parts.tap.ratesOf(id);
    const unknown = { demandPerS: NaN, admittedPerS: NaN, deniedPerS: NaN, queuedPerS: NaN };
    return {
      id,
      ...(heard ? rates : unknown),
      tokens: levels.get(id) ?? NaN,
      forecast: this.parts.forecast(id, nowMs),
    };
  }

  private async levels(): Promise<Map<string, number>> {
    const lending = [...this.byId.values()].filter(({ policy }) => policy.lends);
    const answers = await this.parts.operator.levels(lending.map((member) => this.refOf(member)));
    const levels = new Map<string, number>();
    lending.forEach(({ policy }, at) => {
      const answer: BucketLevel | TidegateError | undefined = answers[at];
      if (answer !== undefined && !(answer instanceof TidegateError)) levels.set(policy.id, answer.tokens);
    });
    return levels;
  }

  /** A bucket as its data path asks for it: with what was published last, where the pool is active. */
  private refOf({ policy, params, group }: MemberSetup): BucketRef {
    const { lastTable } = this;
    const output = this.outputs.get(policy.id);
    const tuned: BucketParams =
      this.mode !== 'active' || output === undefined || lastTable === undefined
        ? params
        : {
            ...params,
            capacity: output.capacity,
            rateUtPerS: Math.floor(output.ratePerS * 1_000_000),
            version: lastTable.version,
          };
    return { key: policy.bucketKey, group: group === '' ? policy.bucketKey : group, params: tuned };
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
    this.shadow.tick(atMs, meteredMembers(decision, this.byId, this.seen, sinceMs), decision.loans);
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
    const { loanId, tokens, keep } = order;
    if (this.mode !== 'active') return { loanId, moved: tokens, lost: 0 };
    const lender = this.byId.get(order.lender);
    const borrower = this.byId.get(order.borrower);
    if (lender === undefined || borrower === undefined)
      return { loanId, moved: 0, lost: 0, error: 'TG_CONTROL_UNKNOWN_MEMBER' };
    const id = `${this.name}/${this.parts.link.role().epoch}/${loanId}`;
    const result = await this.parts.operator.transfer({
      id,
      from: this.refOf(lender),
      to: this.refOf(borrower),
      tokens,
      keep,
    });
    return result instanceof TidegateError
      ? { loanId, moved: 0, lost: 0, error: result.code }
      : { loanId, ...result };
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
      buckets: this.mode === 'active' ? this.tunedBuckets() : [],
      state: this.controller.save(),
    });
    if (table === undefined) return;
    this.lastTable = table;
    this.publishedAtMs = nowMs;
  }

  private tunedBuckets(): readonly TunedBucket[] {
    const { lending } = this.policy;
    const lenders =
      lending.enabled && lending.atOnce ? lendersOf([...this.byId.values()], this.outputs, this.seen) : [];
    return [...this.outputs.values()].flatMap(({ id, ratePerS, capacity }): TunedBucket[] => {
      const member = this.byId.get(id)?.policy;
      if (member === undefined) return [];
      const { ruleId, bucketKey } = member;
      const others = member.lends ? lenders.filter((lender) => lender.bucketKey !== bucketKey) : [];
      return [{ id, ruleId, bucketKey, ratePerS, capacity, lenders: others }];
    });
  }
}
