/** How much of its load a service stands, by its response times: Gradient2 of Netflix's concurrency-limits, as a share. */

/** Looks whose plain mean stands for the long term until there are more. */
const WARM_UP_LOOKS = 10;
const LONG_TERM_MS = 600_000;
const SHORT_TERM_MS = 5_000;
/** What the first look counts for at most. */
const MOST_FIRST_MS = 60_000;
/** Response times may be this many times those of the long term. */
const TOLERANCE = 1.5;
const LEAST_GRADIENT = 0.5;
/** What a share gains beyond its gradient in one step, so that it probes and recovers; the part of a step that is taken. */
const HEADROOM = 0.1;
const SMOOTHING = 0.2;
/** One look counts for at most this many times the long term, and may always count for 1 ms. */
const MOST_OVER_LONG = 10;
/** A long term so far above the short one is of a load that has gone: it is let go by this a step. */
const LONG_OVER_SHORT = 2;
const LET_GO = 0.95;

/** Looks so far, response times of the long and of the short term (ms), its share. */
export type GradientFigures = readonly [looks: number, longMs: number, shortMs: number, share: number];

/**
 * A share of the load, `floor` to 1: each second it becomes 0.8 x itself + 0.2 x (itself x gradient + 0.1), where gradient is
 * 1.5 x long-term over short-term response time, 0.5 to 1. The long term follows what lasts, so a response time that lowering
 * the load does not cure is taken for the usual one after some minutes, and the load comes back.
 */
export class LatencyGradient {
  readonly #floor: number;
  #looks = 0;
  #longMs = 0;
  #shortMs = 0;
  #share = 1;

  constructor(floor: number) {
    this.#floor = floor;
  }

  get share(): number {
    return this.#share;
  }
  /** The mean response time of late, and of the last ten minutes, ms. */
  get shortMs(): number {
    return this.#shortMs;
  }
  get longMs(): number {
    return this.#longMs;
  }

  /** @param toldMs a finite response time, 0 or more. @param passedMs since the last look. */
  look(toldMs: number, passedMs: number): void {
    const mostMs = this.#looks === 0 ? MOST_FIRST_MS : Math.max(1, MOST_OVER_LONG * this.#longMs);
    const latencyMs = Math.min(toldMs, mostMs);
    const steps = passedMs / 1_000;
    if (this.#looks < WARM_UP_LOOKS) {
      this.#looks += 1;
      this.#longMs += (latencyMs - this.#longMs) / this.#looks;
      this.#shortMs = this.#longMs;
      return;
    }
    this.#shortMs += (latencyMs - this.#shortMs) * (1 - Math.exp(-passedMs / SHORT_TERM_MS));
    this.#longMs += (latencyMs - this.#longMs) * (1 - Math.exp(-passedMs / LONG_TERM_MS));
    if (this.#longMs > LONG_OVER_SHORT * this.#shortMs) this.#longMs *= LET_GO ** steps;
    const ratio = this.#shortMs > 0 ? (TOLERANCE * this.#longMs) / this.#shortMs : 1;
    this.#move(Math.min(1, Math.max(LEAST_GRADIENT, ratio)), steps);
  }

  /** What it knows, for {@link restore}. */
  save(): GradientFigures {
    return [this.#looks, this.#longMs, this.#shortMs, this.#share];
  }

  /** Takes what another knew; what cannot be is cut to the bounds. */
  restore([looks, longMs, shortMs, share]: GradientFigures): void {
    // Without a long term nothing can be judged: it begins anew.
    this.#looks = longMs > 0 ? Math.min(WARM_UP_LOOKS, Math.max(0, Math.floor(looks))) : 0;
    this.#longMs = Math.max(0, longMs);
    this.#shortMs = Math.max(0, shortMs);
    this.#share = Math.min(1, Math.max(this.#floor, share));
  }

  /** Nothing was told for a while: goes back to 1 as it would with the usual response times. */
  recover(passedMs: number): void {
    this.#move(1, passedMs / 1_000);
  }

  #move(gradient: number, steps: number): void {
    const taken = Math.min(1, SMOOTHING * steps);
    const next = this.#share * (1 - taken) + taken * (this.#share * gradient + HEADROOM);
    this.#share = Math.min(1, Math.max(this.#floor, next));
  }
}
