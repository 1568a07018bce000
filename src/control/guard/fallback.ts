/** What holds when control cannot know better: the configured limits, as far as the total lets them. */
import type { MemberPolicy } from '../../core/control';
import { total, waterFill } from '../allocate/water-fill';
import { bounded } from './guard';

/** Ticks without a word of any member until it falls back, and ticks with one until it comes back. */
export const SILENT_TICKS = 10;
const HEARD_TICKS = 3;

/**
 * The nominal rates inside their bounds; all in the same part, but not under their minima, where they exceed the total.
 * O(N log N).
 */
export function nominalShares(totalPerS: number, members: readonly MemberPolicy[]): Float64Array {
  const nominal = Float64Array.from(members, (m) => bounded(m.nominalPerS, m.minPerS, m.maxPerS));
  if (total(nominal) <= totalPerS) return nominal;
  const least = Float64Array.from(members, (m) => m.minPerS);
  return waterFill(totalPerS, least, nominal, nominal);
}

/**
 * Whether to fall back. At once after a fault; after ten ticks in which nobody told anything; and back after three ticks in a row in
 * which somebody did and nothing failed, so that it does not flap.
 */
export class FallbackSwitch {
  #silent = 0;
  #well = 0;
  #why = '';

  /** Why the configured limits hold; empty when they need not. */
  get why(): string {
    return this.#why;
  }

  /** Takes a tick: whether anybody was heard. */
  heard(anybody: boolean): void {
    this.#silent = anybody ? 0 : this.#silent + 1;
    this.#well = anybody ? this.#well + 1 : 0;
    if (this.#silent >= SILENT_TICKS) this.#why = `no telemetry for ${SILENT_TICKS} ticks`;
    else if (this.#well >= HEARD_TICKS) this.#why = '';
  }

  /** Takes a fault: it is not well again before three more ticks. */
  failed(why: string): void {
    this.#well = 0;
    this.#why = why;
  }
}
