/** Time as a capability: pure code gets it as an argument, adapters get it from a Clock. */
export interface Clock {
  /** Wall-clock time in microseconds since the Unix epoch; may step when the host's clock is set. */
  nowUs(): number;
  /** Milliseconds on a clock that never steps back; only differences mean anything. */
  monotonicMs(): number;
}

/** What happens in one go, such as all that one read of a socket brought: one reading of the clock serves it. */
export interface Turns {
  /** Begins one. @returns the time on a clock that never steps back, ms. */
  begin(): number;
  /** Ends it. */
  end(): void;
}

/** Microseconds in one second, the factor between `_us` and `_s` figures. */
export const US_PER_S = 1_000_000;
