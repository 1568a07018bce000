import fc from 'fast-check';
import { RepeatLimiter } from '../../src/telemetry/repeat-limiter';

describe('the repeat limiter', () => {
  it('starts anew when the clock steps back', () => {
    const limiter = new RepeatLimiter({ burst: 1, intervalMs: 100, maxKeys: 1 });
    expect(limiter.judge('a', 1_000).admit).toBe(true);
    expect(limiter.judge('a', 1_050).admit).toBe(false);
    expect(limiter.judge('a', 10)).toEqual({ admit: true, suppressed: 1 });
  });

  it('forgets the oldest key beyond its bound', () => {
    const limiter = new RepeatLimiter({ burst: 1, intervalMs: 100, maxKeys: 2 });
    for (const key of ['a', 'b', 'c']) limiter.judge(key, 0);
    expect(limiter.size).toBe(2);
    expect(limiter.judge('c', 1).admit).toBe(false);
    expect(limiter.judge('a', 1).admit).toBe(true);
  });

  it('admits at most the burst per key and interval, and accounts for every line', () => {
    const steps = fc.array(
      fc.record({ key: fc.constantFrom('a', 'b', 'c'), afterMs: fc.integer({ min: 0, max: 60 }) }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 4 }), (lines, burst) => {
        const limiter = new RepeatLimiter({ burst, intervalMs: 100, maxKeys: 3 });
        const admittedAt = new Map<string, number[]>();
        let nowMs = 0;
        let admitted = 0;
        let suppressed = 0;
        for (const { key, afterMs } of lines) {
          nowMs += afterMs;
          const verdict = limiter.judge(key, nowMs);
          suppressed += verdict.suppressed;
          if (!verdict.admit) continue;
          admitted += 1;
          const times = admittedAt.get(key) ?? [];
          times.push(nowMs);
          admittedAt.set(key, times);
          // Intervals start at the first line of each, so no two of them overlap and 2 x burst is the most in 100 ms.
          expect(times.filter((at) => at > nowMs - 100).length).toBeLessThanOrEqual(2 * burst);
        }
        for (const each of limiter.drain(nowMs + 1_000)) suppressed += each.suppressed;
        expect(admitted + suppressed).toBe(lines.length);
        expect(limiter.size).toBe(0);
      }),
    );
  });
});
