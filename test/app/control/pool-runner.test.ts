/** One pool in the control thread, on a clock and buckets of the test's own: what goes wrong at night. */
import type { AtOnceSum } from '../../../src/app/control/at-once';
import { DemandTap } from '../../../src/app/control/demand-tap';
import { PoolLearning } from '../../../src/app/control/learning/pool-learning';
import { PoolJournal } from '../../../src/app/control/pool-journal';
import { PoolRunner } from '../../../src/app/control/pool-runner';
import type { MemberSetup, PoolSetup } from '../../../src/app/control/pool-setup';
import { bucketParams } from '../../../src/bucket/params';
import type { ControlEvent } from '../../../src/core/control-desk';
import type { PoolMode, PoolTable } from '../../../src/core/control';
import { COUNTS } from '../../../src/core/observation';
import type { BucketOperator, TokenTransfer, TransferResult } from '../../../src/core/pool-link';
import { MemoryPool } from '../../../src/store/memory/memory-pool';

import { memberPolicy, poolPolicy } from '../../control/pool-samples';
import { until } from '../../parts/until';
import { recordedLogger } from '../forecasting/recorded-logger';

const DAY_MS = 86_400_000;
const START_MS = 1_800_000_000_000;

function memberOf(id: string): MemberSetup {
  const params = bucketParams({ algorithm: 'token_bucket', limit: 100, windowUs: 1_000_000 });
  return { policy: memberPolicy(id, { bucketKey: `key:${id}` }), params, group: '', queueLimit: 0 };
}

/** A leader with full buckets; a second passes at each tick. */
class Night {
  wallMs = START_MS;
  monotonicMs = 0;
  leads = true;
  tokensOf: (key: string) => number = () => 100;
  readonly transfers: TokenTransfer[] = [];
  readonly tables: PoolTable[] = [];
  readonly events: ControlEvent[] = [];
  readonly recorded = recordedLogger();
  transfer: (order: TokenTransfer) => Promise<TransferResult> = async ({ tokens }) => ({
    ...{ moved: tokens, lost: 0 },
  });
  readonly link = new MemoryPool({ pool: 'pool', nowMs: () => this.wallMs });
  readonly tap = new DemandTap();
  readonly runner: PoolRunner;
  demand: Readonly<Record<string, number>> = { a: 190, b: 10, c: 100, d: 90 };

  constructor(
    readonly setup: PoolSetup = {
      policy: poolPolicy(),
      members: ['a', 'b', 'c', 'd'].map(memberOf),
      templates: [],
    },
  ) {
    const operator: BucketOperator = {
      levels: async (buckets) => buckets.map(({ key }) => ({ tokens: this.tokensOf(key), capacity: 100 })),
      transfer: (order) => {
        this.transfers.push(order);
        return this.transfer(order);
      },
    };
    const role = this.link.role.bind(this.link);
    this.link.role = () => ({ ...role(), leader: this.leads });
    const publish = this.link.publish.bind(this.link);
    this.link.publish = async (table) => (this.leads ? publish(table) : undefined);
    const { logger } = this.recorded;
    const nowMs = (): number => this.wallMs;
    const learning = new PoolLearning(setup.policy, {
      rules: { mode: 'off', burnInMs: 1, windowMs: 1, confidence: 0.9, maxFactor: 2 },
      watch: {
        use: () => undefined,
        interval: () => undefined,
        figures: () => undefined,
        unwatched: () => '',
      },
      advisorOf: () => {
        throw new Error('there is no model');
      },
      modelOf: () => Promise.reject(new Error('there is no model')),
      drifted: () => false,
      tell: () => undefined,
      ...{ logger, nowMs, preciseMs: () => this.monotonicMs },
    });
    const keep = { keep: () => undefined, kept: () => [] };
    this.runner = new PoolRunner(this.setup, {
      ...{ link: this.link, operator, tap: this.tap, learning, logger, nowMs },
      forecast: () => undefined,
      health: () => [],
      journal: new PoolJournal({ ...keep, tell: (event) => this.events.push(event) }),
      monotonicMs: () => this.monotonicMs,
    });
    this.link.onTable((table) => this.tables.push(table));
    this.link.start();
  }

  async pass(ticks: number): Promise<void> {
    for (let at = 0; at < ticks; at += 1) {
      this.wallMs += 1_000;
      this.monotonicMs += 1_000;
      const classes = Object.keys(this.demand);
      const counts = new Float64Array(classes.length * COUNTS.length);
      classes.forEach((id, row) => {
        const hits = this.demand[id] ?? 0;
        counts.set([hits, Math.min(hits, 100), Math.max(0, hits - 100), 0, hits], row * COUNTS.length);
      });
      const batch = {
        source: 'one',
        sequence: 1,
        atMs: this.wallMs,
        stepMs: 1_000,
        added: [],
        classes,
        counts,
      };
      this.tap.note(batch, () => true, this.monotonicMs);
      this.tap.forgetSilent(this.monotonicMs);
      await this.runner.tick();
    }
  }

  get sum(): number {
    return (this.tables.at(-1)?.buckets ?? []).reduce((sum, { ratePerS }) => sum + ratePerS, 0);
  }

  rateOf(id: string): number {
    return this.tables.at(-1)?.buckets.find((bucket) => bucket.id === id)?.ratePerS ?? NaN;
  }

  order(mode: PoolMode): Promise<void> {
    return this.link.putMode({ pool: 'pool', mode, author: 'ann', reason: 'flaps', setAtMs: this.wallMs });
  }

  /** What went wrong, as the log has it. */
  get faults(): readonly unknown[] {
    return this.recorded.lines.filter(({ message }) => message.includes('failed'));
  }
}

test.each([
  ['ahead', DAY_MS],
  ['back', -DAY_MS],
])('a clock that jumps a day %s changes no limit, and tables go on rising', async (_way, byMs) => {
  const night = new Night();
  await night.pass(40);
  const [rate, sum] = [night.rateOf('a'), night.sum];
  expect(rate).toBeGreaterThan(130);
  night.wallMs += byMs;
  await night.pass(60);
  expect(night.rateOf('a')).toBeCloseTo(rate, 0);
  expect(night.sum).toBeCloseTo(sum, 0);
  expect(night.sum).toBeLessThanOrEqual(400);
  const versions = night.tables.map(({ version }) => version);
  expect(versions).toEqual([...versions].sort((x, y) => x - y));
  expect(night.tables.length).toBeGreaterThan(5);
  expect(night.faults).toEqual([]);
});

test('a leader that stalls in the midst of its transfers, and leads no more, moves and publishes nothing further', async () => {
  const members = Array.from({ length: 400 }, (_, at) => memberOf(`m${at}`));
  const night = new Night({ policy: poolPolicy({ totalPerS: 40_000 }), members, templates: [] });
  night.demand = Object.fromEntries(members.map(({ policy }, at) => [policy.id, at % 2 === 0 ? 0 : 300]));
  night.tokensOf = (key) => (Number(key.slice('key:m'.length)) % 2 === 0 ? 100 : 0);
  let wake: (() => void) | undefined;
  night.transfer = ({ tokens }) =>
    new Promise((resolve) => {
      const before = wake;
      wake = () => {
        before?.();
        resolve({ moved: tokens, lost: 0 });
      };
    });
  const ticks = night.pass(20);
  await until('tokens are on their way', () => wake !== undefined);
  const [moved, published] = [night.transfers.length, night.tables.length];
  expect(moved).toBeGreaterThan(0);
  night.leads = false;
  wake?.();
  await ticks;
  expect(night.transfers).toHaveLength(moved);
  expect(night.tables).toHaveLength(published);
  expect(night.faults).toEqual([]);
});

test('a mode that flaps is followed tick by tick, and leaves nothing behind', async () => {
  const night = new Night();
  await night.pass(15);
  const before = night.tables.length;
  for (let at = 0; at < 50; at += 1) {
    for (const mode of ['off', 'active', 'shadow', 'active', at % 2 === 0 ? 'off' : 'active'] as const)
      await night.order(mode);
    await night.pass(1);
  }
  expect(night.tables.length - before).toBeLessThanOrEqual(50);
  await night.order('off');
  await night.pass(1);
  expect(night.tables.at(-1)).toMatchObject({ mode: 'off', buckets: [] });
  await night.order('active');
  await night.pass(15);
  expect(night.sum).toBeLessThanOrEqual(400);
  expect(night.rateOf('a')).toBeGreaterThan(100);
  expect(night.faults).toEqual([]);
});

test('tokens that were borrowed at once are a loan like any other, until a reload takes a party away', async () => {
  const night = new Night();
  night.demand = { a: 50, b: 50, c: 50, d: 50 };
  await night.pass(3);
  const loan: AtOnceSum = { lender: 'key:b', borrower: 'key:a', tokens: 7 };
  night.runner.borrowed(loan);
  night.runner.borrowed({ ...loan, lender: 'key:nobody' });
  expect(night.runner.controller.loans()).toMatchObject([
    { lender: 'b', borrower: 'a', amount: 7, why: 'at_once', state: 'open' },
  ]);
  expect(night.events.filter(({ kind }) => kind === 'loan')).toHaveLength(1);
  night.runner.use({ ...night.setup, members: ['a', 'c'].map(memberOf) });
  await night.pass(2);
  expect(night.runner.controller.loans().filter(({ state }) => state === 'open')).toEqual([]);
  expect(night.tables.at(-1)?.buckets.map(({ id }) => id)).toEqual(['a', 'c']);
});

test('ten thousand keys that appear at once are told to the controller once', async () => {
  const template = memberOf('d.user');
  const night = new Night({ policy: poolPolicy(), members: [memberOf('a')], templates: [template] });
  await night.pass(2);
  const use = jest.spyOn(night.runner.controller, 'use');
  for (let at = 0; at < 10_000; at += 1) night.runner.keyAdded(`d.user|d|user=${at}`, 'd.user');
  await night.pass(1);
  expect(use).toHaveBeenCalledTimes(1);
  expect(night.runner.members.size).toBe(1_001);
  expect(night.sum).toBeLessThanOrEqual(400);
});
