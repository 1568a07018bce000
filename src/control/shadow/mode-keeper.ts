/** Which mode of a pool holds. */
import type { ModeOrder, PoolMode } from '../../core/control';
import { Elapsed } from '../elapsed';

/** The least time in a mode before evidence moves on from it, ms. */
export interface ModeKeeperOptions {
  /** In shadow, before it becomes active; 30 min. */
  readonly shadowMs?: number;
  /** Active, before it goes back to shadow; 5 min: going back is the safe way. */
  readonly activeMs?: number;
}

/** What speaks for a mode. */
export interface ModeInputs {
  /** What the settings say. */
  readonly configured: PoolMode;
  /** What somebody has ordered; above everything else. */
  readonly order: ModeOrder | undefined;
  /** What was measured: the proposals lose less than the configured limits, or more. */
  readonly advice: 'promote' | 'demote' | undefined;
  /** Whether advice counts. */
  readonly autoPromote: boolean;
  /** The mode of another leader's table, to go on from; absent while this process leads. */
  readonly published?: PoolMode | undefined;
}

const SHADOW_MS = 1_800_000;
const ACTIVE_MS = 300_000;
/** What one look counts for at most, so that a clock's jump is no time spent in a mode. */
const MAX_LOOK_MS = 60_000;

/**
 * The order of somebody holds; else, with automatic promotion, the mode that advice has led to; else the settings'. Advice
 * takes one step at a time, shadow to active and back, after the least time in a mode; nothing but a person's word or
 * the settings leads out of `off` or into it.
 */
export class ModeKeeper {
  readonly #shadowMs: number;
  readonly #activeMs: number;
  readonly #elapsed = new Elapsed(MAX_LOOK_MS);
  /** Where advice has led. */
  #led: { readonly mode: PoolMode; readonly from: PoolMode; readonly why: string } | undefined;
  #mode: PoolMode | undefined;
  #sinceMs = 0;

  constructor(options: ModeKeeperOptions = {}) {
    this.#shadowMs = options.shadowMs ?? SHADOW_MS;
    this.#activeMs = options.activeMs ?? ACTIVE_MS;
  }

  /** @returns the mode that holds now, and why in words. */
  next(nowMs: number, inputs: ModeInputs): { readonly mode: PoolMode; readonly why: string } {
    this.#elapsed.look(nowMs);
    const held = this.#held(inputs);
    if (held.mode !== this.#mode) {
      this.#mode = held.mode;
      this.#sinceMs = this.#elapsed.totalMs;
    }
    return held;
  }

  #held({ configured, order, advice, autoPromote, published }: ModeInputs): { mode: PoolMode; why: string } {
    if (order !== undefined) {
      this.#led = undefined;
      return { mode: order.mode, why: `ordered by ${order.author}: ${order.reason}` };
    }
    // What advice led to was a step from what the settings said then.
    if (!autoPromote || configured === 'off' || this.#led?.from !== configured) this.#led = undefined;
    if (!autoPromote || configured === 'off') return { mode: configured, why: 'as configured' };
    if (published !== undefined && published !== 'off' && published !== (this.#led?.mode ?? configured)) {
      this.#led = { mode: published, from: configured, why: 'as the last leader published' };
    } else this.#follow(configured, advice);
    return this.#led === undefined
      ? { mode: configured, why: 'as configured' }
      : { mode: this.#led.mode, why: this.#led.why };
  }

  #follow(configured: PoolMode, advice: ModeInputs['advice']): void {
    const mode = this.#led?.mode ?? configured;
    const spentMs = this.#mode === mode ? this.#elapsed.totalMs - this.#sinceMs : 0;
    if (advice === 'promote' && mode === 'shadow' && spentMs >= this.#shadowMs) {
      const why = 'promoted: the proposals lose less than the configured limits';
      this.#led = { mode: 'active', from: configured, why };
    } else if (advice === 'demote' && mode === 'active' && spentMs >= this.#activeMs) {
      const why = 'demoted: the proposals lose more than the configured limits';
      this.#led = { mode: 'shadow', from: configured, why };
    }
  }
}
