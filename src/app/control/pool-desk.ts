/** Answers what is asked of pools, and takes people's orders. */
import type { ControlAskName, ControlAsks, ControlDeskPort } from '../../core/control-desk';
import type { ModeOrder, Override } from '../../core/control';
import type { LearningOrder } from '../../core/learning';
import { TidegateError } from '../../core/errors';
import type { PageAsk } from '../../core/forecast-desk';
import { ChangeGate } from './change-gate';
import type { PoolJournal } from './pool-journal';
import type { PoolRunner } from './pool-runner';
import { allocationViews, bucketViews, poolView } from './pool-views';

type Answers = { [N in ControlAskName]: (ask: ControlAsks[N]['ask']) => Promise<ControlAsks[N]['answer']> };

const CHANGES: ReadonlySet<ControlAskName> = new Set([
  'putOverride',
  'dropOverride',
  'putMode',
  'putLearning',
]);
const MAX_TTL_MS = 30 * 86_400_000;
const MAX_RATE_PER_S = 1e9;
const MAX_CAPACITY = 4_294_967_295;

/** See the file's head. */
export class PoolDesk implements ControlDeskPort {
  private readonly answers: Answers;
  private readonly gate = new ChangeGate();

  constructor(
    private readonly runners: ReadonlyMap<string, PoolRunner>,
    private readonly journal: PoolJournal,
    private readonly nowMs: () => number,
  ) {
    this.answers = {
      pools: async () => ({ pools: this.chosen(undefined).map((runner) => poolView(runner, this.nowMs())) }),
      buckets: async (ask) => {
        const [total, buckets] = page(this.chosen(ask.pool).flatMap(bucketViews), ask);
        return { total, buckets };
      },
      loans: async (ask) => {
        const all = this.chosen(ask.pool).flatMap(({ controller }) => controller.loans());
        const [total, loans] = page(all, ask);
        return { total, loans };
      },
      allocations: async (ask) => ({ allocations: this.chosen(ask.pool).flatMap(allocationViews) }),
      decisions: async (ask) => {
        const { pool, id } = ask;
        const all = this.journal.decisions.filter(
          (one) => (pool === undefined || one.pool === pool) && (id === undefined || one.id === id),
        );
        const [total, decisions] = page(all, ask);
        return { total, decisions };
      },
      overrides: async (ask) => ({
        overrides: this.chosen(ask.pool).flatMap((runner) => runner.link.orders().overrides),
      }),
      putOverride: (ask) => this.putOverride(ask),
      dropOverride: (ask) => this.dropOverride(ask),
      putMode: (ask) => this.putMode(ask),
      learning: async (ask) => ({ learning: this.runnerOf(ask.pool).learning.view(true) }),
      putLearning: (ask) => this.putLearning(ask),
      audit: async (ask) => {
        const [total, audit] = page(this.journal.audit(ask.sinceMs), ask);
        return { total, audit };
      },
    };
  }

  async askControl<N extends ControlAskName>(
    name: N,
    ask: ControlAsks[N]['ask'],
  ): Promise<ControlAsks[N]['answer']> {
    if (this.runners.size === 0) throw new TidegateError('TG_CONTROL_OFF', 'no pool is configured');
    if (CHANGES.has(name)) this.gate.pass(this.nowMs());
    return this.answers[name](ask);
  }

  private async putOverride(
    ask: ControlAsks['putOverride']['ask'],
  ): Promise<ControlAsks['putOverride']['answer']> {
    const { ttlMs, ...said } = ask;
    const runner = this.runnerOf(ask.pool);
    if (!runner.members.has(ask.member))
      throw new TidegateError('TG_CONTROL_UNKNOWN_MEMBER', `${ask.pool} has no member ${ask.member}`);
    refuseBad(ask);
    const setAtMs = this.nowMs();
    const override: Override = { ...said, setAtMs, untilMs: setAtMs + ttlMs };
    const before = runner.link.orders().overrides.find(({ member }) => member === ask.member);
    await runner.link.putOverride(override);
    const { pool, member, author, reason } = ask;
    this.journal.changed({
      atMs: setAtMs,
      author,
      action: 'override.put',
      subject: `${pool}/${member}`,
      reason,
      before: text(before),
      after: text(override),
    });
    this.journal.tell({ atMs: setAtMs, kind: 'override', pool, data: override });
    return { override };
  }

  private async dropOverride(
    ask: ControlAsks['dropOverride']['ask'],
  ): Promise<ControlAsks['dropOverride']['answer']> {
    const { pool, member, author, reason } = ask;
    const { link } = this.runnerOf(pool);
    const before = link.orders().overrides.find((one) => one.member === member);
    const dropped = await link.dropOverride(member);
    const atMs = this.nowMs();
    if (dropped) {
      const action = 'override.drop';
      const subject = `${pool}/${member}`;
      this.journal.changed({ atMs, author, action, subject, reason, before: text(before), after: '' });
      this.journal.tell({ atMs, kind: 'override', pool, data: { member, dropped } });
    }
    return { dropped };
  }

  private async putMode(ask: ControlAsks['putMode']['ask']): Promise<ControlAsks['putMode']['answer']> {
    const { link } = this.runnerOf(ask.pool);
    const order: ModeOrder = { ...ask, setAtMs: this.nowMs() };
    const before = link.orders().mode;
    await link.putMode(order);
    const { pool, author, reason, setAtMs } = order;
    this.journal.changed({
      atMs: setAtMs,
      author,
      action: 'mode',
      subject: pool,
      reason,
      before: text(before),
      after: text(order),
    });
    return { mode: order };
  }

  private async putLearning(
    ask: ControlAsks['putLearning']['ask'],
  ): Promise<ControlAsks['putLearning']['answer']> {
    const { link } = this.runnerOf(ask.pool);
    const order: LearningOrder = { ...ask, setAtMs: this.nowMs() };
    const before = text(link.orders().learning);
    await link.putLearning(order);
    const { pool: subject, author, reason, setAtMs: atMs } = order;
    const after = text(order);
    this.journal.changed({ atMs, author, action: 'learning', subject, reason, before, after });
    return { learning: order };
  }

  private chosen(pool: string | undefined): readonly PoolRunner[] {
    return pool === undefined ? [...this.runners.values()] : [this.runnerOf(pool)];
  }

  private runnerOf(pool: string): PoolRunner {
    const runner = this.runners.get(pool);
    if (runner === undefined) throw new TidegateError('TG_CONTROL_UNKNOWN_POOL', `there is no pool ${pool}`);
    return runner;
  }
}

function refuseBad({
  ratePerS,
  capacity,
  lending,
  priority,
  ttlMs,
}: ControlAsks['putOverride']['ask']): void {
  const bad = (what: string): never => {
    throw new TidegateError('TG_CONTROL_BAD_OVERRIDE', what);
  };
  if (ratePerS === undefined && capacity === undefined && lending === undefined && priority === undefined)
    bad('it changes nothing');
  if (ratePerS !== undefined && !(ratePerS >= 0 && ratePerS <= MAX_RATE_PER_S))
    bad(`the rate must be 0 to ${MAX_RATE_PER_S} a second, not ${ratePerS}`);
  if (capacity !== undefined && !(Number.isInteger(capacity) && capacity >= 0 && capacity <= MAX_CAPACITY))
    bad(`the capacity must be a whole number from 0 to ${MAX_CAPACITY}, not ${capacity}`);
  if (!(ttlMs > 0 && ttlMs <= MAX_TTL_MS)) bad('it must end within 30 days');
}

function page<T>(all: readonly T[], { offset, limit }: PageAsk): [total: number, part: readonly T[]] {
  return [all.length, all.slice(offset, offset + limit)];
}

function text(value: object | undefined): string {
  return value === undefined ? '' : JSON.stringify(value);
}
