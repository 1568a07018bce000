/** What a learned policy advised, as far as it may be used: bounded, of members that exist, for one interval. */
import type { MemberAdvice, PoolAdvice } from '../core/control';

/** Refusals that are told in words; more are only counted. */
const MAX_TOLD = 8;
const MAX_WORD_CHARACTERS = 64;

/** What became of advice. */
export interface AdviceTaken {
  /** Members whose advice is in force. */
  readonly members: number;
  /** Members' rows that were left out, or 1 for advice that was refused as a whole. */
  readonly refused: number;
  /** Why, in words, the first of them. */
  readonly why: readonly string[];
}

const NOTHING: AdviceTaken = { members: 0, refused: 0, why: [] };

/** Keeps the advice of an interval. Time is what passed between looks, so that no jump of a clock prolongs it. */
export class AdviceInForce {
  #model = '';
  #rows = new Map<string, MemberAdvice>();
  #untilMs = -Infinity;

  /** Whether there is any. */
  get present(): boolean {
    return this.#rows.size > 0;
  }

  /** Which model gave it; empty for none. */
  get model(): string {
    return this.present ? this.#model : '';
  }

  /** A member's; undefined for none. */
  of(id: string): MemberAdvice | undefined {
    return this.#rows.get(id);
  }

  /** Drops what has lasted its interval. @returns whether any was dropped. */
  expire(elapsedMs: number): boolean {
    return elapsedMs < this.#untilMs ? false : this.clear();
  }

  /** Drops it. @returns whether there was any. */
  clear(): boolean {
    const had = this.present;
    this.#rows = new Map();
    this.#untilMs = -Infinity;
    return had;
  }

  /**
   * Takes advice in place of what there was. Factors are cut to 1/maxFactor and maxFactor; rows of members that are not there, with
   * figures that are none, or of an id that came before are left out, and advice from another interval is refused whole.
   * @param elapsedMs on a clock that never steps back; advice holds so long from then on as `lifeMs` says.
   */
  take(
    advice: PoolAdvice,
    now: { readonly nowMs: number; readonly elapsedMs: number; readonly lifeMs: number },
    known: (id: string) => boolean,
    maxFactor: number,
  ): AdviceTaken {
    this.clear();
    const agesMs = now.nowMs - advice.madeAtMs;
    if (!(Math.abs(agesMs) <= now.lifeMs)) {
      return { ...NOTHING, refused: 1, why: [`made ${agesMs} ms ago, for another interval`] };
    }
    const most = maxFactor >= 1 && maxFactor < Infinity ? maxFactor : 1;
    const why: string[] = [];
    let refused = 0;
    for (const { id, demandFactor, keepFactor } of advice.members) {
      const amiss = this.#amiss(id, demandFactor, keepFactor, known);
      if (amiss === '') {
        this.#rows.set(id, {
          id,
          demandFactor: Math.min(most, Math.max(1 / most, demandFactor)),
          keepFactor: Math.min(most, Math.max(1 / most, keepFactor)),
        });
        continue;
      }
      refused += 1;
      if (why.length < MAX_TOLD) why.push(`${String(id).slice(0, MAX_WORD_CHARACTERS)}: ${amiss}`);
    }
    this.#model = advice.model;
    this.#untilMs = this.present ? now.elapsedMs + now.lifeMs : -Infinity;
    return { members: this.#rows.size, refused, why };
  }

  #amiss(id: string, demandFactor: number, keepFactor: number, known: (id: string) => boolean): string {
    if (!known(id)) return 'no member of the pool';
    if (this.#rows.has(id)) return 'advised twice';
    const figures = demandFactor > 0 && demandFactor < Infinity && keepFactor > 0 && keepFactor < Infinity;
    return figures ? '' : 'factors are not positive numbers';
  }
}
