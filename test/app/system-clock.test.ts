import fc from 'fast-check';
import { SteadyClock } from '../../src/app/system-clock';

/** A clock over a host whose two clocks are set by hand. */
function clockOf(wallMs: number) {
  const host = { wallMs, monotonicMs: 50 };
  const clock = new SteadyClock(
    () => host.wallMs,
    () => host.monotonicMs,
  );
  const pass = (ms: number, stepMs = 0): number => {
    host.wallMs += ms + stepMs;
    host.monotonicMs += ms;
    return clock.nowUs();
  };
  return { clock, pass };
}

describe('the steady clock', () => {
  it('tells the time of the host as long as that goes on', () => {
    const { clock, pass } = clockOf(1_000_000);
    expect(clock.nowUs()).toBe(1_000_000_000);
    expect(pass(250)).toBe(1_000_250_000);
    expect(pass(0, 3_600_000)).toBe(4_600_250_000);
  });

  it('goes on, a little slower, where the host steps back, and meets it again', () => {
    const { clock, pass } = clockOf(1_000_000);
    clock.nowUs();
    expect(pass(1_000, -10_000)).toBe(1_000_900_000);
    expect(pass(1_000)).toBe(1_001_800_000);
    // Ten seconds behind, gaining a tenth of a second a second: after a hundred it is one with the host.
    expect(pass(200_000)).toBe(1_192_000_000);
  });

  it('never runs back, and gains by swings of the host no more than their one highest point', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(10_000), fc.integer({ min: -3_600_000, max: 3_600_000 }))),
        (steps) => {
          const { clock, pass } = clockOf(1_000_000_000);
          let last = clock.nowUs();
          let wallMs = 1_000_000_000;
          let highestMs = wallMs;
          let realMs = 0;
          for (const [ms, stepMs] of steps) {
            const now = pass(ms, stepMs);
            wallMs += ms + stepMs;
            highestMs = Math.max(highestMs, wallMs);
            realMs += ms;
            expect(now).toBeGreaterThanOrEqual(last);
            expect(now).toBeLessThanOrEqual((highestMs + realMs) * 1_000);
            last = now;
          }
        },
      ),
    );
  });
});
