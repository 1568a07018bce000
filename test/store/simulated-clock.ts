/** A clock that only tests move. */
import type { Clock } from '../../src/core/clock';

/** Simulated time, from a fixed date on. */
export class SimulatedClock implements Clock {
  private us = 1_700_006_400_000_000;

  nowUs(): number {
    return this.us;
  }

  monotonicMs(): number {
    return this.us / 1_000;
  }

  /** Moves the clock, back when negative. */
  advance(us: number): void {
    this.us += us;
  }
}
