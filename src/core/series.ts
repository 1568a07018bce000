/** Evenly spaced figures over time, as history keeps them and models read them. */

/** One figure at even steps. A missing value is NaN; everything else is finite. */
export interface Series {
  /** Unix time at which the first step begins, ms; a multiple of `stepMs`. */
  readonly startMs: number;
  readonly stepMs: number;
  /** The sum over each step, for counts; the mean, for levels such as CPU. */
  readonly values: Float64Array;
}

/** The resolutions that history keeps, finest first, ms. */
export const RESOLUTIONS_MS = [1_000, 10_000, 60_000, 600_000] as const;
/** One of {@link RESOLUTIONS_MS}. */
export type ResolutionMs = (typeof RESOLUTIONS_MS)[number];
