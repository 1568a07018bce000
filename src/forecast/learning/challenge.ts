/**
 * A refit has to earn its place: the challenger is fitted to the values before a tail, the champion is rolled through the
 * values it has not seen, and both forecast at the same origins of the tail, which neither was fitted to. Only a
 * challenger that was better there is fitted to everything and handed out.
 */
import type { FittedModel, ModelKind, ModelState, SeriesContext } from '../model/model';

/** The model in use. */
export interface Champion {
  readonly kind: ModelKind;
  readonly state: ModelState;
  /** How many of the job's values the state has seen. */
  readonly seen: number;
}

/** What is to be proven. */
export interface Challenge {
  readonly kind: ModelKind;
  readonly values: Float64Array;
  readonly context: SeriesContext;
  /** The index at which the tail begins. */
  readonly tailStart: number;
  /** Steps ahead that count, ascending; those longer than the tail are left out. */
  readonly horizons: readonly number[];
  /** Origins in the tail, at most. */
  readonly maxOrigins: number;
  readonly champion?: Champion;
}

/** Mean absolute errors over the tail, one for each horizon that fits into it; each over steps 1 to h. */
export interface TailErrors {
  readonly horizons: readonly number[];
  readonly challenger: readonly number[];
  readonly champion: readonly number[];
  readonly naive: readonly number[];
  readonly origins: number;
}

/** What came out. */
export interface ChallengeResult {
  readonly verdict: 'first' | 'won' | 'lost' | 'unproven';
  /** The challenger fitted to all values; undefined when the champion stays. */
  readonly model: FittedModel | undefined;
  readonly errors: TailErrors | undefined;
}

/** Fewer origins than this prove nothing. */
export const MIN_ORIGINS = 6;
/** By how much better a challenger has to be: the mean ratio of its errors to the champion's. */
export const WINNING_RATIO = 0.98;

/**
 * Fits a challenger and lets it prove itself. Without a champion the first fit is taken.
 * @throws TidegateError as the kind's `fit`.
 */
export function challenge(job: Challenge): ChallengeResult {
  const { champion, kind, values, context } = job;
  if (champion === undefined) {
    return { verdict: 'first', model: kind.fit(values, context), errors: undefined };
  }
  const start = Math.max(job.tailStart, champion.seen, 1);
  const horizons = job.horizons.filter((horizon) => start + horizon <= values.length);
  const longest = horizons.at(-1);
  const enough = values.length - start >= MIN_ORIGINS && start >= kind.minPoints(context);
  if (longest === undefined || !enough) return { verdict: 'unproven', model: undefined, errors: undefined };
  const errors = tailErrors(job, champion, start, horizons);
  if (errors.origins < MIN_ORIGINS) return { verdict: 'unproven', model: undefined, errors };
  if (meanRatio(errors.challenger, errors.champion) >= WINNING_RATIO) {
    return { verdict: 'lost', model: undefined, errors };
  }
  return { verdict: 'won', model: kind.fit(values, context), errors };
}

function tailErrors(
  job: Challenge,
  champion: Champion,
  start: number,
  horizons: readonly number[],
): TailErrors {
  const { values } = job;
  const challenger = job.kind.fit(values.slice(0, start), job.context);
  const defender = champion.kind.restore(champion.state);
  for (let at = champion.seen; at < start; at += 1) defender.update(values[at] ?? NaN);
  const sums = [new ErrorSums(horizons), new ErrorSums(horizons), new ErrorSums(horizons)] as const;
  const stride = Math.max(1, Math.ceil((values.length - start) / job.maxOrigins));
  let origins = 0;
  for (let origin = start; origin < values.length; origin += 1) {
    if ((origin - start) % stride === 0) {
      const longest = Math.max(...horizons.filter((horizon) => origin + horizon <= values.length), 0);
      if (longest > 0) {
        origins += 1;
        const last = lastKnown(values, origin);
        sums[0].add(challenger.predict(longest, []).mean, values, origin);
        sums[1].add(defender.predict(longest, []).mean, values, origin);
        sums[2].add(new Float64Array(longest).fill(last), values, origin);
      }
    }
    challenger.update(values[origin] ?? NaN);
    defender.update(values[origin] ?? NaN);
  }
  const [ours, theirs, naive] = sums.map((sum) => sum.means());
  return { horizons, challenger: ours ?? [], champion: theirs ?? [], naive: naive ?? [], origins };
}

/** The last value before an index that is not missing; 0 when there is none. */
function lastKnown(values: Float64Array, origin: number): number {
  for (let at = origin - 1; at >= 0; at -= 1) {
    const value = values[at] ?? NaN;
    if (Number.isFinite(value)) return value;
  }
  return 0;
}

/** The geometric mean of the ratios of errors; below 1 the first are smaller. Figures without error count as even. */
export function meanRatio(ours: readonly number[], theirs: readonly number[]): number {
  let logs = 0;
  let count = 0;
  ours.forEach((error, index) => {
    const other = theirs[index] ?? NaN;
    if (!Number.isFinite(error) || !Number.isFinite(other)) return;
    count += 1;
    if (error > 0 && other > 0) logs += Math.log(error / other);
    else if (error !== other) logs += error > other ? 1 : -1;
  });
  return count === 0 ? 1 : Math.exp(logs / count);
}

/** Sums of mean absolute errors by horizon. */
class ErrorSums {
  private readonly sums: number[];
  private readonly counts: number[];

  constructor(private readonly horizons: readonly number[]) {
    this.sums = horizons.map(() => 0);
    this.counts = horizons.map(() => 0);
  }

  add(forecast: Float64Array, values: Float64Array, origin: number): void {
    let errors = 0;
    let known = 0;
    let next = 0;
    for (let step = 1; step <= forecast.length; step += 1) {
      const error = Math.abs((values[origin + step - 1] ?? NaN) - (forecast[step - 1] ?? NaN));
      if (Number.isFinite(error)) {
        errors += error;
        known += 1;
      }
      if (this.horizons[next] !== step) continue;
      if (known > 0) {
        this.sums[next] = (this.sums[next] ?? 0) + errors / known;
        this.counts[next] = (this.counts[next] ?? 0) + 1;
      }
      next += 1;
    }
  }

  means(): readonly number[] {
    return this.sums.map((sum, index) => sum / (this.counts[index] ?? 0));
  }
}
