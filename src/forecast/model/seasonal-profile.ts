/**
 * What a season adds at each of its phases, on a scale where parts add. Profiles are means over the cycles, without
 * outliers, and only as far as the cycles agree: a week that was seen twice must not add its noise to what it tells.
 */

/** Smoothing widths that part bands from each other, phases each side. */
const WIDTHS = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const;
/** What changes faster than this part of a season is left to that season, and not learned again for longer ones. */
const DETAIL_PART = 1 / 8;
/** The part of a cycle, at its edge, that tells where its level is. */
const EDGE_PART = 1 / 16;
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
    .map((season, which, sorted) => {
      const shorter = sorted[which - 1];
      const finest = shorter === undefined ? 0 : Math.ceil(shorter * DETAIL_PART);
      const profile = profileOf(rest, season, finest);
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

/** @param finest phases each side over which all detail is smoothed out. */
function profileOf(values: Float64Array, season: number, finest: number): Profile {
  const cycles = Math.floor(values.length / season);
  const first = values.length - cycles * season;
  const rows = Array.from({ length: cycles }, (_, cycle) =>
    values.slice(first + cycle * season, first + (cycle + 1) * season),
  );
  const level = withoutOutliers(rows.map((row, cycle) => lessMedian(levelled(row, driftOver(rows, cycle)))));
  const found = centred(agreed(level, finest));
  // The rows end with the series, the phases begin with it.
  return { phases: found.map((_, phase) => found[(phase - first + cycles * season) % season] ?? 0), cycles };
}

/**
 * By how much the level moves in a cycle, from the same phases of the next one: a profile that kept this would jump where
 * a cycle ends.
 */
function driftOver(rows: readonly Float64Array[], cycle: number): number {
  const row = rows[cycle] ?? new Float64Array(0);
  const count = Math.max(1, Math.round(row.length * EDGE_PART));
  const next = rows[cycle + 1];
  if (next !== undefined) return medianChange(row, next, 0, count);
  const before = rows[cycle - 1];
  return before === undefined ? 0 : medianChange(before, row, row.length - count, row.length);
}

function medianChange(before: Float64Array, after: Float64Array, from: number, to: number): number {
  return median(after.slice(from, to).map((value, at) => value - (before[from + at] ?? 0)));
}

function levelled(row: Float64Array, drift: number): Float64Array {
  return row.map((value, phase) => value - (drift * phase) / row.length);
}

function meanOf(rows: readonly Float64Array[]): Float64Array {
  const mean = new Float64Array(rows[0]?.length ?? 0);
  for (const row of rows)
    row.forEach((value, phase) => (mean[phase] = (mean[phase] ?? 0) + value / rows.length));
  return mean;
}

function lessMedian(row: Float64Array): Float64Array {
  const middle = median(row.slice());
  return row.map((value) => value - middle);
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
function agreed(cycles: readonly Float64Array[], finest: number): Float64Array {
  let finer = [meanOf(cycles), ...cycles].map((row) => (finest === 0 ? row : smoothed(row, finest)));
  const season = finer[0]?.length ?? 0;
  if (cycles.length < 2) return finer[0] ?? new Float64Array(0);
  const out = new Float64Array(season);
  for (const width of [...WIDTHS.filter((known) => known > finest && 4 * known <= season), Infinity]) {
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
function withoutOutliers(rows: readonly Float64Array[]): readonly Float64Array[] {
  const medians = (rows[0] ?? new Float64Array(0)).map((_, phase) =>
    median(Float64Array.from(rows, (row) => row[phase] ?? 0)),
  );
  const off = rows.map((row) => median(row.map((value, phase) => Math.abs(value - (medians[phase] ?? 0)))));
  const edge = OUTLIER_DEVIATIONS * 1.4826 * median(Float64Array.from(off));
  if (edge === 0) return rows;
  return rows.map((row) =>
    row.map((value, phase) => {
      const middle = medians[phase] ?? 0;
      return Math.min(middle + edge, Math.max(middle - edge, value));
    }),
  );
}

/** The median of figures, which it sorts. */
function median(figures: Float64Array): number {
  figures.sort();
  const middle = figures.length >> 1;
  return figures.length % 2 === 1
    ? (figures[middle] ?? 0)
    : ((figures[middle - 1] ?? 0) + (figures[middle] ?? 0)) / 2;
}
