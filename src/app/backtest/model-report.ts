/** How a model did over all origins, gathered origin by origin. */
import type { Series } from '../../core/series';
import { meanScore, type BacktestPlan, type Score } from '../../forecast/backtest/rolling-origin';
import { StepTally, type StepCurves } from '../../forecast/backtest/step-tally';
import type { Forecast } from '../../forecast/model/model';
import { median } from '../../forecast/numeric/quantile';
import type { OriginResult, TaskFailure } from './tasks';

/** The figures of one horizon: means over the origins. */
export interface HorizonFigures extends Score {
  readonly horizon: number;
  /** The median fit, ms; without each thread's first one where there are others. */
  readonly fitMs: number;
}

/** Origins that a model could not be scored at, by reason. */
export interface FailureCount {
  readonly code: string;
  readonly message: string;
  readonly count: number;
}

/** A forecast that is drawn. */
export interface DrawnForecast {
  readonly origin: number;
  readonly forecast: Forecast;
}

/** How one model did. */
export interface ModelReport {
  readonly name: string;
  /** Origins it was scored at. */
  readonly origins: number;
  /** One for each horizon; empty when it was scored nowhere. */
  readonly figures: readonly HorizonFigures[];
  /** Mean time of a forecast over all horizons, ms. */
  readonly predictMs: number;
  readonly failures: readonly FailureCount[];
  readonly curves: StepCurves;
  readonly drawn: readonly DrawnForecast[];
}

/** So many different reasons of failures are told apart. */
const REASONS_MAX = 8;

/** Gathers a model's results in the order of the origins. */
export class ModelTally {
  private readonly scores: (readonly Score[])[] = [];
  private readonly fits: { readonly ms: number; readonly cold: boolean }[] = [];
  private readonly failures = new Map<string, FailureCount>();
  private readonly drawn: DrawnForecast[] = [];
  private readonly steps: StepTally;
  private predictMs = 0;

  constructor(
    private readonly name: string,
    private readonly series: Series,
    private readonly plan: BacktestPlan,
    private readonly drawnOrigins: ReadonlySet<number>,
  ) {
    this.steps = new StepTally(plan.horizons.at(-1) ?? 1);
  }

  add(origin: number, result: OriginResult | TaskFailure): void {
    if (result.kind === 'failed') return this.fail(result);
    this.scores.push(result.scores);
    this.fits.push({ ms: result.fitMs, cold: result.cold });
    this.predictMs += result.predictMs;
    this.steps.add(result.forecast, this.series, origin);
    if (this.drawnOrigins.has(origin)) this.drawn.push({ origin, forecast: result.forecast });
  }

  report(): ModelReport {
    const { name, scores, plan, drawn } = this;
    const warm = this.fits.filter(({ cold }) => !cold);
    const fitMs = median((warm.length > 0 ? warm : this.fits).map(({ ms }) => ms));
    const figures = plan.horizons.map((horizon, index) => ({
      horizon,
      ...meanScore(scores.flatMap((one) => one[index] ?? [])),
      fitMs,
    }));
    return {
      name,
      origins: scores.length,
      figures: scores.length === 0 ? [] : figures,
      predictMs: this.predictMs / scores.length,
      failures: [...this.failures.values()],
      curves: this.steps.curves(),
      drawn,
    };
  }

  private fail({ code, message }: TaskFailure): void {
    const seen = this.failures.get(`${code} ${message}`);
    if (seen === undefined && this.failures.size >= REASONS_MAX) {
      const others = this.failures.get('others')?.count ?? 0;
      this.failures.set('others', { code, message: 'other reasons', count: others + 1 });
      return;
    }
    this.failures.set(`${code} ${message}`, { code, message, count: (seen?.count ?? 0) + 1 });
  }
}
