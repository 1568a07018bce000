/** Time as it passed between looks, from a clock that may jump. */

/**
 * Adds up the time between looks. A clock that steps back or says NaN adds nothing, and one look adds `mostMs` at most,
 * so that a jump ahead is no evidence of what held meanwhile.
 */
export class Elapsed {
  readonly #mostMs: number;
  #lastMs = Number.NaN;
  #totalMs = 0;

  /** @param mostMs the most that one look adds, ms. */
  constructor(mostMs: number) {
    this.#mostMs = mostMs;
  }

  /** Ms added up so far. */
  get totalMs(): number {
    return this.#totalMs;
  }

  /** Takes a look at the clock. @returns what it added, ms. */
  look(nowMs: number): number {
    if (!Number.isFinite(nowMs)) return 0;
    const passedMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    const addedMs = passedMs > 0 ? Math.min(this.#mostMs, passedMs) : 0;
    this.#totalMs += addedMs;
    return addedMs;
  }
}
