import fc from 'fast-check';
import type { LoanOrder } from '../../../src/core/control';
import { DEBT_HALF_LIFE_MS } from '../../../src/control/lend/debt-account';
import { BREAKER_BACKOFF_MS, BREAKER_FAILURES } from '../../../src/control/lend/lending-breaker';
import { LendingDesk, type LendMember } from '../../../src/control/lend/lending-desk';
import { MAX_ENDED_LOANS, MAX_OPEN_LOANS } from '../../../src/control/lend/loan-ledger';
import { MAX_STATE_CHARS } from '../../../src/control/lend/lending-state';
import { PRIORITIES } from '../../../src/core/priority';
import { member, POLICY, thirsty } from './lend-members';

const desk = () => new LendingDesk('pool', POLICY, 1_000);

function arrive(to: LendingDesk, orders: readonly LoanOrder[], nowMs: number): void {
  for (const { loanId, tokens } of orders) to.settled({ loanId, moved: tokens, lost: 0 }, nowMs);
}

function fail(to: LendingDesk, orders: readonly LoanOrder[], nowMs: number): void {
  for (const { loanId } of orders)
    to.settled({ loanId, moved: 0, lost: 0, error: 'TG_STORE_TIMEOUT' }, nowMs);
}

const borrowedBy = (orders: readonly LoanOrder[], id: string): number =>
  orders.filter(({ borrower }) => borrower === id).reduce((sum, { tokens }) => sum + tokens, 0);

describe('what is lent', () => {
  it('is what a borrower lacks for its ticks ahead, in whole tokens, with reason, due and what is kept', () => {
    const [order, ...more] = desk().tick(5_000, [member('rich'), thirsty('poor', 40)]);
    expect(more).toEqual([]);
    expect(order).toMatchObject({ lender: 'rich', borrower: 'poor', why: 'denied', dueMs: 6_000 });
    expect(order?.tokens).toBe(50);
    expect(order?.keep).toBe(20);
  });

  it.each<[string, LendMember]>([
    ['is switched off by a person', thirsty('poor', 40)],
    ['has no token bucket', thirsty('poor', 40, { lends: false })],
    ['may borrow nothing', thirsty('poor', 40, { borrowable: 0 })],
    ['is not seen', { ...thirsty('poor', 40), tokens: NaN }],
    ['has a level that is no figure', { ...thirsty('poor', 40), tokens: Infinity }],
    ['has a rate that is none', { ...thirsty('poor', 40), ratePerS: NaN }],
    ['has no bucket', { ...thirsty('poor', 40), capacity: 0 }],
    ['needs nothing beyond its refill', member('poor', { tokens: 3, demandPerS: 80, effectivePerS: 90 })],
    ['is not short of tokens, though demand grows', member('poor', { tokens: 60, effectivePerS: 190 })],
  ])('goes to none that %s', (what, poor) => {
    const borrower = what.startsWith('is switched') ? { ...poor, lending: false } : poor;
    expect(desk().tick(0, [member('rich'), borrower])).toEqual([]);
  });

  it.each<[string, LendMember]>([
    ['is switched off by a person', member('rich', { lending: false })],
    ['has no token bucket', member('rich', { policy: { lends: false } })],
    ['lends nothing', member('rich', { policy: { lendable: 0 } })],
    ['is not seen', member('rich', { tokens: NaN })],
    ['has a demand that nobody knows', member('rich', { demandPerS: NaN, effectivePerS: NaN })],
    ['needs it all itself', member('rich', { effectivePerS: 200 })],
    ['has an absurd demand', member('rich', { effectivePerS: 1e300 })],
    ['is at its own low-water mark', member('rich', { tokens: 20 })],
  ])('comes from none that %s', (_what, rich) => {
    expect(desk().tick(0, [rich, thirsty('poor', 40)])).toEqual([]);
  });

  it('is nothing where lending is off, and where time is no figure', () => {
    const members = [member('rich'), thirsty('poor', 40)];
    expect(new LendingDesk('pool', { ...POLICY, enabled: false }, 1_000).tick(0, members)).toEqual([]);
    expect(desk().tick(NaN, members)).toEqual([]);
  });

  it('leaves a more important lender more of what it expects to need', () => {
    const kept = PRIORITIES.map((priority) => {
      const lender = member('rich', { effectivePerS: 130, policy: { priority } });
      return desk().tick(0, [lender, thirsty('poor', 200, { borrowable: 9 })])[0]?.keep ?? NaN;
    });
    expect(kept).toEqual([60, 45, 38, 30]);
  });

  it('is at most what a borrower may have, with what it has borrowed counted', () => {
    const lending = desk();
    const poor = thirsty('poor', 90, { borrowable: 0.3 });
    const first = lending.tick(0, [member('rich'), poor]);
    expect(borrowedBy(first, 'poor')).toBe(30);
    expect(lending.tick(400, [member('rich'), poor])).toEqual([]);
  });

  it('fits the room that a bucket has', () => {
    const poor = { ...thirsty('poor', 90), tokens: 93 };
    expect(borrowedBy(desk().tick(0, [member('rich'), poor]), 'poor')).toBe(7);
  });

  it('counts what is on its way: neither party is asked for, or given, the same tokens twice', () => {
    const lending = desk();
    const poor = (id: string) => thirsty(id, 40, { borrowable: 9 });
    const [first] = lending.tick(0, [member('rich', { tokens: 85 }), poor('a'), member('b', { tokens: 25 })]);
    expect(first).toMatchObject({ borrower: 'a', tokens: 50 });
    const second = lending.tick(300, [member('rich', { tokens: 85 }), poor('a'), poor('b')]);
    expect(second).toMatchObject([{ borrower: 'b', tokens: 13 }]);
  });

  it('goes to the most important first, and to the next only what they leave', () => {
    const amount = fc.integer({ min: 0, max: 300 });
    const needs = fc.array(fc.tuple(fc.constantFrom(...PRIORITIES), amount), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(needs, amount, (borrowers, spare) => {
        const members = borrowers.map(([priority, beyond], at) =>
          thirsty(`b${String(at)}`, beyond, { priority, nominalCapacity: 1_000, borrowable: 9 }),
        );
        const alone = members.map((one) =>
          borrowedBy(desk().tick(0, [one, member('rich', { tokens: 1e5, capacity: 1e5 })]), one.policy.id),
        );
        const orders = desk().tick(0, [...members, member('rich', { tokens: spare })]);
        let short: number | undefined;
        PRIORITIES.forEach((priority, rank) => {
          members.forEach(({ policy }, at) => {
            if (policy.priority !== priority) return;
            const got = borrowedBy(orders, policy.id);
            if (short !== undefined && short < rank) expect(got).toBe(0);
            expect(got).toBeLessThanOrEqual(alone[at] ?? NaN);
          });
          const lacking = members.some(
            ({ policy }, at) =>
              policy.priority === priority && borrowedBy(orders, policy.id) < (alone[at] ?? 0),
          );
          if (lacking) short ??= rank;
        });
        const lent = orders.reduce((sum, { tokens }) => sum + tokens, 0);
        const wanted = alone.reduce((sum, tokens) => sum + tokens, 0);
        expect(lent).toBe(
          Math.min(wanted, Math.max(0, Math.floor((Math.min(spare, 1e9) - 20) * POLICY.part))),
        );
      }),
    );
  });

  it('takes from the least important lenders first, in no more orders than there are parties', () => {
    const lenders = PRIORITIES.map((priority) => member(`rich-${priority}`, { policy: { priority } }));
    const orders = desk().tick(0, [...lenders, thirsty('poor', 100)]);
    expect(orders.map(({ lender }) => lender)).toEqual(['rich-LOW', 'rich-MEDIUM']);
  });

  it('starves none of those that matter alike, however little there is', () => {
    const lending = desk();
    const had = new Map<string, number>();
    for (let tick = 0; tick < 300; tick += 1) {
      const poor = ['a', 'b', 'c'].map((id) => thirsty(id, 50));
      const orders = lending.tick(tick * 1_000, [member('rich', { tokens: 27 }), ...poor]);
      arrive(lending, orders, tick * 1_000 + 5);
      for (const { borrower, tokens } of orders) had.set(borrower, (had.get(borrower) ?? 0) + tokens);
    }
    const amounts = [...had.values()];
    expect(amounts).toHaveLength(3);
    expect(Math.max(...amounts) - Math.min(...amounts)).toBeLessThanOrEqual(3);
  });
});

describe('how a loan ends', () => {
  it('goes home at the next tick when its lender needs it and its borrower does not', () => {
    const lending = desk();
    arrive(lending, lending.tick(0, [member('rich'), thirsty('poor', 40)]), 10);
    expect(lending.balanceOf('rich')).toBe(50);
    expect(lending.balanceOf('poor')).toBe(-50);
    const now = [thirsty('rich', 60), member('poor', { tokens: 45 })];
    const [home, ...others] = lending.tick(1_000, now);
    expect(others).toEqual([]);
    expect(home).toMatchObject({ lender: 'poor', borrower: 'rich', tokens: 45, why: 'reclaim' });
    lending.settled({ loanId: home?.loanId ?? '', moved: 45, lost: 0 }, 1_020);
    expect(lending.views()).toMatchObject([{ amount: 50, returned: 45, state: 'expired' }]);
    expect(lending.debtOf('poor')).toBe(5);
    expect(lending.view().reclaimMs).toBe(20);
    expect(lending.balanceOf('rich')).toBe(0);
  });

  it('is returned when all of it went home', () => {
    const lending = desk();
    arrive(lending, lending.tick(0, [member('rich'), thirsty('poor', 8)]), 10);
    arrive(lending, lending.tick(1_000, [thirsty('rich', 60), member('poor')]), 1_010);
    expect(lending.views().filter(({ lender }) => lender === 'rich')).toMatchObject([
      { amount: 10, returned: 10, state: 'returned' },
    ]);
    expect(lending.debtOf('poor')).toBe(0);
  });

  it('is a debt when it does not come home, which fades by half in its half-life', () => {
    const lending = desk();
    arrive(lending, lending.tick(0, [member('rich'), thirsty('poor', 40)]), 10);
    const quiet = [member('rich'), member('poor', { tokens: 50 })];
    lending.tick(1_000, quiet);
    expect(lending.views()).toMatchObject([{ state: 'expired', returned: 0, amount: 50 }]);
    expect(lending.debtOf('poor')).toBe(50);
    expect(lending.debtOf('rich')).toBe(-50);
    lending.tick(1_000 + DEBT_HALF_LIFE_MS, quiet);
    expect(lending.debtOf('poor')).toBeCloseTo(25, 9);
  });

  it('is reclaimed and owed like any other where it was made at once, without an order', () => {
    const lending = desk();
    lending.tick(0, [member('rich'), member('poor')]);
    lending.lentAtOnce({ lender: 'rich', borrower: 'poor', tokens: 30 }, 100);
    expect(lending.balanceOf('rich')).toBe(30);
    expect(lending.views()).toMatchObject([{ lender: 'rich', amount: 30, why: 'at_once', state: 'open' }]);
    const [home] = lending.tick(1_000, [thirsty('rich', 60), member('poor', { tokens: 20 })]);
    expect(home).toMatchObject({ lender: 'poor', borrower: 'rich', tokens: 20, why: 'reclaim' });
    lending.settled({ loanId: home?.loanId ?? '', moved: 20, lost: 0 }, 1_020);
    expect(lending.views()).toMatchObject([{ returned: 20, state: 'expired' }]);
    expect(lending.debtOf('poor')).toBe(10);
  });

  it.each([NaN, Infinity, -1, 0, 0.5])('is none of %p tokens at once', (tokens) => {
    const lending = desk();
    lending.lentAtOnce({ lender: 'rich', borrower: 'poor', tokens }, 0);
    lending.lentAtOnce({ lender: 'poor', borrower: 'poor', tokens: 5 }, 0);
    lending.lentAtOnce({ lender: 'rich', borrower: 'poor', tokens: 5 }, NaN);
    expect(lending.views()).toEqual([]);
  });

  it('is a debt at once where the ledger is full', () => {
    const lending = desk();
    for (let at = 0; at <= MAX_OPEN_LOANS; at += 1)
      lending.lentAtOnce({ lender: 'rich', borrower: 'poor', tokens: 2 }, at);
    expect(lending.balanceOf('rich')).toBe(2 * MAX_OPEN_LOANS);
    expect(lending.debtOf('poor')).toBe(2);
  });

  it('weighs against who borrows again and again', () => {
    const lending = desk();
    arrive(lending, lending.tick(0, [member('rich'), thirsty('chronic', 60), member('new')]), 10);
    const orders = lending.tick(1_000, [member('rich'), thirsty('chronic', 90), thirsty('new', 90)]);
    expect(borrowedBy(orders, 'chronic')).toBeGreaterThan(0);
    expect(borrowedBy(orders, 'new')).toBeGreaterThan(1.4 * borrowedBy(orders, 'chronic'));
  });

  it('has failed when it was refused, moved nothing, or nobody told of it until it was due', () => {
    const lending = desk();
    const members = [member('rich', { tokens: 80 }), thirsty('a', 8), thirsty('b', 8), thirsty('c', 8)];
    const [first, second] = lending.tick(0, members);
    fail(lending, first === undefined ? [] : [first], 10);
    lending.settled({ loanId: second?.loanId ?? '', moved: 0, lost: 0 }, 10);
    expect(lending.balanceOf('rich')).toBe(0);
    lending.tick(1_000, [member('rich'), member('a'), member('b'), member('c')]);
    expect(lending.views().map(({ state }) => state)).toEqual(['failed', 'failed', 'failed']);
  });

  it('is a debt after all when somebody tells, late, that it moved; twice told counts once', () => {
    const lending = desk();
    const orders = lending.tick(0, [member('rich'), thirsty('poor', 40)]);
    lending.tick(3_000, [member('rich'), member('poor')]);
    expect(lending.debtOf('poor')).toBe(0);
    arrive(lending, orders, 3_500);
    arrive(lending, orders, 3_600);
    expect(lending.debtOf('poor')).toBe(50);
    expect(lending.views()).toMatchObject([{ amount: 50, state: 'expired' }]);
  });

  it.each([NaN, -5, 1e9, 12.7])(
    'takes no more than was ordered from an outcome that says %p moved',
    (moved) => {
      const lending = desk();
      const [order] = lending.tick(0, [member('rich'), thirsty('poor', 40)]);
      lending.settled({ loanId: order?.loanId ?? '', moved, lost: moved }, 10);
      const lent = lending.balanceOf('rich');
      expect(Number.isInteger(lent) && lent >= 0 && lent <= (order?.tokens ?? 0)).toBe(true);
      expect(lending.balanceOf('poor') + lent).toBe(0);
    },
  );

  it.each<[string, (lending: LendingDesk) => void]>([
    ['is forgotten', (lending) => lending.forget('poor', 500)],
    ['is not among the members', (lending) => void lending.tick(500, [member('rich')])],
  ])('is written off when a party %s', (_what, vanish) => {
    const lending = desk();
    arrive(lending, lending.tick(0, [member('rich'), thirsty('poor', 40)]), 10);
    vanish(lending);
    expect(lending.views()).toMatchObject([{ state: 'failed' }]);
    expect(lending.balanceOf('rich')).toBe(0);
    expect(lending.debtOf('poor')).toBe(0);
    expect(lending.debtOf('rich')).toBe(0);
  });

  it('comes to its end though the clock steps back', () => {
    const lending = desk();
    arrive(lending, lending.tick(1e9, [member('rich'), thirsty('poor', 40)]), 1e9);
    lending.tick(5_000, [member('rich'), member('poor')]);
    expect(lending.views()).toMatchObject([{ state: 'expired' }]);
  });

  it('is remembered among a bounded number', () => {
    const lending = desk();
    const poor = Array.from({ length: 40 }, (_, at) => thirsty(`p${String(at)}`, 50));
    const rich = member('rich', { tokens: 1e5, capacity: 1e5, policy: { nominalCapacity: 1e5 } });
    for (let tick = 0; tick < 100; tick += 1) {
      arrive(lending, lending.tick(tick * 1_000, [rich, ...poor]), tick * 1_000 + 1);
    }
    expect(lending.views()).toHaveLength(MAX_ENDED_LOANS + 40);
  });
});

describe('failing transfers', () => {
  it('stop lending; then one is tried, and lending goes on when that goes well', () => {
    const lending = desk();
    const poor = Array.from({ length: 8 }, (_, at) => thirsty(`p${String(at)}`, 5));
    const members = [member('rich'), ...poor];
    const first = lending.tick(0, members);
    expect(first.length).toBeGreaterThanOrEqual(BREAKER_FAILURES);
    fail(lending, first, 10);
    expect(lending.view().breaker).toBe('open');
    expect(lending.tick(500, members)).toEqual([]);
    const tried = lending.tick(10 + BREAKER_BACKOFF_MS, members);
    expect(tried).toHaveLength(1);
    expect(lending.tick(20 + BREAKER_BACKOFF_MS, members)).toEqual([]);
    arrive(lending, tried, 30 + BREAKER_BACKOFF_MS);
    expect(lending.tick(40 + BREAKER_BACKOFF_MS, members).length).toBeGreaterThan(1);
    expect(lending.view().breaker).toBe('closed');
  });

  it('are those too that nobody ever tells of', () => {
    const lending = desk();
    const members = [member('rich'), ...Array.from({ length: 8 }, (_, at) => thirsty(`p${String(at)}`, 5))];
    lending.tick(0, members);
    expect(lending.tick(1_000, members)).toEqual([]);
    expect(lending.view().breaker).toBe('open');
  });
});

describe('a saved state', () => {
  const rubbish = ['', 'null', '[]', '{}', '{"format":1}', 'not json', '{"format":2,"sequence":1}', '1e999'];

  it.each(rubbish)('that is %p makes it start afresh', (state) => {
    const lending = desk();
    arrive(lending, lending.tick(0, [member('rich'), thirsty('poor', 40)]), 10);
    lending.restore(state);
    expect(lending.save()).toBe(desk().save());
    expect(lending.views()).toEqual([]);
  });

  it('with any part replaced by anything is taken or refused, and lending goes on', () => {
    const lending = desk();
    arrive(lending, lending.tick(0, [member('rich'), thirsty('poor', 40)]), 10);
    lending.tick(900, [thirsty('rich', 40), member('poor')]);
    const saved = JSON.parse(lending.save()) as Record<string, unknown>;
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(saved)), fc.jsonValue(), (part, value) => {
        const other = desk();
        other.restore(JSON.stringify({ ...saved, [part]: value }));
        const orders = other.tick(1_000, [member('rich'), thirsty('poor', 40)]);
        for (const { tokens } of orders) expect(Number.isInteger(tokens) && tokens > 0).toBe(true);
        expect(other.balanceOf('rich') + other.balanceOf('poor')).toBe(0);
      }),
    );
  });

  it('is bounded', () => {
    const lending = desk();
    const long = 'x'.repeat(500);
    const members = Array.from({ length: 1_500 }, (_, at) =>
      at % 2 === 0 ? member(`${long}${String(at)}`) : thirsty(`${long}${String(at)}`, 40),
    );
    arrive(lending, lending.tick(0, members), 10);
    const state = lending.save();
    expect(state.length).toBeLessThanOrEqual(MAX_STATE_CHARS);
    const other = desk();
    other.restore(state);
    expect(other.views().length).toBeGreaterThan(100);
  });
});

it('tells fairness and no time to reclaim before there was one', () => {
  const lending = desk();
  expect(lending.view()).toEqual({ fairness: null, reclaimMs: null, breaker: 'closed' });
  const half = member('half', { demandPerS: 100, admittedPerS: 50 });
  const whole = member('whole', { demandPerS: 10, admittedPerS: 10 });
  lending.tick(0, [half, whole]);
  expect(lending.view().fairness).toBeCloseTo(0.9, 12);
});
