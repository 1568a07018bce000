/**
 * A long short-term memory layer with linear heads (Hochreiter and Schmidhuber, "Long short-term memory", 1997; with the
 * forget gate of Gers et al., 2000), forwards and backwards through time, on typed arrays alone.
 */
import type { Random } from './random';

/** Sizes of a net. */
export interface LstmShape {
  readonly inputs: number;
  readonly units: number;
  readonly outputs: number;
}

/** Gates in the order of their rows: input, forget, candidate, output. */
const GATES = 4;
/** A forget gate that starts open lets the first gradients pass. */
const FORGET_START = 1;

/** The number of weights of a net. */
export function weightCount({ inputs, units, outputs }: LstmShape): number {
  return GATES * units * (inputs + units + 1) + outputs * (units + 1);
}

/** Weights to start from: even within the fan-in's bound, biases 0, the heads 0 so that nothing is foretold at first. */
export function startingWeights(shape: LstmShape, random: Random): Float64Array {
  const { inputs, units } = shape;
  const weights = new Float64Array(weightCount(shape));
  const width = inputs + units + 1;
  const bound = 1 / Math.sqrt(inputs + units);
  for (let row = 0; row < GATES * units; row += 1) {
    for (let at = 0; at < width - 1; at += 1) weights[row * width + at] = bound * (2 * random.next() - 1);
    weights[row * width + width - 1] = row >= units && row < 2 * units ? FORGET_START : 0;
  }
  return weights;
}

/** What a step leaves behind for the way back. */
interface Trace {
  /** Inputs, the hidden state before, and 1. */
  readonly joined: Float64Array;
  readonly gates: Float64Array;
  readonly cellBefore: Float64Array;
  readonly squashed: Float64Array;
  readonly hidden: Float64Array;
}

/** The running part: weights, the hidden state and the cell. */
export class LstmNet {
  readonly hidden: Float64Array;
  readonly cell: Float64Array;
  private readonly joined: Float64Array;
  private readonly gates: Float64Array;
  private readonly squashed: Float64Array;

  constructor(
    readonly shape: LstmShape,
    readonly weights: Float64Array,
  ) {
    const { inputs, units } = shape;
    this.hidden = new Float64Array(units);
    this.cell = new Float64Array(units);
    this.joined = new Float64Array(inputs + units + 1);
    this.joined[inputs + units] = 1;
    this.gates = new Float64Array(GATES * units);
    this.squashed = new Float64Array(units);
  }

  /** Forgets everything seen. */
  reset(): void {
    this.hidden.fill(0);
    this.cell.fill(0);
  }

  /** Takes the inputs of a step, which begin at `from`. */
  step(inputs: Float64Array, from: number): void {
    const { shape, weights, joined, gates, hidden, cell, squashed } = this;
    const { units } = shape;
    for (let at = 0; at < shape.inputs; at += 1) joined[at] = inputs[from + at]!;
    joined.set(hidden, shape.inputs);
    const width = joined.length;
    const block = units * width;
    for (let unit = 0; unit < units; unit += 1) {
      // Four sums at a time do not wait for each other: a third of the time of one after another.
      let first = unit * width;
      let input = 0;
      let forget = 0;
      let candidate = 0;
      let output = 0;
      for (let at = 0; at < width; at += 1, first += 1) {
        const value = joined[at]!;
        input += weights[first]! * value;
        forget += weights[first + block]! * value;
        candidate += weights[first + 2 * block]! * value;
        output += weights[first + 3 * block]! * value;
      }
      gates[unit] = input = sigmoid(input);
      gates[units + unit] = forget = sigmoid(forget);
      gates[2 * units + unit] = candidate = Math.tanh(candidate);
      gates[3 * units + unit] = output = sigmoid(output);
      const kept = forget * cell[unit]! + input * candidate;
      cell[unit] = kept;
      const curve = Math.tanh(kept);
      squashed[unit] = curve;
      hidden[unit] = output * curve;
    }
  }

  /** What one head says of the hidden state. */
  output(head: number): number {
    return headOutput(this.shape, this.weights, this.hidden, head);
  }

  /** Takes a step, and leaves a trace of it. */
  tracedStep(inputs: Float64Array, from: number, trace: Trace): void {
    trace.cellBefore.set(this.cell);
    this.step(inputs, from);
    trace.joined.set(this.joined);
    trace.gates.set(this.gates);
    trace.squashed.set(this.squashed);
    trace.hidden.set(this.hidden);
  }
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

function headOutput(shape: LstmShape, weights: Float64Array, hidden: Float64Array, head: number): number {
  const { inputs, units } = shape;
  const start = GATES * units * (inputs + units + 1) + head * (units + 1);
  let sum = weights[start + units]!;
  for (let unit = 0; unit < units; unit += 1) sum += weights[start + unit]! * hidden[unit]!;
  return sum;
}

/** The way back through up to `steps` steps. */
export class LstmTape {
  private readonly traces: readonly Trace[];
  private readonly toHidden: Float64Array;
  private readonly toCell: Float64Array;
  private readonly toGates: Float64Array;

  constructor(
    private readonly shape: LstmShape,
    steps: number,
  ) {
    const { inputs, units } = shape;
    this.traces = Array.from({ length: steps }, () => ({
      joined: new Float64Array(inputs + units + 1),
      gates: new Float64Array(GATES * units),
      cellBefore: new Float64Array(units),
      squashed: new Float64Array(units),
      hidden: new Float64Array(units),
    }));
    this.toHidden = new Float64Array(units);
    this.toCell = new Float64Array(units);
    this.toGates = new Float64Array(GATES * units);
  }

  /** Takes step `at` of the tape with a net. */
  record(net: LstmNet, at: number, inputs: Float64Array, from: number): void {
    net.tracedStep(inputs, from, this.trace(at));
  }

  /**
   * Adds to `gradient` what `slopes` (of the loss by each output, row by row for the steps) make of each weight. What
   * went into the first step is taken as given.
   */
  backward(net: LstmNet, steps: number, slopes: Float64Array, gradient: Float64Array): void {
    const { toHidden, toCell } = this;
    toHidden.fill(0);
    toCell.fill(0);
    for (let at = steps - 1; at >= 0; at -= 1) {
      const trace = this.trace(at);
      this.throughHeads(net.weights, trace.hidden, slopes.subarray(at * this.shape.outputs), gradient);
      this.throughGates(trace);
      this.throughWeights(net.weights, trace.joined, gradient);
    }
  }

  private throughHeads(
    weights: Float64Array,
    hidden: Float64Array,
    slopes: Float64Array,
    gradient: Float64Array,
  ): void {
    const { inputs, units, outputs } = this.shape;
    const { toHidden } = this;
    for (let head = 0; head < outputs; head += 1) {
      const slope = slopes[head]!;
      if (slope === 0) continue;
      const start = GATES * units * (inputs + units + 1) + head * (units + 1);
      for (let unit = 0; unit < units; unit += 1) {
        gradient[start + unit] = gradient[start + unit]! + slope * hidden[unit]!;
        toHidden[unit] = toHidden[unit]! + slope * weights[start + unit]!;
      }
      gradient[start + units] = gradient[start + units]! + slope;
    }
  }

  private throughGates({ gates, cellBefore, squashed }: Trace): void {
    const { units } = this.shape;
    const { toHidden, toCell, toGates } = this;
    for (let unit = 0; unit < units; unit += 1) {
      const input = gates[unit]!;
      const forget = gates[units + unit]!;
      const candidate = gates[2 * units + unit]!;
      const output = gates[3 * units + unit]!;
      const curve = squashed[unit]!;
      const byCell = toCell[unit]! + toHidden[unit]! * output * (1 - curve * curve);
      toGates[unit] = byCell * candidate * input * (1 - input);
      toGates[units + unit] = byCell * cellBefore[unit]! * forget * (1 - forget);
      toGates[2 * units + unit] = byCell * input * (1 - candidate * candidate);
      toGates[3 * units + unit] = toHidden[unit]! * curve * output * (1 - output);
      toCell[unit] = byCell * forget;
    }
  }

  private throughWeights(weights: Float64Array, joined: Float64Array, gradient: Float64Array): void {
    const { inputs, units } = this.shape;
    const { toHidden, toGates } = this;
    const width = joined.length;
    toHidden.fill(0);
    for (let row = 0; row < toGates.length; row += 1) {
      const slope = toGates[row]!;
      const start = row * width;
      for (let at = 0; at < width; at += 1)
        gradient[start + at] = gradient[start + at]! + slope * joined[at]!;
      for (let unit = 0; unit < units; unit += 1) {
        toHidden[unit] = toHidden[unit]! + slope * weights[start + inputs + unit]!;
      }
    }
  }

  private trace(at: number): Trace {
    const trace = this.traces[at];
    if (trace === undefined) throw new RangeError(`a tape of ${this.traces.length} steps has no step ${at}`);
    return trace;
  }
}
