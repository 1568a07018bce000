/** The resolutions that history keeps, how long each is kept, and in what pieces. */
import { RESOLUTIONS_MS, type ResolutionMs } from '../core/series';

/** One resolution. */
export interface Level {
  readonly stepMs: ResolutionMs;
  /** Steps of a chunk, the piece in which steps are packed, written and dropped. */
  readonly chunkSteps: number;
  /** How long steps are kept, ms. */
  readonly retentionMs: number;
}

/** How long steps of each resolution are kept, ms. */
export type Retention = Readonly<Record<ResolutionMs, number>>;

const HOUR_MS = 3_600_000;

/** 1 s for 1 hour, 10 s for 6 hours, 1 min for 3 days, 10 min for 60 days. */
export const DEFAULT_RETENTION: Retention = {
  1_000: HOUR_MS,
  10_000: 6 * HOUR_MS,
  60_000: 72 * HOUR_MS,
  600_000: 60 * 24 * HOUR_MS,
};

/** Long enough that what a chunk costs beside its figures is little, short enough that open ones are small. */
const CHUNK_STEPS: Readonly<Record<ResolutionMs, number>> = {
  1_000: 60,
  10_000: 36,
  60_000: 30,
  600_000: 18,
};

/** The levels, finest first. */
export function levels(retention: Retention = DEFAULT_RETENTION): readonly Level[] {
  return RESOLUTIONS_MS.map((stepMs) => ({
    stepMs,
    chunkSteps: CHUNK_STEPS[stepMs],
    retentionMs: retention[stepMs],
  }));
}

/** The length of a chunk, ms. */
export function chunkMs(level: Level): number {
  return level.stepMs * level.chunkSteps;
}

/** When the chunk begins that a time lies in, Unix ms. */
export function chunkStart(level: Level, atMs: number): number {
  return Math.floor(atMs / chunkMs(level)) * chunkMs(level);
}
