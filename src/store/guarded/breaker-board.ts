/** Breakers by name: one for each Redis node, or one for a whole store, so that one dead node does not close the others. */
import type { TidegateError } from '../../core/errors';
import { Breaker, type BreakerOptions, type BreakerState, DEFAULT_BREAKER } from './breaker';

/** More names than this are not kept; the longest known is forgotten, which closes its breaker. */
const MAX_BREAKERS = 2_048;

/** What a {@link BreakerBoard} takes. */
export interface BreakerBoardOptions {
  readonly breaker?: Partial<BreakerOptions>;
  /** Monotonic milliseconds. */
  readonly nowMs?: () => number;
  /** 0 to 1. */
  readonly random?: () => number;
  /** For the log and the metric. */
  readonly onStateChange?: (name: string, state: BreakerState, before: BreakerState) => void;
  readonly onSuccess?: (name: string, latencyMs: number) => void;
  readonly onFailure?: (name: string, error: TidegateError) => void;
}

/** Asked before each use of something that may fail, and told how it went. Never throws unless a callback does. */
export class BreakerBoard {
  readonly #breakers = new Map<string, Breaker>();
  readonly #options: BreakerOptions;
  readonly #nowMs: () => number;
  readonly #random: () => number;

  constructor(private readonly board: BreakerBoardOptions = {}) {
    this.#options = { ...DEFAULT_BREAKER, ...board.breaker };
    this.#nowMs = board.nowMs ?? (() => performance.now());
    this.#random = board.random ?? Math.random;
  }

  /** Whether `name` may be used now. Whoever is admitted must report success or failure. */
  admit(name: string): boolean {
    const breaker = this.#of(name);
    const before = breaker.state;
    if (before === 'closed') return true;
    const admitted = breaker.admit(this.#nowMs());
    this.#notice(name, breaker, before);
    return admitted;
  }

  succeeded(name: string, latencyMs: number): void {
    const breaker = this.#of(name);
    const before = breaker.state;
    breaker.succeed(this.#nowMs());
    this.#notice(name, breaker, before);
    this.board.onSuccess?.(name, latencyMs);
  }

  /** An error that is the breaker's own is no failure of what it guards. */
  failed(name: string, error: TidegateError): void {
    if (error.code === 'TG_STORE_BREAKER_OPEN') return;
    const breaker = this.#of(name);
    const before = breaker.state;
    breaker.fail(this.#nowMs());
    this.#notice(name, breaker, before);
    this.board.onFailure?.(name, error);
  }

  /** The state of `name`; one never used is closed. */
  stateOf(name: string): BreakerState {
    return this.#breakers.get(name)?.state ?? 'closed';
  }

  #of(name: string): Breaker {
    let breaker = this.#breakers.get(name);
    if (breaker === undefined) {
      breaker = new Breaker(this.#options, this.#random);
      if (this.#breakers.size >= MAX_BREAKERS) {
        for (const oldest of this.#breakers.keys()) {
          this.#breakers.delete(oldest);
          break;
        }
      }
      this.#breakers.set(name, breaker);
    }
    return breaker;
  }

  #notice(name: string, breaker: Breaker, before: BreakerState): void {
    if (breaker.state !== before) this.board.onStateChange?.(name, breaker.state, before);
  }
}
