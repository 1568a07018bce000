/** Streams with known errors, and a model of the simplest kind, for what is built upon models. */
import type { FittedModel, Forecast } from '../../src/forecast/model/model';
import { seededRandom } from '../../src/forecast/numeric/random';
import {
  TrackedForecaster,
  type StepReport,
  type TrackedOptions,
} from '../../src/forecast/tracked-forecaster';

export const STEP_MS = 300_000;
export const DAY = 288;

/** Exponential smoothing around a known season: adapts, and can be asked what it was told. */
export class SmoothingModel implements FittedModel {
  readonly told: number[] = [];
  private level = 0;
  private seen = 0;

  constructor(private readonly season: (step: number) => number = () => 1) {}

  update(value: number): void {
    this.told.push(value);
    if (Number.isFinite(value)) {
      const rate = Math.max(0.2, 1 / (this.told.length + 1));
      this.level += rate * (value / this.season(this.seen) - this.level);
    }
    this.seen += 1;
  }

  predict(horizon: number, levels: readonly number[]): Forecast {
    const mean = Float64Array.from({ length: horizon }, (_, ahead) =>
      Math.max(0, this.level * this.season(this.seen + ahead)),
    );
    const intervals = levels.map((level) => ({
      level,
      lower: mean.map(() => 0),
      upper: mean.map((value) => 2 * value + 1),
    }));
    return { mean, intervals };
  }

  save(): Readonly<Record<string, unknown>> {
    return {};
  }
}

export const daily = (step: number): number => 1 + 0.6 * Math.sin((2 * Math.PI * step) / DAY);

/** Counts with a daily season, whose errors grow with the level. */
export function seasonalCounts(steps: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: steps }, (_, step) => {
    const rate = 200 * daily(step);
    return Math.max(0, Math.round(rate + Math.sqrt(rate) * 2 * random.normal()));
  });
}

export function tracked(
  model: FittedModel = new SmoothingModel(daily),
  options: Partial<TrackedOptions> = {},
) {
  return new TrackedForecaster(model, { stepMs: STEP_MS, seasons: [DAY], horizons: [1], ...options });
}

export function runAll(forecaster: TrackedForecaster, values: Iterable<number>, fromStep = 0): StepReport[] {
  return Array.from(values, (value, step) => forecaster.step((fromStep + step) * STEP_MS, value));
}

/** The part of reports, of those with a value, that are inside. */
export function coverage(reports: readonly StepReport[]): { at80: number; at95: number } {
  const known = reports.filter((report) => report.inside80 !== undefined);
  const part = (inside: (report: StepReport) => boolean | undefined): number =>
    known.filter((report) => inside(report) === true).length / known.length;
  return { at80: part((report) => report.inside80), at95: part((report) => report.inside95) };
}
