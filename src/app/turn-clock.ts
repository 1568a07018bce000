/**
 * A clock that is read once for what happens in one go: calls of one read of a socket share their time, since three readings a
 * call would cost more than the decision. Within a turn time stands still, but for a new reading now and then, so that what
 * tells the time is never behind by more than a few dozen decisions.
 */
import type { Clock, Turns } from '../core/clock';

/** Questions that one reading answers: some 0.1 ms of decisions. Leases allow for a tenth of their least margin, 1 ms. */
const ASKED_OF_ONE = 64;

/** Told what a turn took, ms, when it ends. */
type TurnEnded = (tookMs: number) => void;

/** See the file's head. Outside turns it is the clock beneath. */
export class TurnClock implements Clock, Turns {
  /** Whether a turn is under way. */
  inTurn = false;
  private beganMs = 0;
  private heldMs = 0;
  /** The wall clock's reading; 0 where the turn has not asked for one. */
  private heldUs = 0;
  private left = 0;
  private readonly ended: TurnEnded[] = [];

  constructor(private readonly inner: Clock) {}

  begin(): number {
    this.inTurn = true;
    this.read();
    this.beganMs = this.heldMs;
    return this.heldMs;
  }

  end(): void {
    this.inTurn = false;
    if (this.ended.length === 0) return;
    const tookMs = this.inner.monotonicMs() - this.beganMs;
    for (const listener of this.ended) listener(tookMs);
  }

  /** Adds a listener to the ends of turns; it must not throw. */
  onEnd(listener: TurnEnded): void {
    this.ended.push(listener);
  }

  nowUs(): number {
    if (!this.inTurn) return this.inner.nowUs();
    this.ask();
    if (this.heldUs === 0) this.heldUs = this.inner.nowUs();
    return this.heldUs;
  }

  monotonicMs(): number {
    if (!this.inTurn) return this.inner.monotonicMs();
    this.ask();
    return this.heldMs;
  }

  private ask(): void {
    this.left -= 1;
    if (this.left < 0) this.read();
  }

  private read(): void {
    this.heldMs = this.inner.monotonicMs();
    this.heldUs = 0;
    this.left = ASKED_OF_ONE;
  }
}
