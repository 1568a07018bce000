/** Fills a network's parameters in the order of its layers. Biases stay 0. */
import type { Random } from '../../forecast/numeric/random';
import type { EnvironmentShape } from '../environment';
import { orthogonal } from './orthogonal';

/** What keeps the spread of figures about the same through a layer with tanh. */
const HIDDEN_GAIN = Math.SQRT2;

/** Parameters in the making. */
export class StartingWeights {
  readonly all: Float64Array;
  private at = 0;

  constructor(
    parameters: number,
    private readonly random: Random,
  ) {
    this.all = new Float64Array(parameters);
  }

  /** The layer of a `ServiceEncoder`. */
  encoder({ serviceFeatures, globalFeatures }: EnvironmentShape, units: number): void {
    this.joined(units, [serviceFeatures, globalFeatures]);
  }

  /** A hidden layer whose inputs come in parts, each a matrix of its own; then its biases. */
  joined(units: number, parts: readonly number[]): void {
    const inputs = parts.reduce((sum, part) => sum + part, 0);
    const whole = orthogonal(units, inputs, HIDDEN_GAIN, this.random);
    let column = 0;
    for (const part of parts) {
      for (let unit = 0; unit < units; unit += 1) {
        const from = unit * inputs + column;
        this.put(whole.subarray(from, from + part));
      }
      column += part;
    }
    this.at += units;
  }

  /** Weights as they are. */
  put(weights: Float64Array): void {
    this.all.set(weights, this.at);
    this.at += weights.length;
  }
}
