/**
 * Trains an LSTM to foretell several targets a step: streams of the series in parallel, truncated backpropagation through
 * time, Adam, and an early stop by what the last part of the series, which is not trained on, says.
 */
import { Adam } from '../numeric/adam';
import { LstmNet, LstmTape, startingWeights } from '../numeric/lstm-net';
import type { Random } from '../numeric/random';

/** What is learned: rows of inputs, and of targets, for each step. A missing target is NaN. */
export interface Lessons {
  readonly inputs: Float64Array;
  readonly targets: Float64Array;
  /** Steps. */
  readonly count: number;
  /** The first step that is held out. No target of a step before it may look beyond it. */
  readonly heldOut: number;
}

/** How long and how fast is learned. */
export interface TrainingOptions {
  readonly units: number;
  /** Passes over the series, at most. */
  readonly epochs: number;
  /** Steps learned from in all, at most, so that a long series takes no longer. */
  readonly steps: number;
  readonly rate: number;
}

/** The defaults: about a second on one core for 4,032 values. */
export const TRAINING: TrainingOptions = { units: 32, epochs: 40, steps: 120_000, rate: 0.005 };

const STREAMS = 4;
/** Steps that a gradient goes back through. */
const SEGMENT_STEPS = 24;
const NORM_MAX = 1;
/** Passes without a gain on the part held out, after which it ends. */
const PATIENCE = 8;

/** The net that did best on the part held out; its state is blank. */
export function trainedNet(
  lessons: Lessons,
  outputs: number,
  options: TrainingOptions,
  random: Random,
): LstmNet {
  const inputs = lessons.inputs.length / lessons.count;
  const shape = { inputs, units: options.units, outputs };
  const net = new LstmNet(shape, startingWeights(shape, random));
  const best = net.weights.slice();
  const course = new Course(net, lessons);
  const epochs = Math.min(options.epochs, Math.ceil(options.steps / Math.max(1, lessons.heldOut)));
  let leastLoss = course.heldOutLoss();
  for (let epoch = 0, worse = 0; epoch < epochs && worse < PATIENCE; epoch += 1) {
    // The rate falls to nothing by half a cosine, so that the last passes settle.
    course.pass(options.rate * 0.5 * (1 + Math.cos((Math.PI * epoch) / epochs)), random);
    const loss = course.heldOutLoss();
    worse += 1;
    if (loss >= leastLoss) continue;
    worse = 0;
    leastLoss = loss;
    best.set(net.weights);
  }
  return new LstmNet(shape, best);
}

/** The loss of an error: square near 0, straight beyond 1, so that a spike teaches no more than it must (Huber, 1964). */
export function huber(error: number): number {
  const size = Math.abs(error);
  return size <= 1 ? (error * error) / 2 : size - 0.5;
}

/** One net learning one set of lessons. */
class Course {
  private readonly gradient: Float64Array;
  private readonly slopes: Float64Array;
  private readonly tape: LstmTape;
  private readonly adam: Adam;
  private readonly outputs: number;
  private readonly inputs: number;
  private readonly states: readonly { readonly hidden: Float64Array; readonly cell: Float64Array }[];

  constructor(
    private readonly net: LstmNet,
    private readonly lessons: Lessons,
  ) {
    this.outputs = net.shape.outputs;
    this.inputs = net.shape.inputs;
    this.gradient = new Float64Array(net.weights.length);
    this.slopes = new Float64Array(SEGMENT_STEPS * this.outputs);
    this.tape = new LstmTape(net.shape, SEGMENT_STEPS);
    this.adam = new Adam(net.weights, NORM_MAX);
    this.states = Array.from({ length: STREAMS }, () => ({
      hidden: new Float64Array(net.shape.units),
      cell: new Float64Array(net.shape.units),
    }));
  }

  /** Learns from all steps before the part held out, once; where segments begin differs from pass to pass. */
  pass(rate: number, random: Random): void {
    const { heldOut } = this.lessons;
    const stream = Math.ceil(heldOut / STREAMS);
    const shift = Math.floor(random.next() * Math.min(SEGMENT_STEPS, stream));
    for (const { hidden, cell } of this.states) {
      hidden.fill(0);
      cell.fill(0);
    }
    for (let from = -shift; from < stream; from += SEGMENT_STEPS) {
      this.gradient.fill(0);
      let targets = 0;
      this.states.forEach((state, which) => {
        const first = which * stream;
        const begin = first + Math.max(0, from);
        const end = Math.min(first + Math.min(stream, from + SEGMENT_STEPS), heldOut);
        targets += this.segment(state, begin, end);
      });
      if (targets === 0) continue;
      for (let at = 0; at < this.gradient.length; at += 1) this.gradient[at] = this.gradient[at]! / targets;
      this.adam.step(this.gradient, rate);
    }
  }

  /** The mean loss on the part held out, after all before it. */
  heldOutLoss(): number {
    const { net, lessons, inputs, outputs } = this;
    net.reset();
    let sum = 0;
    let known = 0;
    for (let at = 0; at < lessons.count; at += 1) {
      net.step(lessons.inputs, at * inputs);
      if (at < lessons.heldOut) continue;
      for (let head = 0; head < outputs; head += 1) {
        const target = lessons.targets[at * outputs + head]!;
        if (Number.isNaN(target)) continue;
        sum += huber(net.output(head) - target);
        known += 1;
      }
    }
    return known === 0 ? 0 : sum / known;
  }

  /** Adds the gradient of steps `begin` to `end` of a stream. @returns how many targets there were. */
  private segment(
    state: { readonly hidden: Float64Array; readonly cell: Float64Array },
    begin: number,
    end: number,
  ): number {
    const { net, lessons, slopes, outputs } = this;
    const steps = Math.max(0, end - begin);
    let known = 0;
    net.hidden.set(state.hidden);
    net.cell.set(state.cell);
    for (let step = 0; step < steps; step += 1) {
      this.tape.record(net, step, lessons.inputs, (begin + step) * this.inputs);
      for (let head = 0; head < outputs; head += 1) {
        const target = lessons.targets[(begin + step) * outputs + head]!;
        const missing = Number.isNaN(target);
        if (!missing) known += 1;
        slopes[step * outputs + head] = missing ? 0 : Math.min(1, Math.max(-1, net.output(head) - target));
      }
    }
    state.hidden.set(net.hidden);
    state.cell.set(net.cell);
    this.tape.backward(net, steps, slopes, this.gradient);
    return known;
  }
}
