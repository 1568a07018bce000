/** Errors and coverage by step ahead, summed over origins: how a forecast ages. */
import type { Series } from '../../core/series';
import type { Forecast } from '../model/model';
import { covers } from './covers';
import { SCORED_LEVELS } from './rolling-origin';

/** Means over the origins, index 0 for one step ahead; NaN where no actual value came. */
export interface StepCurves {
  readonly mae: Float64Array;
  /** The part of actual values inside, one curve for each scored level. */
  readonly coverage: readonly Float64Array[];
}

/** Takes forecasts with what came, and gives the curves. */
export class StepTally {
  private readonly errors: Float64Array;
  private readonly counts: Float64Array;
  private readonly inside: readonly Float64Array[];

  constructor(private readonly horizon: number) {
    this.errors = new Float64Array(horizon);
    this.counts = new Float64Array(horizon);
    this.inside = SCORED_LEVELS.map(() => new Float64Array(horizon));
  }

  add(forecast: Forecast, series: Series, origin: number): void {
    for (let step = 0; step < this.horizon; step += 1) {
      const actual = series.values[origin + step] ?? NaN;
      if (!Number.isFinite(actual)) continue;
      bump(this.counts, step, 1);
      bump(this.errors, step, Math.abs(actual - (forecast.mean[step] ?? NaN)));
      this.inside.forEach((counts, level) => {
        if (covers(forecast.intervals[level], step, actual)) bump(counts, step, 1);
      });
    }
  }

  curves(): StepCurves {
    const mean = (sums: Float64Array): Float64Array =>
      sums.map((sum, step) => sum / (this.counts[step] ?? NaN));
    return { mae: mean(this.errors), coverage: this.inside.map(mean) };
  }
}

function bump(sums: Float64Array, at: number, by: number): void {
  sums[at] = (sums[at] ?? 0) + by;
}
