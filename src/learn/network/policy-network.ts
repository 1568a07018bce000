/** The policy: what to do for each service, from its own figures and those of all together. */
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

/** Mean actions of services in any number and order: change their order, and their actions' order changes alike. */
export class PolicyNetwork {
  /** Mean actions: rows x service actions. */
  means: Float64Array = new Float64Array(0);
  /** The number of its parameters. */
  readonly parameters: number;
  private readonly encoder: ServiceEncoder;
  private readonly ofEncoded: Layer;
  private readonly ofContext: Layer;
  private readonly biasAt: number;
  private readonly last: Layer;
  private readonly lastBiasAt: number;
  /** The sample's part of the hidden layer: samples x units. */
  private shared: Float64Array = new Float64Array(0);
  private hidden: Float64Array = new Float64Array(0);
  private hiddenSlopes: Float64Array = new Float64Array(0);
  private encodedSlopes: Float64Array = new Float64Array(0);
  private contextSlopes: Float64Array = new Float64Array(0);

  constructor(
    private readonly shape: EnvironmentShape,
    private readonly units: number,
  ) {
    const { serviceActions } = shape;
    this.encoder = new ServiceEncoder(shape, units, 0);
    const { contextWidth, parameters } = this.encoder;
    this.ofEncoded = { inputs: units, outputs: units, at: parameters };
    this.ofContext = { inputs: contextWidth, outputs: units, at: parameters + units * units };
    this.biasAt = this.ofContext.at + units * contextWidth;
    this.last = { inputs: units, outputs: serviceActions, at: this.biasAt + units };
    this.lastBiasAt = this.last.at + units * serviceActions;
    this.parameters = this.lastBiasAt + serviceActions;
  }

  /** Parameters to start from; the last layer's are so small that at first hardly anything is done. */
  start(random: Random, lastGain: number): Float64Array {
    const { shape, units } = this;
    const weights = new StartingWeights(this.parameters, random);
    weights.encoder(shape, units);
    weights.joined(units, [units, this.encoder.contextWidth]);
    weights.put(orthogonal(shape.serviceActions, units, lastGain, random));
    return weights.all;
  }

  /** Fills `means`. */
  forward(batch: ServiceBatch, weights: Float64Array): void {
    const { units, encoder } = this;
    const { samples, starts } = batch;
    const rows = rowsOf(batch);
    this.makeRoom(rows, samples);
    encoder.forward(batch, weights);
    const { shared, hidden, means } = this;
    setBiases(weights, this.biasAt, units, samples, shared);
    addProducts(this.ofContext, weights, encoder.context, samples, shared);
    for (let sample = 0; sample < samples; sample += 1) {
      const from = sample * units;
      const end = starts[sample + 1]! * units;
      for (let to = starts[sample]! * units; to < end; to += units) {
        for (let unit = 0; unit < units; unit += 1) hidden[to + unit] = shared[from + unit]!;
      }
    }
    addProducts(this.ofEncoded, weights, encoder.encoded, rows, hidden);
    squash(hidden, rows * units);
    setBiases(weights, this.lastBiasAt, this.last.outputs, rows, means);
    addProducts(this.last, weights, hidden, rows, means);
  }

  /**
   * Adds to the gradient, after `forward` of the same batch.
   * @param meanSlopes of the loss by each mean action: rows x service actions.
   */
  backward(
    batch: ServiceBatch,
    weights: Float64Array,
    meanSlopes: Float64Array,
    gradient: Float64Array,
  ): void {
    const { units, encoder, last, hidden, hiddenSlopes, encodedSlopes, contextSlopes, shared } = this;
    const { samples, starts } = batch;
    const rows = rowsOf(batch);
    addWeightSlopes(last, meanSlopes, hidden, rows, gradient);
    addBiasSlopes(meanSlopes, last.outputs, rows, gradient, this.lastBiasAt);
    hiddenSlopes.fill(0, 0, rows * units);
    addInputSlopes(last, weights, meanSlopes, rows, hiddenSlopes);
    unsquash(hiddenSlopes, hidden, rows * units);
    addWeightSlopes(this.ofEncoded, hiddenSlopes, encoder.encoded, rows, gradient);
    // The samples' part of the hidden layer has served its turn: its room takes the slopes.
    for (let sample = 0; sample < samples; sample += 1) {
      const to = sample * units;
      for (let unit = 0; unit < units; unit += 1) shared[to + unit] = 0;
      const end = starts[sample + 1]! * units;
      for (let from = starts[sample]! * units; from < end; from += units) {
        for (let unit = 0; unit < units; unit += 1) {
          shared[to + unit] = shared[to + unit]! + hiddenSlopes[from + unit]!;
        }
      }
    }
    addWeightSlopes(this.ofContext, shared, encoder.context, samples, gradient);
    addBiasSlopes(shared, units, samples, gradient, this.biasAt);
    encodedSlopes.fill(0, 0, rows * units);
    contextSlopes.fill(0, 0, samples * encoder.contextWidth);
    addInputSlopes(this.ofEncoded, weights, hiddenSlopes, rows, encodedSlopes);
    addInputSlopes(this.ofContext, weights, shared, samples, contextSlopes);
    encoder.backward(batch, encodedSlopes, contextSlopes, gradient);
  }

  private makeRoom(rows: number, samples: number): void {
    const { units } = this;
    this.means = roomFor(this.means, rows * this.last.outputs);
    this.shared = roomFor(this.shared, samples * units);
    this.hidden = roomFor(this.hidden, rows * units);
    this.hiddenSlopes = roomFor(this.hiddenSlopes, rows * units);
    this.encodedSlopes = roomFor(this.encodedSlopes, rows * units);
    this.contextSlopes = roomFor(this.contextSlopes, samples * this.encoder.contextWidth);
  }
}
