/** The critic: what is still to come is worth, from all services' figures together. A network of its own, apart from the policy's. */
import type { Random } from '../../forecast/numeric/random';
import type { EnvironmentShape } from '../environment';
import { orthogonal } from './orthogonal';
import {
  addBiasSlopes,
  addInputSlopes,
  addProducts,
  addWeightSlopes,
  setBiases,
  type Layer,
} from './products';
import { roomFor, rowsOf, type ServiceBatch } from './service-batch';
import { ServiceEncoder } from './service-encoder';
import { squash, unsquash } from './squash';
import { StartingWeights } from './starting-weights';

/** One value for each sample, the same whatever the order of its services. */
export class ValueNetwork {
  /** A figure for each sample. */
  values: Float64Array = new Float64Array(0);
  /** The number of its parameters. */
  readonly parameters: number;
  private readonly encoder: ServiceEncoder;
  private readonly ofContext: Layer;
  private readonly biasAt: number;
  private readonly last: Layer;
  private readonly lastBiasAt: number;
  private hidden: Float64Array = new Float64Array(0);
  private hiddenSlopes: Float64Array = new Float64Array(0);
  private encodedSlopes: Float64Array = new Float64Array(0);
  private contextSlopes: Float64Array = new Float64Array(0);

  constructor(
    private readonly shape: EnvironmentShape,
    private readonly units: number,
  ) {
    this.encoder = new ServiceEncoder(shape, units, 0);
    const { contextWidth, parameters } = this.encoder;
    this.ofContext = { inputs: contextWidth, outputs: units, at: parameters };
    this.biasAt = parameters + units * contextWidth;
    this.last = { inputs: units, outputs: 1, at: this.biasAt + units };
    this.lastBiasAt = this.last.at + units;
    this.parameters = this.lastBiasAt + 1;
  }

  /** Parameters to start from. */
  start(random: Random): Float64Array {
    const weights = new StartingWeights(this.parameters, random);
    weights.encoder(this.shape, this.units);
    weights.joined(this.units, [this.encoder.contextWidth]);
    weights.put(orthogonal(1, this.units, 1, random));
    return weights.all;
  }

  /** Fills `values`. */
  forward(batch: ServiceBatch, weights: Float64Array): void {
    const { units, encoder } = this;
    const { samples } = batch;
    this.makeRoom(rowsOf(batch), samples);
    encoder.forward(batch, weights);
    setBiases(weights, this.biasAt, units, samples, this.hidden);
    addProducts(this.ofContext, weights, encoder.context, samples, this.hidden);
    squash(this.hidden, samples * units);
    setBiases(weights, this.lastBiasAt, 1, samples, this.values);
    addProducts(this.last, weights, this.hidden, samples, this.values);
  }

  /**
   * Adds to the gradient, after `forward` of the same batch.
   * @param valueSlopes of the loss by each value.
   */
  backward(
    batch: ServiceBatch,
    weights: Float64Array,
    valueSlopes: Float64Array,
    gradient: Float64Array,
  ): void {
    const { units, encoder, last, hidden, hiddenSlopes, contextSlopes, encodedSlopes } = this;
    const { samples } = batch;
    addWeightSlopes(last, valueSlopes, hidden, samples, gradient);
    addBiasSlopes(valueSlopes, 1, samples, gradient, this.lastBiasAt);
    hiddenSlopes.fill(0, 0, samples * units);
    addInputSlopes(last, weights, valueSlopes, samples, hiddenSlopes);
    unsquash(hiddenSlopes, hidden, samples * units);
    addWeightSlopes(this.ofContext, hiddenSlopes, encoder.context, samples, gradient);
    addBiasSlopes(hiddenSlopes, units, samples, gradient, this.biasAt);
    contextSlopes.fill(0, 0, samples * encoder.contextWidth);
    addInputSlopes(this.ofContext, weights, hiddenSlopes, samples, contextSlopes);
    encodedSlopes.fill(0, 0, rowsOf(batch) * units);
    encoder.backward(batch, encodedSlopes, contextSlopes, gradient);
  }

  private makeRoom(rows: number, samples: number): void {
    const { units } = this;
    this.values = roomFor(this.values, samples);
    this.hidden = roomFor(this.hidden, samples * units);
    this.hiddenSlopes = roomFor(this.hiddenSlopes, samples * units);
    this.encodedSlopes = roomFor(this.encodedSlopes, rows * units);
    this.contextSlopes = roomFor(this.contextSlopes, samples * this.encoder.contextWidth);
  }
}
