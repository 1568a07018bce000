/** A kind of model whose fits are timed. */
import type { FittedModel, ModelKind, ModelState, SeriesContext } from '../../forecast/model/model';
import type { FitTime } from './tasks';

/** Passes everything on to the kind it stands for, and keeps how long its last fit took. */
export class TimedKind implements ModelKind {
  readonly name: string;
  private fitMs = NaN;

  /** @param cold whether this thread has never fitted the kind. */
  constructor(
    private readonly kind: ModelKind,
    private readonly cold: boolean,
  ) {
    this.name = kind.name;
  }

  /** How long the last fit took. */
  get fitTime(): FitTime {
    return { fitMs: this.fitMs, cold: this.cold };
  }

  minPoints(context: SeriesContext): number {
    return this.kind.minPoints(context);
  }

  fit(values: Float64Array, context: SeriesContext): FittedModel {
    const begun = performance.now();
    const model = this.kind.fit(values, context);
    this.fitMs = performance.now() - begun;
    return model;
  }

  restore(state: ModelState): FittedModel {
    return this.kind.restore(state);
  }
}
