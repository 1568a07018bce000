/**
 * Bounds how often the same fault is logged: at most `burst` lines a key and interval, the rest only counted.
 * Pure: time is an argument. Memory is bounded: beyond `maxKeys` the key seen longest ago is forgotten.
 */

/** How much to let through. */
export interface RepeatLimits {
  /** Lines of one key in one interval, at least 1. */
  readonly burst: number;
  readonly intervalMs: number;
  /** Keys remembered at once, at least 1. */
  readonly maxKeys: number;
}

/** What to do with one line. */
export interface RepeatVerdict {
  readonly admit: boolean;
  /** Lines of this key held back since the last one admitted; 0 unless admitted. */
  readonly suppressed: number;
}

interface KeyState {
  intervalStartMs: number;
  admitted: number;
  suppressed: number;
}

/** Counts the lines of each key. */
export class RepeatLimiter {
  private readonly keys = new Map<string, KeyState>();

  constructor(private readonly limits: RepeatLimits) {}

  /** Judges one line of a key at a time (monotonic ms). A clock that steps back starts a new interval. */
  judge(key: string, nowMs: number): RepeatVerdict {
    const known = this.keys.get(key);
    const state = known ?? { intervalStartMs: nowMs, admitted: 0, suppressed: 0 };
    const ageMs = nowMs - state.intervalStartMs;
    if (ageMs >= this.limits.intervalMs || ageMs < 0) {
      state.intervalStartMs = nowMs;
      state.admitted = 0;
    }
    if (known === undefined) this.remember(key, state);
    if (state.admitted >= this.limits.burst) {
      state.suppressed += 1;
      return { admit: false, suppressed: 0 };
    }
    const suppressed = state.suppressed;
    state.admitted += 1;
    state.suppressed = 0;
    return { admit: true, suppressed };
  }

  /** Takes the keys whose interval is over and that held lines back, so that a fault that stopped is still told in full. */
  drain(nowMs: number): { readonly key: string; readonly suppressed: number }[] {
    const told: { key: string; suppressed: number }[] = [];
    for (const [key, state] of this.keys) {
      if (nowMs - state.intervalStartMs < this.limits.intervalMs) continue;
      if (state.suppressed > 0) told.push({ key, suppressed: state.suppressed });
      this.keys.delete(key);
    }
    return told;
  }

  /** Keys remembered now. */
  get size(): number {
    return this.keys.size;
  }

  private remember(key: string, state: KeyState): void {
    if (this.keys.size >= this.limits.maxKeys) {
      const oldest = this.keys.keys().next();
      if (oldest.done !== true) this.keys.delete(oldest.value);
    }
    this.keys.set(key, state);
  }
}
