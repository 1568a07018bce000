/**
 * Response times in buckets that grow by the same factor, so that a percentile is off by at most 4 % of itself.
 * Source: Masson, Rim and Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", VLDB 2019.
 */

/** How many buckets there are: the numbers of a byte but the last, which stands for a time that is not known. */
export const BUCKETS = 255;
/** Stands for a time that is not known. */
export const NO_BUCKET = 255;

const ERROR = 0.04;
const GROWTH = (1 + ERROR) / (1 - ERROR);
const PER_LOG = 1 / Math.log(GROWTH);
/** Times up to this are all in the first bucket, ms; the last one begins at nearly two hours. */
const LEAST_MS = 0.01;

const MIDDLES = Float64Array.from(
  { length: BUCKETS },
  (_, bucket) => (LEAST_MS * 2 * GROWTH ** bucket) / (GROWTH + 1),
);

/** The bucket of a time in ms. */
export function bucketOf(ms: number): number {
  if (Number.isNaN(ms)) return NO_BUCKET;
  if (ms <= LEAST_MS) return 0;
  const bucket = Math.ceil(Math.log(ms / LEAST_MS) * PER_LOG);
  return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

/**
 * The nearest-rank percentile of counts by bucket, ms; NaN of none.
 * @param total The sum of the counts. @param part 0 to 1. @param from A bucket before which all counts are 0.
 */
export function percentileMs(counts: Uint32Array, total: number, part: number, from = 0): number {
  if (total === 0) return NaN;
  let rest = Math.max(1, Math.ceil(part * total));
  let bucket = from;
  for (; bucket < BUCKETS - 1; bucket += 1) {
    rest -= counts[bucket]!;
    if (rest <= 0) break;
  }
  return MIDDLES[bucket]!;
}
