import type { LimitTable } from '../../src/limiter/limit-table';
import type { RequestPlan } from '../../src/limiter/plan';
import { PlanCache } from '../../src/limiter/plan-cache';

/** The cache never looks into what it keeps. */
const planned = (name: string): RequestPlan => ({ name }) as unknown as RequestPlan;
const tableOf = (name: string): LimitTable => ({ name }) as unknown as LimitTable;
const table = tableOf('one');

/** A message is kept the second time that it is offered. */
function keep(cache: PlanCache, message: string, plan: RequestPlan): void {
  cache.offer(message, plan);
  cache.offer(message, plan);
}

describe('the plan cache', () => {
  it('keeps nothing of what comes once', () => {
    const cache = new PlanCache({ maxPlans: 100_000, maxMessageBytes: 100 });
    cache.get(table, '');
    for (let index = 0; index < 10_000; index += 1) cache.offer(`once ${index}`, planned('once'));
    // Marks are hashes: a few messages share one with another, and are kept though they came once.
    expect(cache.size).toBeLessThan(600);
  });

  it('gives back the very plan that was kept for the same bytes, and none for others', () => {
    const cache = new PlanCache({ maxPlans: 10, maxMessageBytes: 100 });
    const plan = planned('a');
    expect(cache.get(table, 'a')).toBeUndefined();
    keep(cache, 'a', plan);
    expect(cache.get(table, 'a')).toBe(plan);
    expect(cache.get(table, 'a\u0000')).toBeUndefined();
    expect(cache.get(table, '')).toBeUndefined();
  });

  it('drops everything when the table is another one, also when an older one returns', () => {
    const cache = new PlanCache({ maxPlans: 10, maxMessageBytes: 100 });
    cache.get(table, 'a');
    keep(cache, 'a', planned('a'));
    expect(cache.get(tableOf('two'), 'a')).toBeUndefined();
    expect(cache.get(table, 'a')).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it.each([1, 2, 3, 7, 64])(
    'never holds more than its bound of %i plans by more than the one that rounds it',
    (maxPlans) => {
      const cache = new PlanCache({ maxPlans, maxMessageBytes: 100 });
      for (let index = 0; index < 10 * maxPlans; index += 1) {
        cache.get(table, `${index % (3 * maxPlans)}`);
        keep(cache, `${index % (3 * maxPlans)}`, planned('x'));
        expect(cache.size).toBeLessThanOrEqual(2 * Math.ceil(maxPlans / 2));
      }
    },
  );

  it('keeps what is asked for again and again while strangers pass through', () => {
    const cache = new PlanCache({ maxPlans: 8, maxMessageBytes: 100 });
    const regular = planned('regular');
    cache.get(table, 'regular');
    keep(cache, 'regular', regular);
    for (let index = 0; index < 1_000; index += 1) {
      keep(cache, `stranger ${index}`, planned('stranger'));
      expect(cache.get(table, 'regular')).toBe(regular);
    }
  });

  it('keeps apart keys whose hashes would meet in a table of few places', () => {
    const cache = new PlanCache({ maxPlans: 100_000, maxMessageBytes: 100 });
    // All strings over two letters of one length: what weak hashes of sums and exclusive ors mix up.
    const keys = Array.from({ length: 4_096 }, (_, index) =>
      index.toString(2).padStart(12, '0').replaceAll('0', 'Aa').replaceAll('1', 'BB'),
    );
    cache.get(table, '');
    for (const key of keys) keep(cache, key, planned(key));
    for (const key of keys) expect(cache.get(table, key)).toEqual({ name: key });
  });

  it('takes no long messages, and none at all when it is off', () => {
    expect(new PlanCache({ maxPlans: 10, maxMessageBytes: 100 }).takes(100)).toBe(true);
    expect(new PlanCache({ maxPlans: 10, maxMessageBytes: 100 }).takes(101)).toBe(false);
    expect(new PlanCache({ maxPlans: 0, maxMessageBytes: 100 }).takes(1)).toBe(false);
  });
});
