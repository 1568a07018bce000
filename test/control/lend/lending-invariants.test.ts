import fc from 'fast-check';
import { LendingDesk } from '../../../src/control/lend/lending-desk';
import { PRIORITIES } from '../../../src/core/priority';
import { POLICY } from './lend-members';
import { type Fate, type SimulatedMember, SimulatedPool, type SimulatedTick } from './simulated-pool';

const MEMBERS = 6;
const FATES: Fate[] = ['arrives', 'twice', 'late', 'half_lost', 'fails', 'unheard', 'moves_unheard'];

/** Parts of one, evenly spread. */
const percent = (most: number) => fc.integer({ min: 0, max: most }).map((figure) => figure / 100);
const kind: fc.Arbitrary<SimulatedMember> = fc.record({
  priority: fc.constantFrom(...PRIORITIES),
  nominalPerS: fc.integer({ min: 0, max: 500 }),
  nominalCapacity: fc.integer({ min: 1, max: 2_000 }),
  lendable: percent(100),
  borrowable: percent(300),
});
const each = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: MEMBERS, maxLength: MEMBERS });
const rarely = fc.integer({ min: 0, max: 11 }).map((figure) => figure === 0);
const tick: fc.Arbitrary<SimulatedTick> = fc.record({
  demands: each(fc.oneof(fc.constant(0), percent(400))),
  unseen: each(rarely),
  gone: each(rarely),
  fates: fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.constant<Fate>('arrives') }, fc.constantFrom(...FATES)),
    {
      minLength: 1,
      maxLength: 12,
    },
  ),
});
const story = fc.record({
  kinds: each(kind),
  ticks: fc.array(tick, { minLength: 1, maxLength: 40, size: 'max' }),
  tickMs: fc.constantFrom(100, 1_000, 5_000),
});

it('over any ticks and fates, lends what is there to who has room, within limits, and its ledger adds up', () => {
  let ordered = 0;
  fc.assert(
    fc.property(story, ({ kinds, ticks, tickMs }) => {
      const pool = new SimulatedPool(kinds, tickMs);
      const desk = new LendingDesk('p', POLICY, tickMs);
      ticks.forEach((now, at) => {
        const nowMs = (at + 1) * tickMs;
        const members = pool.serve(now);
        const orders = desk.tick(nowMs, members);
        pool.check(orders, members);
        const before = pool.total() + pool.lost;
        pool.move(desk, orders, now, nowMs);
        expect(pool.total() + pool.lost).toBe(before);
        pool.checkLevels();
        pool.checkLedger(desk);
        ordered += orders.length;
      });
    }),
    { numRuns: 25, unbiased: true },
  );
  expect(ordered).toBeGreaterThan(300);
});

it('who takes over from its saved state goes on exactly as it would have', () => {
  fc.assert(
    fc.property(story, fc.nat(39), ({ kinds, ticks, tickMs }, takeOverAt) => {
      const pool = new SimulatedPool(kinds, tickMs);
      const twin = new SimulatedPool(kinds, tickMs);
      const desk = new LendingDesk('p', POLICY, tickMs);
      let other = desk;
      ticks.forEach((now, at) => {
        const nowMs = (at + 1) * tickMs;
        if (at === takeOverAt) {
          other = new LendingDesk('p', POLICY, tickMs);
          other.restore(desk.save());
          twin.become(pool);
        }
        const orders = desk.tick(nowMs, pool.serve(now));
        if (other !== desk) {
          expect(other.tick(nowMs, twin.serve(now))).toEqual(orders);
          twin.move(other, orders, now, nowMs);
        }
        pool.move(desk, orders, now, nowMs);
        if (other === desk) return;
        expect(other.view()).toEqual(desk.view());
        expect(other.save()).toBe(desk.save());
        kinds.forEach((_, member) =>
          expect(other.balanceOf(`m${String(member)}`)).toBe(desk.balanceOf(`m${String(member)}`)),
        );
      });
    }),
    { numRuns: 25, unbiased: true },
  );
});
