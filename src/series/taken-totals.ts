/** Counters of what came in. */

/** What was refused or changed of what came in, since the start. */
export interface TakenTotals {
  batches: number;
  /** Batches that were taken before. */
  doubled: number;
  /** Batches and samples from before the window of late ones. */
  late: number;
  /** Batches and samples from a time that has not come yet. */
  early: number;
  /** Rows and samples with negative figures or none. */
  refused: number;
  /** Figures cut to the greatest that is kept. */
  bounded: number;
  /** Rows counted in the class `other`, for want of a class of their own. */
  overflowed: number;
  evicted: number;
  /** Times the clock stepped back, and what lay ahead of it was forgotten. */
  rewinds: number;
}

/** All zero. */
export function noTotals(): TakenTotals {
  return {
    batches: 0,
    doubled: 0,
    late: 0,
    early: 0,
    refused: 0,
    bounded: 0,
    overflowed: 0,
    evicted: 0,
    rewinds: 0,
  };
}
