import fc from 'fast-check';
import type { LimitTable } from '../../src/limiter/limit-table';
import { hashOfBytes } from '../../src/limiter/message-hash';
import type { RequestPlan } from '../../src/limiter/plan';
import { PlanCache } from '../../src/limiter/plan-cache';
import { PlanShelf } from '../../src/limiter/plan-shelf';

/** All that the cache looks at is how large a plan is. */
const planned = (name: string, bytes = 300): RequestPlan => ({ name, bytes }) as unknown as RequestPlan;
const tableOf = (name: string): LimitTable => ({ name }) as unknown as LimitTable;
const table = tableOf('one');
const bytesOf = (message: string): Uint8Array => new TextEncoder().encode(message);
const get = (cache: PlanCache, message: string, of = table): RequestPlan | undefined =>
  cache.get(of, bytesOf(message));

/** A message is kept the second time that it is offered. */
function keep(cache: PlanCache, message: string, plan: RequestPlan): void {
  cache.offer(plan, bytesOf(message));
  cache.offer(plan, bytesOf(message));
}

/** Messages of a length that share one hash, found by going through all there are. */
function sharingAHash(count: number, seed: number): Uint8Array[] {
  const byHash = new Map<number, Uint8Array[]>();
  for (let index = 0; ; index += 1) {
    const message = bytesOf(index.toString(36).padStart(8, '-'));
    const hash = hashOfBytes(message, 0, message.length, seed);
    const same = [...(byHash.get(hash) ?? []), message];
    if (same.length === count) return same;
    byHash.set(hash, same);
  }
}

describe('the plan cache', () => {
  it('keeps nothing of what comes once', () => {
    const cache = new PlanCache({ maxPlans: 100_000, maxMessageBytes: 100 });
    get(cache, '');
    for (let index = 0; index < 10_000; index += 1) cache.offer(planned('once'), bytesOf(`once ${index}`));
    // Marks are hashes: a few messages share one with another, and are kept though they came once.
    expect(cache.size).toBeLessThan(600);
  });

  it('gives back the very plan that was kept for the same bytes, and none for others', () => {
    const cache = new PlanCache({ maxPlans: 10, maxMessageBytes: 100 });
    const plan = planned('a');
    expect(get(cache, 'a')).toBeUndefined();
    keep(cache, 'a', plan);
    expect(get(cache, 'a')).toBe(plan);
    expect(get(cache, 'a\u0000')).toBeUndefined();
    expect(get(cache, '')).toBeUndefined();
  });

  it('finds a message wherever it lies, and keeps bytes of its own', () => {
    const cache = new PlanCache({ maxPlans: 10, maxMessageBytes: 100 });
    const plan = planned('cdef');
    const bytes = bytesOf('abcdefgh');
    get(cache, '');
    cache.offer(plan, bytes, 2, 6);
    cache.offer(plan, bytes, 2, 6);
    bytes.fill(0);
    expect(cache.get(table, bytesOf('?cdef'), 1, 5)).toBe(plan);
    expect(cache.get(table, bytes, 2, 6)).toBeUndefined();
    expect(cache.size).toBe(1);
  });

  it('keeps the newest plan of a message that is offered again', () => {
    const cache = new PlanCache({ maxPlans: 10, maxMessageBytes: 100 });
    const newest = planned('newest');
    get(cache, 'a');
    keep(cache, 'a', planned('older'));
    keep(cache, 'a', newest);
    expect(get(cache, 'a')).toBe(newest);
    expect(cache.size).toBe(1);
  });

  it('drops everything when the table is another one, also when an older one returns', () => {
    const cache = new PlanCache({ maxPlans: 10, maxMessageBytes: 100 });
    get(cache, 'a');
    keep(cache, 'a', planned('a'));
    expect(get(cache, 'a', tableOf('two'))).toBeUndefined();
    expect(get(cache, 'a')).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it.each([1, 2, 3, 7, 64])(
    'never holds more than its bound of %i plans by more than the one that rounds it',
    (maxPlans) => {
      const cache = new PlanCache({ maxPlans, maxMessageBytes: 100 });
      for (let index = 0; index < 10 * maxPlans; index += 1) {
        get(cache, `${index % (3 * maxPlans)}`);
        keep(cache, `${index % (3 * maxPlans)}`, planned('x'));
        expect(cache.size).toBeLessThanOrEqual(2 * Math.ceil(maxPlans / 2));
      }
    },
  );

  it('keeps what is asked for again and again while strangers pass through', () => {
    const cache = new PlanCache({ maxPlans: 8, maxMessageBytes: 100 });
    const regular = planned('regular');
    get(cache, 'regular');
    keep(cache, 'regular', regular);
    for (let index = 0; index < 1_000; index += 1) {
      keep(cache, `stranger ${index}`, planned('stranger'));
      expect(get(cache, 'regular')).toBe(regular);
    }
  });

  it('keeps apart keys whose hashes would meet in a table of few places', () => {
    const cache = new PlanCache({ maxPlans: 100_000, maxMessageBytes: 100 });
    // All strings over two letters of one length: what weak hashes of sums and exclusive ors mix up.
    const keys = Array.from({ length: 4_096 }, (_, index) =>
      index.toString(2).padStart(12, '0').replaceAll('0', 'Aa').replaceAll('1', 'BB'),
    );
    get(cache, '');
    for (const key of keys) keep(cache, key, planned(key));
    for (const key of keys) expect(get(cache, key)).toEqual(planned(key));
  });

  it('finds the newest of many messages of one hash, and never the plan of another', () => {
    const seed = 3;
    const shelf = new PlanShelf();
    const messages = Array.from({ length: 40 }, (_, index) => bytesOf(`message ${index}`));
    for (const [index, bytes] of messages.entries()) {
      shelf.put(seed, bytes, 0, bytes.length, planned(`${index}`));
      const at = shelf.find(seed, bytes, 0, bytes.length);
      expect(shelf.plan(at)).toEqual(planned(`${index}`));
    }
    const found = messages.map((bytes) => shelf.find(seed, bytes, 0, bytes.length));
    found.forEach((at, index) => {
      if (at !== -1) expect(shelf.plan(at)).toEqual(planned(`${index}`));
    });
    expect(found.filter((at) => at !== -1)).toHaveLength(4);
    expect(shelf.size).toBe(4);
  });

  it('keeps less where plans are large', () => {
    const cache = new PlanCache({ maxPlans: 1_000, maxMessageBytes: 100, maxBytes: 100_000 });
    get(cache, '');
    const most = (bytes: number): number => {
      let size = 0;
      for (let index = 0; index < 2_000; index += 1) {
        keep(cache, `${bytes} ${index}`, planned('x', bytes));
        size = Math.max(size, cache.size);
      }
      return size;
    };
    expect(most(8_000)).toBeLessThanOrEqual(100_000 / 8_000 + 2);
    expect(most(300)).toBeGreaterThan(250);
  });

  it('gives each of two messages of one hash its own plan', () => {
    const seed = 7;
    const cache = new PlanCache({ maxPlans: 10, maxMessageBytes: 100, seed });
    const [one, two] = sharingAHash(2, seed) as [Uint8Array, Uint8Array];
    const plans = [planned('one'), planned('two')] as const;
    cache.get(table, one);
    for (let round = 0; round < 2; round += 1) {
      cache.offer(plans[0], one);
      cache.offer(plans[1], two);
    }
    expect([cache.get(table, one), cache.get(table, two)]).toEqual(plans);
    expect(cache.size).toBe(2);
  });

  it('takes no long messages, and none at all when it is off', () => {
    expect(new PlanCache({ maxPlans: 10, maxMessageBytes: 100 }).takes(100)).toBe(true);
    expect(new PlanCache({ maxPlans: 10, maxMessageBytes: 100 }).takes(101)).toBe(false);
    expect(new PlanCache({ maxPlans: 0, maxMessageBytes: 100 }).takes(1)).toBe(false);
  });

  it('gives out only what was offered for the same bytes, whatever comes in which order', () => {
    const message = fc.uint8Array({ minLength: 0, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 200 }), fc.integer(), (messages, seed) => {
        const cache = new PlanCache({ maxPlans: 6, maxMessageBytes: 6, seed });
        for (const bytes of messages) {
          const found = cache.get(table, bytes);
          if (found !== undefined) expect(found).toEqual(planned(bytes.join()));
          else cache.offer(planned(bytes.join()), bytes);
          expect(cache.size).toBeLessThanOrEqual(6);
        }
      }),
    );
  });
});

describe('a shelf of plans', () => {
  it('is a map of messages, but for those that share too many places', () => {
    const step = fc.record({
      bytes: fc.uint8Array({ minLength: 0, maxLength: 3, max: 3 }),
      takes: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const shelf = new PlanShelf();
        const model = new Map<string, RequestPlan>();
        for (const [index, { bytes, takes }] of steps.entries()) {
          const hash = hashOfBytes(bytes, 0, bytes.length, 1);
          const at = shelf.find(hash, bytes, 0, bytes.length);
          const plan = at === -1 ? undefined : shelf.plan(at);
          expect(plan).toBe(model.get(bytes.join()));
          if (takes && at !== -1) {
            expect(shelf.take(at)).toBe(plan);
            model.delete(bytes.join());
          } else {
            const put = planned(`${index}`);
            shelf.put(hash, bytes, 0, bytes.length, put);
            model.set(bytes.join(), put);
          }
          expect(shelf.size).toBe(model.size);
        }
        shelf.clear();
        for (const { bytes } of steps)
          expect(shelf.find(hashOfBytes(bytes, 0, bytes.length, 1), bytes, 0, bytes.length)).toBe(-1);
      }),
    );
  });

  it('finds nearly all of what it was given, however much that is', () => {
    const shelf = new PlanShelf();
    const messages = Array.from({ length: 40_000 }, (_, index) => bytesOf(`user${index}`));
    const hashOf = (bytes: Uint8Array): number => hashOfBytes(bytes, 0, bytes.length, 5);
    const plans = messages.map((_, index) => planned(`${index}`));
    for (const [index, bytes] of messages.entries())
      shelf.put(hashOf(bytes), bytes, 0, bytes.length, plans[index]!);
    const places = messages.map((bytes) => shelf.find(hashOf(bytes), bytes, 0, bytes.length));
    const wrong = places.filter((at, index) => at !== -1 && shelf.plan(at) !== plans[index]);
    const found = places.filter((at) => at !== -1).length;
    expect(wrong).toEqual([]);
    expect(found).toBeGreaterThan(39_990);
    expect(shelf.size).toBe(found);
  });
});

describe('the hash of a message', () => {
  it('is a small integer, the same wherever the bytes lie', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.nat({ max: 9 }),
        fc.integer(),
        (bytes, offset, seed) => {
          const larger = new Uint8Array(bytes.length + 20).fill(0xaa);
          larger.set(bytes, offset);
          const hash = hashOfBytes(bytes, 0, bytes.length, seed);
          expect(hashOfBytes(larger, offset, offset + bytes.length, seed)).toBe(hash);
          expect(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 30).toBe(true);
        },
      ),
    );
  });

  it('spreads messages that differ in their last digits, and spreads them otherwise with another seed', () => {
    const hashes = (seed: number): number[] =>
      Array.from({ length: 20_000 }, (_, index) => {
        const message = bytesOf(`\nbench\u0012user${index}`);
        return hashOfBytes(message, 0, message.length, seed);
      });
    const [one, two] = [hashes(1), hashes(2)];
    // Of 20,000 random ones of 30 bits some 0.2 meet, and of their lower 16 bits 17,500 of the 65,536 are taken.
    expect(new Set(one).size).toBeGreaterThan(19_990);
    expect(new Set(one.map((hash) => hash & 0xffff)).size).toBeGreaterThan(16_500);
    expect(one.filter((hash, index) => hash === two[index]).length).toBeLessThan(5);
  });
});
