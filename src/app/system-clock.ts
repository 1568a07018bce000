/** The host's clocks. */
import { performance } from 'node:perf_hooks';
import type { Clock } from '../core/clock';
import { TurnClock } from './turn-clock';

/** How fast time passes, of its true pace, while the host's clock is behind what was already told. */
const CATCHING_UP = 0.9;

/**
 * Wall time that never steps back: where the host's clock does, time goes on at nine tenths of its pace until the host
 * has caught up. A clock that swings to and fro would otherwise refill buckets, and open new windows, at each swing; this
 * way it gains nothing after the first.
 */
export class SteadyClock implements Clock {
  private lastUs = 0;
  private lastMonotonicMs: number;

  /**
   * @param wallMs the host's clock, ms since the epoch; may step.
   * @param monotonicMs never steps back.
   */
  constructor(
    private readonly wallMs: () => number,
    readonly monotonicMs: () => number,
  ) {
    this.lastMonotonicMs = monotonicMs();
  }

  nowUs(): number {
    const monotonicMs = this.monotonicMs();
    const elapsedUs = (monotonicMs - this.lastMonotonicMs) * 1_000;
    this.lastMonotonicMs = monotonicMs;
    this.lastUs = Math.floor(Math.max(this.wallMs() * 1_000, this.lastUs + CATCHING_UP * elapsedUs));
    return this.lastUs;
  }
}

/** The clock of this thread. */
export const systemClock: TurnClock = new TurnClock(
  new SteadyClock(
    () => Date.now(),
    () => performance.now(),
  ),
);
