/**
 * A histogram of microseconds in fixed memory: 128 steps an octave, so a figure read back is less than 0.8 % too high.
 * The way of HdrHistogram (Gil Tene): log-linear buckets, so that a run of any length costs the same memory.
 */
const STEP_BITS = 7;
const STEPS = 1 << STEP_BITS;
const OCTAVES = 26;

/** Counts durations from 1 us to 2^32 us; anything longer counts in the last step. */
export class Histogram {
  #counts = new Uint32Array(STEPS * OCTAVES);
  #total = 0;
  #max = 0;

  /** How many durations were added. */
  get total() {
    return this.#total;
  }

  /** Adds a duration, us; a negative one counts as 0. */
  add(us) {
    const whole = us > 0 ? Math.floor(us) : 0;
    this.#counts[indexOf(whole)] += 1;
    this.#total += 1;
    if (whole > this.#max) this.#max = whole;
  }

  /** Forgets everything. */
  clear() {
    this.#counts.fill(0);
    this.#total = 0;
    this.#max = 0;
  }

  /**
   * @param {number} share between 0 and 1
   * @returns {number} the smallest duration (us) that at least this share of all is no longer than; 0 when empty
   */
  quantile(share) {
    const wanted = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    for (let index = 0; index < this.#counts.length; index += 1) {
      seen += this.#counts[index];
      if (seen >= wanted) return Math.min(upperEdge(index), this.#max);
    }
    return this.#max;
  }

  /** The percentiles that the tables print, us. */
  summary() {
    return {
      p50: this.quantile(0.5),
      p90: this.quantile(0.9),
      p99: this.quantile(0.99),
      p999: this.quantile(0.999),
      max: this.#max,
    };
  }
}

function indexOf(us) {
  if (us < STEPS) return us;
  const octave = 31 - Math.clz32(Math.min(us, 0xffff_ffff)) - STEP_BITS + 1;
  const step = Math.floor(us / 2 ** (octave - 1)) - STEPS;
  return Math.min(octave * STEPS + step, STEPS * OCTAVES - 1);
}

function upperEdge(index) {
  const octave = Math.floor(index / STEPS);
  if (octave === 0) return index;
  return (STEPS + (index % STEPS) + 1) * 2 ** (octave - 1) - 1;
}
