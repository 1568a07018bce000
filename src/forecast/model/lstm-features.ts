/** What an LSTM, and the blend that it corrects, see of a series whose seasons were taken out. */
import { countIn, figuresIn, numberIn } from './state';
import type { ModelState } from './model';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** How fast each running mean follows: over some 3, 20 and 200 steps. */
const GAINS = [0.3, 0.05, 0.005] as const;

/** Columns of a blend's row: 1, the last value, and its running means. */
export const BLEND_COLUMNS = 2 + GAINS.length;
/** Inputs of the net a step. */
export const INPUTS = 2 + GAINS.length + 4;
/** Inputs beyond this many usual deviations are cut there. */
const INPUT_MAX = 5;

/** Where in time steps are. */
export interface StepClock {
  /** Unix time at which the first step began, ms. */
  readonly startMs: number;
  readonly stepMs: number;
}

/** What inputs are measured by. */
export interface Measure {
  readonly mean: number;
  /** From the mean; more than 0. */
  readonly deviation: number;
}

/** Running features of the values taken so far. */
export class LstmFeatures {
  /** For the blend: the constant 1, the last value, running means. */
  readonly row = new Float64Array(BLEND_COLUMNS);
  /** For the net: in usual deviations, and the phase of day and week that comes next. */
  readonly inputs = new Float64Array(INPUTS);
  private position = 0;

  constructor(
    private readonly clock: StepClock,
    private readonly measure: Measure,
  ) {
    this.row[0] = 1;
  }

  /** Takes the next value. */
  take(value: number): void {
    const { row, inputs, position } = this;
    const before = position === 0 ? value : (row[1] ?? 0);
    row[1] = value;
    inputs[0] = this.cut(value - before);
    let faster = value;
    for (let which = 0; which < GAINS.length; which += 1) {
      const mean = row[2 + which] ?? 0;
      const next = position === 0 ? value : mean + (GAINS[which] ?? 1) * (value - mean);
      row[2 + which] = next;
      inputs[1 + which] = this.cut(faster - next);
      faster = next;
    }
    inputs[1 + GAINS.length] = this.cut(faster - this.measure.mean);
    this.position = position + 1;
    const atMs = this.clock.startMs + this.position * this.clock.stepMs;
    const day = (2 * Math.PI * (atMs % DAY_MS)) / DAY_MS;
    const week = (2 * Math.PI * (atMs % WEEK_MS)) / WEEK_MS;
    inputs[INPUTS - 4] = Math.sin(day);
    inputs[INPUTS - 3] = Math.cos(day);
    inputs[INPUTS - 2] = Math.sin(week);
    inputs[INPUTS - 1] = Math.cos(week);
  }

  save(): ModelState {
    return { ...this.clock, ...this.measure, row: this.row.slice(), position: this.position };
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  static restore(state: ModelState): LstmFeatures {
    const features = new LstmFeatures(
      { startMs: numberIn(state, 'startMs'), stepMs: numberIn(state, 'stepMs') },
      { mean: numberIn(state, 'mean'), deviation: numberIn(state, 'deviation') },
    );
    features.row.set(figuresIn(state, 'row', BLEND_COLUMNS));
    features.position = countIn(state, 'position');
    return features;
  }

  private cut(value: number): number {
    return Math.min(INPUT_MAX, Math.max(-INPUT_MAX, value / this.measure.deviation));
  }
}
