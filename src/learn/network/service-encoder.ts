/**
 * The part of a network that looks at each service by itself, with the same weights, and then at all of them together by their
 * mean and their largest figures: whatever the order of services, the pooled figures are the same (M. Zaheer et al., "Deep
 * sets", 2017).
 */
import type { EnvironmentShape } from '../environment';
import { addBiasSlopes, addProducts, addWeightSlopes, setBiases, type Layer } from './products';
import { squash, unsquash } from './squash';
import { roomFor, rowsOf, type ServiceBatch } from './service-batch';

/** Looks at services; weights are read from, and slopes added to, a part of a network's parameters. */
export class ServiceEncoder {
  /** Rows x `units`. */
  encoded: Float64Array = new Float64Array(0);
  /** Samples x (2 `units` + global features): means, largest figures, and the global features as they came. */
  context: Float64Array = new Float64Array(0);
  readonly contextWidth: number;
  /** Parameters from where it begins. */
  readonly parameters: number;
  private readonly ofService: Layer;
  private readonly ofGlobal: Layer;
  private readonly biasAt: number;
  /** The sample's part of each unit, the same for all its services: samples x units. */
  private shared: Float64Array = new Float64Array(0);
  private sharedSlopes: Float64Array = new Float64Array(0);
  /** Which row had the largest figure: samples x units. */
  private largest = new Int32Array(0);

  constructor(
    private readonly shape: EnvironmentShape,
    private readonly units: number,
    at: number,
  ) {
    const { serviceFeatures, globalFeatures } = shape;
    this.ofService = { inputs: serviceFeatures, outputs: units, at };
    this.ofGlobal = { inputs: globalFeatures, outputs: units, at: at + units * serviceFeatures };
    this.biasAt = at + units * (serviceFeatures + globalFeatures);
    this.parameters = units * (serviceFeatures + globalFeatures + 1);
    this.contextWidth = 2 * units + globalFeatures;
  }

  /** Fills `encoded` and `context`. */
  forward(batch: ServiceBatch, weights: Float64Array): void {
    const { units } = this;
    const { samples, starts } = batch;
    const rows = rowsOf(batch);
    this.makeRoom(rows, samples);
    const { shared, encoded } = this;
    setBiases(weights, this.biasAt, units, samples, shared);
    addProducts(this.ofGlobal, weights, batch.global, samples, shared);
    for (let sample = 0; sample < samples; sample += 1) {
      const from = sample * units;
      const end = starts[sample + 1]! * units;
      for (let to = starts[sample]! * units; to < end; to += units) {
        for (let unit = 0; unit < units; unit += 1) encoded[to + unit] = shared[from + unit]!;
      }
    }
    addProducts(this.ofService, weights, batch.perService, rows, encoded);
    squash(encoded, rows * units);
    this.pool(batch);
  }

  /**
   * Adds to the gradient.
   * @param encodedSlopes rows x units; overwritten.
   * @param contextSlopes samples x context width.
   */
  backward(
    batch: ServiceBatch,
    encodedSlopes: Float64Array,
    contextSlopes: Float64Array,
    gradient: Float64Array,
  ): void {
    const { units, sharedSlopes } = this;
    const { samples, starts } = batch;
    const rows = rowsOf(batch);
    this.unpool(batch, encodedSlopes, contextSlopes);
    unsquash(encodedSlopes, this.encoded, rows * units);
    addWeightSlopes(this.ofService, encodedSlopes, batch.perService, rows, gradient);
    for (let sample = 0; sample < samples; sample += 1) {
      const to = sample * units;
      for (let unit = 0; unit < units; unit += 1) sharedSlopes[to + unit] = 0;
      const end = starts[sample + 1]! * units;
      for (let from = starts[sample]! * units; from < end; from += units) {
        for (let unit = 0; unit < units; unit += 1) {
          sharedSlopes[to + unit] = sharedSlopes[to + unit]! + encodedSlopes[from + unit]!;
        }
      }
    }
    addWeightSlopes(this.ofGlobal, sharedSlopes, batch.global, samples, gradient);
    addBiasSlopes(sharedSlopes, units, samples, gradient, this.biasAt);
  }

  private makeRoom(rows: number, samples: number): void {
    const { units } = this;
    this.encoded = roomFor(this.encoded, rows * units);
    this.context = roomFor(this.context, samples * this.contextWidth);
    this.shared = roomFor(this.shared, samples * units);
    this.sharedSlopes = roomFor(this.sharedSlopes, samples * units);
    if (this.largest.length < samples * units) this.largest = new Int32Array(this.shared.length);
  }

  /** Means and largest figures of each sample's services; 0 where it has none. */
  private pool({ samples, starts, global }: ServiceBatch): void {
    const { units, encoded, context, contextWidth, largest } = this;
    const { globalFeatures } = this.shape;
    for (let sample = 0; sample < samples; sample += 1) {
      const start = starts[sample]!;
      const end = starts[sample + 1]!;
      const to = sample * contextWidth;
      const part = end > start ? 1 / (end - start) : 0;
      for (let unit = 0; unit < units; unit += 1) {
        let sum = 0;
        let most = end > start ? -Infinity : 0;
        let mostAt = start;
        for (let row = start; row < end; row += 1) {
          const value = encoded[row * units + unit]!;
          sum += value;
          if (value > most) {
            most = value;
            mostAt = row;
          }
        }
        context[to + unit] = sum * part;
        context[to + units + unit] = most;
        largest[sample * units + unit] = mostAt;
      }
      for (let feature = 0; feature < globalFeatures; feature += 1) {
        context[to + 2 * units + feature] = global[sample * globalFeatures + feature]!;
      }
    }
  }

  /** What the slopes of pooled figures mean for each service's. */
  private unpool(
    { samples, starts }: ServiceBatch,
    encodedSlopes: Float64Array,
    contextSlopes: Float64Array,
  ): void {
    const { units, contextWidth, largest } = this;
    for (let sample = 0; sample < samples; sample += 1) {
      const start = starts[sample]!;
      const end = starts[sample + 1]!;
      if (end === start) continue;
      const from = sample * contextWidth;
      const part = 1 / (end - start);
      for (let row = start; row < end; row += 1) {
        const to = row * units;
        for (let unit = 0; unit < units; unit += 1) {
          encodedSlopes[to + unit] = encodedSlopes[to + unit]! + part * contextSlopes[from + unit]!;
        }
      }
      for (let unit = 0; unit < units; unit += 1) {
        const to = largest[sample * units + unit]! * units + unit;
        encodedSlopes[to] = encodedSlopes[to]! + contextSlopes[from + units + unit]!;
      }
    }
  }
}
