/** A health factor that does not follow noise. */
import type { HealthVerdict } from './health-factor';

/** A factor falls when it was lower for so long, and rises when it was higher for so long. */
const FALL_AFTER_MS = 1_000;
const RISE_AFTER_MS = 5_000;
/** Smaller differences are left, unless to 0 or 1. */
const BAND = 0.05;

/** The verdict of a target that is held: it follows what lasts, to the mildest figure of that time. `out` counts at once. */
export class SteadyHealth {
  readonly held: HealthVerdict = { factor: 1, cause: 'none', figure: NaN, ahead: false };
  /** The side on which the verdicts of late are: -1 lower, 1 higher, 0 neither; for how long, and the nearest of them. */
  #side = 0;
  #lastedMs = 0;
  readonly #nearest: HealthVerdict = { factor: 1, cause: 'none', figure: NaN, ahead: false };

  /** Takes a tick's verdict. */
  look(verdict: HealthVerdict, passedMs: number): void {
    const { factor } = verdict;
    if (factor === 1 && this.held.factor === 1) {
      this.#side = 0;
      return;
    }
    if (verdict.cause === 'out' && !verdict.ahead) {
      copy(verdict, this.held);
      this.#side = 0;
      return;
    }
    if (factor === this.held.factor && factor < 1) copy(verdict, this.held);
    const side = this.#isFar(factor) ? Math.sign(factor - this.held.factor) : 0;
    if (side === 0 || side !== this.#side) {
      this.#side = side;
      this.#lastedMs = 0;
      copy(verdict, this.#nearest);
      return;
    }
    this.#lastedMs += passedMs;
    if (side * (factor - this.#nearest.factor) <= 0) copy(verdict, this.#nearest);
    if (this.#lastedMs < (side < 0 ? FALL_AFTER_MS : RISE_AFTER_MS)) return;
    copy(this.#nearest, this.held);
    this.#side = 0;
  }

  #isFar(factor: number): boolean {
    const { held } = this;
    return factor !== held.factor && (factor === 0 || factor === 1 || Math.abs(factor - held.factor) >= BAND);
  }
}

function copy(from: HealthVerdict, to: HealthVerdict): void {
  to.factor = from.factor;
  to.cause = from.cause;
  to.figure = from.figure;
  to.ahead = from.ahead;
}
