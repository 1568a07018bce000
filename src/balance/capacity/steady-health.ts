/** A health factor that follows neither noise nor its own effect. */
import type { HealthVerdict } from './health-factor';

/** What is wrong counts when it lasted so long. */
const LASTS_MS = 1_000;
/** From a change of the factor to its effect in the figures: moved, felt, measured over ten seconds, told. */
const EFFECT_MS = 15_000;
/** Between steps back from what does not come of the load. */
const BACK_MS = 5_000;
/** The part of a wait at whose end verdicts count. */
const COUNTS = 0.25;
/** The part of the way that is gone at a step: at first, at most, at least. */
const FIRST_GAIN = 0.5;
const MOST_GAIN = 0.8;
const LEAST_GAIN = 0.05;
/** The most, and where a target is quite well the least, that it rises in a step. */
const MOST_RISE = 0.2;
const LEAST_RISE = 0.02;
/** A target that was well for so long is known anew. */
const FORGETS_MS = 120_000;
/** Nearer than this to where it goes it is there. */
const THERE = 0.02;

/**
 * The verdict of a target as it is planned with. CPU and response times follow the load, some seconds late; a factor that went
 * all the way at once would come back all the way a moment later, to and fro. So it goes a part of the way to where the verdicts
 * are, waits for the effect, and goes on: by a larger part while it goes on in one direction, by half the part whenever it has to
 * turn (as the gains of Rprop, Riedmiller and Braun 1993). It so settles at the load that the target stands, and hardly moves
 * under noise. That it is out counts at once; errors count as soon as they last: both seldom come of the load.
 */
export class SteadyHealth {
  readonly held: HealthVerdict = { factor: 1, cause: 'none', figure: NaN, ahead: false };
  #gain = FIRST_GAIN;
  /** The direction of the last step. */
  #sign = 0;
  /** Since the last step, or since something is wrong. */
  #sinceMs = 0;
  #errorsMs = 0;
  #wellMs = 0;
  /** Whether it fell for what does not come of the load. */
  #plain = false;
  /** Verdicts of the end of the wait. */
  #sum = 0;
  #count = 0;

  /** Takes a tick's verdict. */
  look(verdict: HealthVerdict, passedMs: number): void {
    const { held } = this;
    const { factor } = verdict;
    if (factor === 1 && held.factor === 1) {
      this.#wait();
      this.#wellMs += passedMs;
      if (this.#wellMs >= FORGETS_MS) this.#begin();
      return;
    }
    this.#wellMs = 0;
    name(verdict, held);
    if (this.#isPlain(verdict, passedMs)) {
      held.factor = factor;
      this.#begin();
      this.#plain = true;
      this.#wait();
      return;
    }
    const waitMs = held.factor === 1 ? LASTS_MS : this.#plain ? BACK_MS : EFFECT_MS;
    this.#sinceMs += passedMs;
    if (this.#sinceMs >= waitMs * (1 - COUNTS)) {
      this.#sum += factor;
      this.#count += 1;
    }
    if (this.#sinceMs < waitMs) return;
    this.#step(this.#sum / this.#count);
    this.#wait();
  }

  /** Whether it is out, or has answered with errors for long enough. */
  #isPlain({ factor, cause, ahead }: HealthVerdict, passedMs: number): boolean {
    if (ahead) return false;
    if (cause === 'out') return true;
    this.#errorsMs = cause === 'errors' && factor < this.held.factor ? this.#errorsMs + passedMs : 0;
    return this.#errorsMs >= LASTS_MS;
  }

  #step(goal: number): void {
    const { held } = this;
    const gap = goal - held.factor;
    const sign = Math.sign(gap);
    if (sign !== 0 && this.#sign !== 0) {
      const gain = sign === this.#sign ? 2 * this.#gain : this.#gain / 2;
      this.#gain = Math.min(MOST_GAIN, Math.max(LEAST_GAIN, gain));
    }
    if (sign !== 0) this.#sign = sign;
    if (sign < 0) this.#plain = false;
    let by = this.#gain * gap;
    if (sign > 0) by = Math.min(MOST_RISE, goal === 1 ? Math.max(LEAST_RISE, by) : by);
    const next = Math.min(1, Math.max(0, held.factor + by));
    held.factor = Math.abs(goal - next) < THERE ? goal : next;
  }

  #begin(): void {
    this.#gain = FIRST_GAIN;
    this.#sign = 0;
  }

  #wait(): void {
    this.#sinceMs = 0;
    this.#errorsMs = 0;
    this.#sum = 0;
    this.#count = 0;
  }
}

function name(from: HealthVerdict, to: HealthVerdict): void {
  to.cause = from.cause;
  to.figure = from.figure;
  to.ahead = from.ahead;
}
