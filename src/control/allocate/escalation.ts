/** Weight that rises while a member goes short again and again. */

/** The factors, step by step: under the step between two priorities, so that none overtakes the next. */
const FACTORS = [1, 1.5, 2, 3, 4] as const;
/** Short ticks for a step up, and good ticks for a step down. */
const UP_AFTER = 5;
const DOWN_AFTER = 10;
/** Denied of what was asked: less is no shortfall. */
const SHORT_PART = 0.05;

/** How a member fared in a tick. Rates are tokens a second; NaN where nobody told. */
export interface Fared {
  readonly askedPerS: number;
  readonly admittedPerS: number;
  readonly deniedPerS: number;
  readonly queuedPerS: number;
  /** What it was configured for: who gets that is not short. */
  readonly nominalPerS: number;
}

/**
 * A member's escalation: a tick is short when more than a twentieth was denied, or its queue grows, while less was admitted
 * than it was configured for. Five short ticks are a step, ten good ones undo one; it stays within 1 and 4.
 */
export class Escalation {
  #step = 0;
  /** Short ticks since the last step, or good ones as a negative number. */
  #run = 0;
  #queuedPerS = 0;

  /** What the weight is multiplied by, 1 to 4. */
  get factor(): number {
    return FACTORS[this.#step] ?? 1;
  }

  /** For {@link restore}. */
  get step(): number {
    return this.#step;
  }

  /** Takes a tick; one without figures changes nothing. */
  tick(fared: Fared): void {
    if (!(fared.askedPerS >= 0)) return;
    if (isShort(fared, this.#queuedPerS)) {
      this.#run = Math.max(0, this.#run) + 1;
      if (this.#run >= UP_AFTER) this.#move(1);
    } else {
      this.#run = Math.min(0, this.#run) - 1;
      if (this.#run <= -DOWN_AFTER) this.#move(-1);
    }
    this.#queuedPerS = fared.queuedPerS > 0 ? fared.queuedPerS : 0;
  }

  /** Goes on from another's step. */
  restore(step: number): void {
    if (Number.isInteger(step)) this.#step = Math.min(FACTORS.length - 1, Math.max(0, step));
  }

  #move(by: number): void {
    this.#run = 0;
    this.restore(this.#step + by);
  }
}

function isShort(fared: Fared, queuedBefore: number): boolean {
  const { askedPerS, admittedPerS, deniedPerS, queuedPerS, nominalPerS } = fared;
  const due = Math.min(askedPerS, nominalPerS) * (1 - SHORT_PART);
  if (!(admittedPerS < due)) return false;
  return deniedPerS > SHORT_PART * askedPerS || queuedPerS > queuedBefore;
}
