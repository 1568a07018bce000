/**
 * An LSTM that corrects a blend. Seasons are taken out as profiles; what is left is foretold at a few horizons by a linear
 * blend of the last value and running means, and the net foretells by how much the blend will be off. Its say at each
 * horizon is what the part of the series that it has not learned from supports, so that it does no harm where there is
 * nothing to learn.
 */
import { LstmNet, weightCount } from '../numeric/lstm-net';
import { RidgeSums } from '../numeric/least-squares';
import { seededRandom } from '../numeric/random';
import { scaleNamed } from '../scale';
import { deseasonalisedMethod } from './deseasonalised-method';
import { framedModel } from './framed-model';
import { BLEND_COLUMNS, INPUTS, LstmFeatures, type Measure, type StepClock } from './lstm-features';
import { TRAINING, trainedNet, type TrainingOptions } from './lstm-training';
import type { ModelKind, ModelState } from './model';
import type { Method, Recursion } from './recursion';
import { badState, countIn, figuresIn, stateIn } from './state';

/** The part of a series, at its end, that the net is not trained on: the part that errors are read from. */
const HELD_OUT_PART = 0.25;
/** The farthest horizon that is foretold by itself; later ones repeat it. */
const KNOT_MAX = 512;
/** A horizon needs this many times its steps to be learned. */
const STEPS_PER_KNOT = 8;
/** Targets beyond this many usual deviations are cut there. */
const TARGET_MAX = 5;
const BLEND_PENALTY = 1e-4;
const LEAST_SPREAD = 1e-9;
/** The largest net that a saved state may ask for. */
const UNITS_MAX = 256;

/** What is learned of a series. */
export interface LstmParameters {
  readonly clock: StepClock;
  readonly measure: Measure;
  /** Horizons that are foretold, ascending from 1. */
  readonly knots: Float64Array;
  /** Row by row for the knots. */
  readonly blend: Float64Array;
  /** How far off the blend usually is at each knot, times the net's say there. */
  readonly says: Float64Array;
  readonly units: number;
  readonly weights: Float64Array;
}

/** The method, with options for its training. */
export function lstmMethod(options: TrainingOptions): Method<LstmParameters> {
  return {
    estimate: (values, context) =>
      learned(values, { startMs: context.startMs, stepMs: context.stepMs }, options, context.seed),
    run(values, _context, parameters) {
      const recursion = LstmRecursion.of(parameters);
      for (const value of values) recursion.step(value);
      return recursion;
    },
    restore: (state) => LstmRecursion.restore(state),
  };
}

/** A model kind of the LSTM with options for its training. */
export function lstmKind(options: TrainingOptions): ModelKind {
  return framedModel('lstm', deseasonalisedMethod(lstmMethod(options), 1), {
    scale: scaleNamed('log'),
    minPoints: 64,
  });
}

/** The model kind `lstm`. */
export const LSTM: ModelKind = lstmKind(TRAINING);

function learned(
  values: Float64Array,
  clock: StepClock,
  options: TrainingOptions,
  seed: number,
): LstmParameters {
  const heldOut = values.length - Math.max(1, Math.floor(values.length * HELD_OUT_PART));
  const measure = measureOf(values.subarray(0, heldOut));
  const knots = knotsFor(heldOut);
  const { rows, inputs } = featureTable(values, clock, measure);
  const blend = new Float64Array(knots.length * BLEND_COLUMNS);
  const targets = new Float64Array(values.length * knots.length).fill(NaN);
  const spreads = new Float64Array(knots.length);
  knots.forEach((knot, which) => {
    blend.set(blendFor(values, rows, knot, heldOut), which * BLEND_COLUMNS);
    const off = Float64Array.from({ length: values.length - knot }, (_, at) => {
      return (values[at + knot] ?? 0) - weighted(blend, which, rows, at);
    });
    const spread = Math.max(LEAST_SPREAD, rootMeanSquare(off.subarray(0, heldOut - knot)));
    spreads[which] = spread;
    off.forEach((error, at) => {
      // A target beyond the part to learn from would tell of the part held out.
      if (at < heldOut && at + knot >= heldOut) return;
      targets[at * knots.length + which] = Math.min(TARGET_MAX, Math.max(-TARGET_MAX, error / spread));
    });
  });
  const lessons = { inputs, targets, count: values.length, heldOut };
  const net = trainedNet(lessons, knots.length, options, seededRandom(seed));
  const says = saysOf(net, lessons).map((say, which) => say * (spreads[which] ?? 0));
  return { clock, measure, knots, blend, says, units: options.units, weights: net.weights };
}

function knotsFor(steps: number): Float64Array {
  const knots = [1];
  for (let knot = 2; knot <= KNOT_MAX && knot * STEPS_PER_KNOT <= steps; knot *= 2) knots.push(knot);
  return Float64Array.from(knots);
}

function featureTable(
  values: Float64Array,
  clock: StepClock,
  measure: Measure,
): { readonly rows: Float64Array; readonly inputs: Float64Array } {
  const features = new LstmFeatures(clock, measure);
  const rows = new Float64Array(values.length * BLEND_COLUMNS);
  const inputs = new Float64Array(values.length * INPUTS);
  values.forEach((value, at) => {
    features.take(value);
    rows.set(features.row, at * BLEND_COLUMNS);
    inputs.set(features.inputs, at * INPUTS);
  });
  return { rows, inputs };
}

function blendFor(values: Float64Array, rows: Float64Array, knot: number, heldOut: number): Float64Array {
  const sums = new RidgeSums(BLEND_COLUMNS);
  for (let at = 0; at + knot < heldOut; at += 1)
    sums.add(rows, at * BLEND_COLUMNS, values[at + knot] ?? 0, 1);
  return sums.solve(BLEND_PENALTY);
}

/** Row `which` of a blend times row `at` of the features. */
function weighted(blend: Float64Array, which: number, rows: Float64Array, at: number): number {
  let sum = 0;
  for (let column = 0; column < BLEND_COLUMNS; column += 1) {
    sum += blend[which * BLEND_COLUMNS + column]! * rows[at * BLEND_COLUMNS + column]!;
  }
  return sum;
}

/**
 * The part of its correction at each horizon that the held-out values support, 0 to 1: the smaller of those of their two
 * halves, since what helps in one half alone is chance.
 */
function saysOf(
  net: LstmNet,
  lessons: {
    readonly inputs: Float64Array;
    readonly targets: Float64Array;
    readonly count: number;
    readonly heldOut: number;
  },
): Float64Array {
  const { outputs } = net.shape;
  const together = [new Float64Array(outputs), new Float64Array(outputs)] as const;
  const squares = [new Float64Array(outputs), new Float64Array(outputs)] as const;
  const middle = (lessons.heldOut + lessons.count) / 2;
  net.reset();
  for (let at = 0; at < lessons.count; at += 1) {
    net.step(lessons.inputs, at * INPUTS);
    if (at < lessons.heldOut) continue;
    const half = at < middle ? 0 : 1;
    for (let head = 0; head < outputs; head += 1) {
      const target = lessons.targets[at * outputs + head]!;
      if (Number.isNaN(target)) continue;
      const said = net.output(head);
      together[half][head] = together[half][head]! + said * target;
      squares[half][head] = squares[half][head]! + said * said;
    }
  }
  const part = (half: 0 | 1, head: number): number =>
    squares[half][head]! > 0 ? Math.min(1, Math.max(0, together[half][head]! / squares[half][head]!)) : 0;
  return Float64Array.from({ length: outputs }, (_, head) => Math.min(part(0, head), part(1, head)));
}

function measureOf(values: Float64Array): Measure {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return { mean, deviation: Math.max(LEAST_SPREAD, rootMeanSquare(values.map((value) => value - mean))) };
}

function rootMeanSquare(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / Math.max(1, values.length));
}

/** The running state: features, the net's state, and what was learned. */
export class LstmRecursion implements Recursion {
  private expected = NaN;

  private constructor(
    private readonly knots: Float64Array,
    private readonly blend: Float64Array,
    private readonly says: Float64Array,
    private readonly net: LstmNet,
    private readonly features: LstmFeatures,
  ) {}

  /** A recursion before its first value. */
  static of(parameters: LstmParameters): LstmRecursion {
    const { clock, measure, knots, blend, says, units, weights } = parameters;
    const net = new LstmNet({ inputs: INPUTS, units, outputs: knots.length }, weights);
    return new LstmRecursion(knots, blend, says, net, new LstmFeatures(clock, measure));
  }

  step(value: number): number {
    const { expected } = this;
    const missing = Number.isNaN(value);
    // A missing value counts as the one expected; before the first, as what the profiles say.
    const taken = missing ? (Number.isNaN(expected) ? 0 : expected) : value;
    this.features.take(taken);
    this.net.step(this.features.inputs, 0);
    this.expected = this.atKnot(0);
    if (missing) return NaN;
    return Number.isNaN(expected) ? 0 : value - expected;
  }

  ahead(horizon: number): Float64Array {
    const { knots } = this;
    const figures = Array.from(knots, (_, which) => this.atKnot(which));
    const out = new Float64Array(horizon);
    let which = 0;
    for (let step = 1; step <= horizon; step += 1) {
      while (which + 1 < knots.length && step >= knots[which + 1]!) which += 1;
      const from = figures[which] ?? 0;
      const to = figures[which + 1] ?? from;
      out[step - 1] = from + (to - from) * Math.min(1, Math.log2(step / knots[which]!));
    }
    return out;
  }

  save(): ModelState {
    const { net } = this;
    return {
      knots: this.knots.slice(),
      blend: this.blend.slice(),
      says: this.says.slice(),
      units: net.shape.units,
      weights: net.weights.slice(),
      hidden: net.hidden.slice(),
      cell: net.cell.slice(),
      features: this.features.save(),
      begun: Number.isNaN(this.expected) ? 0 : 1,
    };
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  static restore(state: ModelState): LstmRecursion {
    const knots = figuresIn(state, 'knots');
    if (knots.some((knot, which) => knot !== 2 ** which) || knots.length === 0 || knots.length > 16) {
      throw badState('its knots are not powers of two from 1');
    }
    const units = countIn(state, 'units', 1);
    if (units > UNITS_MAX) throw badState(`${units} units are more than ${UNITS_MAX}`);
    const shape = { inputs: INPUTS, units, outputs: knots.length };
    const net = new LstmNet(shape, figuresIn(state, 'weights', weightCount(shape)));
    net.hidden.set(figuresIn(state, 'hidden', units));
    net.cell.set(figuresIn(state, 'cell', units));
    const recursion = new LstmRecursion(
      knots,
      figuresIn(state, 'blend', knots.length * BLEND_COLUMNS),
      figuresIn(state, 'says', knots.length),
      net,
      LstmFeatures.restore(stateIn(state, 'features')),
    );
    if (countIn(state, 'begun') > 0) recursion.expected = recursion.atKnot(0);
    return recursion;
  }

  /** The blend's forecast at a knot, corrected. */
  private atKnot(which: number): number {
    const say = this.says[which]!;
    return weighted(this.blend, which, this.features.row, 0) + (say === 0 ? 0 : say * this.net.output(which));
  }
}
