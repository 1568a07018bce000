import fc from 'fast-check';
import { DeniedKeys } from '../../src/telemetry/denied-keys';
import { HeavyKeys } from '../../src/limiter/heavy-keys';

const stream = fc.array(
  fc.record({
    // A skewed choice of keys: few heavy ones among many light ones.
    key: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 3 }) }, fc.integer({ min: 4, max: 60 })),
    weight: fc.integer({ min: 1, max: 50 }),
  }),
  { maxLength: 400 },
);

describe('the sketch of heavy keys', () => {
  it('is off by at most total/k, never low, and misses no key heavier than that', () => {
    fc.assert(
      fc.property(stream, fc.integer({ min: 1, max: 20 }), (additions, capacity) => {
        const sketch = new HeavyKeys(capacity);
        const truth = new Map<string, number>();
        let total = 0;
        for (const { key, weight } of additions) {
          sketch.add(String(key), 'rule', weight);
          truth.set(String(key), (truth.get(String(key)) ?? 0) + weight);
          total += weight;
        }
        const bound = total / capacity;
        const found = sketch.top(capacity);
        expect(sketch.total).toBe(total);
        expect(found.length).toBe(Math.min(capacity, truth.size));
        for (const { key, count, error } of found) {
          const exact = truth.get(key) ?? 0;
          expect(count).toBeGreaterThanOrEqual(exact);
          expect(count - error).toBeLessThanOrEqual(exact);
          expect(error).toBeLessThanOrEqual(bound);
        }
        const present = new Set(found.map(({ key }) => key));
        for (const [key, exact] of truth) if (exact > bound) expect(present).toContain(key);
        expect(found.reduce((sum, { count }) => sum + count, 0)).toBe(total);
        expect(found.map(({ count }) => count)).toEqual(
          found.map(({ count }) => count).sort((a, b) => b - a),
        );
      }),
      { numRuns: 300 },
    );
  });

  it.each([0, -1, NaN, Infinity])('ignores a weight of %p', (weight) => {
    const sketch = new HeavyKeys(2);
    sketch.add('a', 'rule', weight);
    expect(sketch.top(2)).toEqual([]);
    expect(sketch.total).toBe(0);
  });

  it('halves everything', () => {
    const sketch = new HeavyKeys(1);
    sketch.add('a', 'first', 4);
    sketch.add('b', 'second', 6);
    sketch.halve();
    expect(sketch.top(5)).toEqual([{ key: 'b', rule: 'second', count: 5, error: 2 }]);
  });
});

describe('the record of denied keys', () => {
  const options = { topKeys: 2, maxKeyLength: 10, halfLifeMs: 1_000 };

  it('shows the heaviest, and what is heavy now over what was heavy once', () => {
    let nowMs = 0;
    const denied = new DeniedKeys(options, { monotonicMs: () => nowMs });
    denied.add('r', 'once', 1_000);
    nowMs = 5_000;
    denied.add('r', 'light', 1);
    expect(denied.top().map(({ key }) => key)).toEqual(['once', 'light']);
    for (let i = 0; i < 300; i += 1) denied.add('r', 'now', 1);
    expect(denied.top().map(({ key }) => key)).toEqual(['now', 'once']);
  });

  it('lets go of everything after a long silence without spinning through every half-life', () => {
    let nowMs = 0;
    const denied = new DeniedKeys({ ...options, halfLifeMs: 1 }, { monotonicMs: () => nowMs });
    denied.add('r', 'a', 1e6);
    nowMs = 1e12;
    expect(denied.top()[0]?.count).toBeLessThan(1);
  });

  it('cuts long keys', () => {
    const denied = new DeniedKeys(options, { monotonicMs: () => 0 });
    denied.add('r', 'k'.repeat(1_000), 1);
    expect(denied.top()).toEqual([{ key: 'kkkkkkkkkk', rule: 'r', count: 1, error: 0 }]);
  });
});
