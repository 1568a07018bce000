/**
 * What a season adds at each of its phases, on a scale where parts add. Profiles are means over the cycles, without
 * outliers, and only as far as the cycles agree: a week that was seen twice must not add its noise to what it tells.
 */

/** Smoothing widths that part bands from each other, phases each side. */
const WIDTHS = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const;
/** Values further than this many usual deviations off are moved there. */
const OUTLIER_DEVIATIONS = 4;

/** One season's part. */
export interface Profile {
  /** By phase, the first value's phase being 0; the mean is 0. */
  readonly phases: Float64Array;
  /** How many cycles it was learned from. */
  readonly cycles: number;
}

/**
 * Profiles of the seasons, shortest first, each of what the shorter ones leave.
 * @param values a series without gaps, of at least two cycles of each season.
 */
export function seasonalProfiles(values: Float64Array, seasons: readonly number[]): readonly Profile[] {
  let rest = Float64Array.from(values);
  return [...seasons]
    .sort((a, b) => a - b)
    .map((season) => {
      const profile = profileOf(rest, season);
      rest = rest.map((value, at) => value - (profile.phases[at % season] ?? 0));
      return profile;
    });
}

/** A series less its profiles. */
export function deseasonalised(values: Float64Array, profiles: readonly Profile[]): Float64Array {
  return values.map((value, at) =>
    profiles.reduce((rest, { phases }) => rest - (phases[at % phases.length] ?? 0), value),
  );
}

function profileOf(values: Float64Array, season: number): Profile {
  const detrended = lessMovingMean(lessLine(values), season);
  const cycles = Math.max(1, Math.ceil(detrended.length / season));
  const table = cycleTable(withoutOutliers(detrended, season), season, cycles);
  const mean = centred(meanOver(table, season));
  const whole = table.filter((row) => !row.some(Number.isNaN));
  return { phases: whole.length < 2 ? mean : agreed(mean, whole), cycles };
}

/** A series less its least-squares line. */
function lessLine(values: Float64Array): Float64Array {
  const middle = (values.length - 1) / 2;
  let together = 0;
  let square = 0;
  values.forEach((value, at) => {
    together += (at - middle) * value;
    square += (at - middle) ** 2;
  });
  const slope = square === 0 ? 0 : together / square;
  return values.map((value, at) => value - slope * (at - middle));
}

/** The series less its mean over one season around each value; at the ends, less that of the nearest full season. */
function lessMovingMean(values: Float64Array, season: number): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (let at = 0; at < values.length; at += 1) sums[at + 1] = (sums[at] ?? 0) + (values[at] ?? 0);
  const half = Math.floor(season / 2);
  const lastStart = values.length - season;
  const meanFrom = (start: number): number => ((sums[start + season] ?? 0) - (sums[start] ?? 0)) / season;
  return values.map((value, at) => value - meanFrom(Math.min(lastStart, Math.max(0, at - half))));
}

/** Cycles by phases; NaN where the series does not reach. */
function cycleTable(values: Float64Array, season: number, cycles: number): readonly Float64Array[] {
  return Array.from({ length: cycles }, (_, cycle) => {
    const row = new Float64Array(season).fill(NaN);
    row.set(values.subarray(cycle * season, Math.min(values.length, (cycle + 1) * season)));
    return row;
  });
}

/** The mean by phase over cycles. */
function meanOver(cycles: readonly Float64Array[], season: number): Float64Array {
  const sums = new Float64Array(season);
  const counts = new Float64Array(season);
  cycles.forEach((row) => {
    for (let phase = 0; phase < season; phase += 1) {
      const value = row[phase] ?? NaN;
      if (Number.isNaN(value)) continue;
      sums[phase] = (sums[phase] ?? 0) + value;
      counts[phase] = (counts[phase] ?? 0) + 1;
    }
  });
  return sums.map((sum, phase) => ((counts[phase] ?? 0) === 0 ? 0 : sum / (counts[phase] ?? 1)));
}

function centred(profile: Float64Array): Float64Array {
  const mean = profile.reduce((sum, value) => sum + value, 0) / profile.length;
  return profile.map((value) => value - mean);
}

/** A circular triangular smoothing: two running means of `width` phases each side. */
function smoothed(profile: Float64Array, width: number): Float64Array {
  return runningMean(runningMean(profile, Math.ceil(width / 2)), Math.floor(width / 2));
}

function runningMean(profile: Float64Array, side: number): Float64Array {
  const season = profile.length;
  let sum = 0;
  for (let away = -side; away <= side; away += 1) sum += profile[(away + season) % season] ?? 0;
  return profile.map((_, phase) => {
    const mean = sum / (2 * side + 1);
    sum += (profile[(phase + side + 1) % season] ?? 0) - (profile[(phase - side + season) % season] ?? 0);
    return mean;
  });
}

/**
 * The mean profile, band by band (from what changes within a few phases to what changes over many), each shrunk to the
 * part of its power that two different cycles have in common.
 */
function agreed(mean: Float64Array, cycles: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(mean.length);
  let finer = [mean, ...cycles].map(centred);
  for (const width of [...WIDTHS.filter((known) => 4 * known <= mean.length), Infinity]) {
    const coarser =
      width === Infinity
        ? finer.map((row) => new Float64Array(row.length))
        : finer.map((row) => smoothed(row, width));
    const bands = finer.map((row, which) =>
      row.map((value, phase) => value - (coarser[which]?.[phase] ?? 0)),
    );
    const part = commonPart(bands.slice(1));
    bands[0]?.forEach((value, phase) => {
      out[phase] = (out[phase] ?? 0) + part * value;
    });
    finer = coarser;
  }
  return out;
}

/** The mean product of different cycles, as a part of the power of their mean; 0 to 1. */
function commonPart(cycles: readonly Float64Array[]): number {
  const count = cycles.length;
  let ofSum = 0;
  let ofEach = 0;
  cycles[0]?.forEach((_, phase) => {
    let sum = 0;
    for (const row of cycles) {
      const value = row[phase] ?? 0;
      sum += value;
      ofEach += value * value;
    }
    ofSum += sum * sum;
  });
  if (ofSum === 0) return 0;
  const common = (ofSum - ofEach) / (count * (count - 1));
  return Math.min(1, Math.max(0, common / (ofSum / count ** 2)));
}

/** Values far from the usual at their phase, moved to the edge of the usual. */
function withoutOutliers(values: Float64Array, season: number): Float64Array {
  const medians = new Float64Array(season);
  const cycle: number[] = [];
  for (let phase = 0; phase < season; phase += 1) {
    cycle.length = 0;
    for (let at = phase; at < values.length; at += season) cycle.push(values[at] ?? 0);
    medians[phase] = median(Float64Array.from(cycle));
  }
  const off = values.map((value, at) => Math.abs(value - (medians[at % season] ?? 0)));
  const edge = OUTLIER_DEVIATIONS * 1.4826 * median(off.slice());
  if (edge === 0) return values;
  return values.map((value, at) => {
    const middle = medians[at % season] ?? 0;
    return Math.min(middle + edge, Math.max(middle - edge, value));
  });
}

/** The median of figures, which it sorts. */
function median(figures: Float64Array): number {
  figures.sort();
  const middle = figures.length >> 1;
  return figures.length % 2 === 1
    ? (figures[middle] ?? 0)
    : ((figures[middle - 1] ?? 0) + (figures[middle] ?? 0)) / 2;
}
