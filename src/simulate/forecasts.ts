/** Forecasts of each service's next minute: by the product's model for the next step, warmed on the train days. */
import { ONLINE } from '../forecast/choice/online';
import type { FittedModel, ModelState } from '../forecast/model/model';
import { seededRandom, type Random } from '../forecast/numeric/random';
import { poisson } from './arrivals';
import type { MinuteForecasts } from './policy/policy';
import { DAY_MINUTES, MINUTE_MS, type ArrivalKind } from './scenario';

const LEVEL = 0.8;
const MINUTE_S = 60;

/**
 * Models that have seen the train days, at load 1. Demand is linear in the load, so that those of one load serve all: what they are
 * told is divided by it, what they tell multiplied.
 */
export class WarmForecasters {
  private readonly states: ModelState[] = [];

  constructor(
    private readonly arrivals: ArrivalKind,
    private readonly seed: number,
  ) {}

  /** Warms the next service's model. @param trainPerS its demand on the train days at load 1, by the minute. */
  warm(trainPerS: Float64Array): void {
    this.take(this.warmed(this.states.length, trainPerS));
  }

  /** Takes the next service's model, as {@link warmed} made it. */
  take(state: ModelState): void {
    this.states.push(state);
  }

  /** What a service's model knows after the train days: services can be warmed apart. @param service its place. */
  warmed(service: number, trainPerS: Float64Array): ModelState {
    const random = seededRandom(this.seed + service + 1);
    const counts = trainPerS.map((rate) => this.count(rate * MINUTE_S, random));
    const seasons = [DAY_MINUTES, 7 * DAY_MINUTES].filter((season) => trainPerS.length >= season);
    const context = { startMs: 0, stepMs: MINUTE_MS, seasons, seed: this.seed };
    return ONLINE.fit(counts, context).save();
  }

  /** Forecasters of their own for a run at a load. */
  at(load: number): MinuteForecasters {
    return new MinuteForecasters(
      this.states.map((state) => ONLINE.restore(structuredClone(state))),
      load,
    );
  }

  private count(mean: number, random: Random): number {
    return this.arrivals === 'even' ? mean : poisson(mean, random);
  }
}

/** The forecasters of a run. */
export class MinuteForecasters {
  private readonly meanPerS: Float64Array;
  private readonly upperPerS: Float64Array;
  private readonly loads: readonly number[];

  /** @param load times what the models were warmed with, demand is; of all, or of each. */
  constructor(
    private readonly models: readonly FittedModel[],
    load: number | readonly number[],
  ) {
    this.loads = models.map((_, service) => (typeof load === 'number' ? load : (load[service] ?? 1)));
    this.meanPerS = new Float64Array(models.length);
    this.upperPerS = new Float64Array(models.length);
  }

  /** Tells every service's requests of a minute. */
  learn(arrived: Float64Array): void {
    this.models.forEach((model, service) => model.update(arrived[service]! / this.loads[service]!));
  }

  /** Forecasts the next minute. The arrays are its own and hold until the next forecast. */
  ahead(madeAtMs: number): MinuteForecasts {
    this.models.forEach((model, service) => {
      const { mean, intervals } = model.predict(1, [LEVEL]);
      const load = this.loads[service]!;
      this.meanPerS[service] = (mean[0]! * load) / MINUTE_S;
      this.upperPerS[service] = ((intervals[0]?.upper[0] ?? mean[0]!) * load) / MINUTE_S;
    });
    return { madeAtMs, meanPerS: this.meanPerS, upperPerS: this.upperPerS };
  }
}
