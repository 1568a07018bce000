import { Adam } from '../../../src/forecast/numeric/adam';
import { LstmNet, LstmTape, startingWeights, weightCount } from '../../../src/forecast/numeric/lstm-net';
import { seededRandom } from '../../../src/forecast/numeric/random';

const SHAPE = { inputs: 3, units: 4, outputs: 2 };
const STEPS = 6;

/** A net with every weight at work, and inputs and wanted outputs for a few steps. */
function lesson(): { weights: Float64Array; inputs: Float64Array; wanted: Float64Array } {
  const random = seededRandom(12);
  return {
    weights: startingWeights(SHAPE, random).map((weight) => weight + 0.3 * random.normal()),
    inputs: Float64Array.from({ length: STEPS * SHAPE.inputs }, () => random.normal()),
    wanted: Float64Array.from({ length: STEPS * SHAPE.outputs }, () => random.normal()),
  };
}

function loss(weights: Float64Array, inputs: Float64Array, wanted: Float64Array): number {
  const net = new LstmNet(SHAPE, weights);
  let sum = 0;
  for (let step = 0; step < STEPS; step += 1) {
    net.step(inputs, step * SHAPE.inputs);
    for (let head = 0; head < SHAPE.outputs; head += 1) {
      sum += (net.output(head) - (wanted[step * SHAPE.outputs + head] ?? 0)) ** 2 / 2;
    }
  }
  return sum;
}

describe('the LSTM net', () => {
  it('computes a step as its equations say', () => {
    const shape = { inputs: 1, units: 1, outputs: 1 };
    // Rows of input, hidden state and bias for the input, forget, candidate and output gates; then the head.
    const weights = Float64Array.of(
      0.5,
      -0.2,
      0.1,
      0.3,
      0.4,
      -0.1,
      0.7,
      0.6,
      0.2,
      -0.5,
      0.8,
      0.05,
      1.5,
      0.25,
    );
    const net = new LstmNet(shape, weights);
    const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
    let hidden = 0;
    let cell = 0;
    for (const input of [0.9, -1.3]) {
      const gate = (row: number): number =>
        (weights[row * 3] ?? 0) * input + (weights[row * 3 + 1] ?? 0) * hidden + (weights[row * 3 + 2] ?? 0);
      const [i, f, g, o] = [sigmoid(gate(0)), sigmoid(gate(1)), Math.tanh(gate(2)), sigmoid(gate(3))];
      cell = f * cell + i * g;
      hidden = o * Math.tanh(cell);
      net.step(Float64Array.of(input), 0);
    }
    expect(net.hidden[0]).toBeCloseTo(hidden, 14);
    expect(net.cell[0]).toBeCloseTo(cell, 14);
    expect(net.output(0)).toBeCloseTo(1.5 * hidden + 0.25, 14);
  });

  it('has the gradient that finite differences give, for every weight', () => {
    const { weights, inputs, wanted } = lesson();
    const net = new LstmNet(SHAPE, weights);
    const tape = new LstmTape(SHAPE, STEPS);
    const slopes = new Float64Array(STEPS * SHAPE.outputs);
    for (let step = 0; step < STEPS; step += 1) {
      tape.record(net, step, inputs, step * SHAPE.inputs);
      for (let head = 0; head < SHAPE.outputs; head += 1) {
        const at = step * SHAPE.outputs + head;
        slopes[at] = net.output(head) - (wanted[at] ?? 0);
      }
    }
    const gradient = new Float64Array(weightCount(SHAPE));
    tape.backward(net, STEPS, slopes, gradient);
    const by = 1e-5;
    weights.forEach((weight, at) => {
      const moved = (to: number): Float64Array => weights.map((old, which) => (which === at ? to : old));
      const slope =
        (loss(moved(weight + by), inputs, wanted) - loss(moved(weight - by), inputs, wanted)) / (2 * by);
      expect(Math.abs((gradient[at] ?? 0) - slope)).toBeLessThan(1e-7 + 1e-6 * Math.abs(slope));
    });
  });

  it('foretells nothing before it has learned', () => {
    const net = new LstmNet(SHAPE, startingWeights(SHAPE, seededRandom(1)));
    net.step(Float64Array.of(1, -2, 3), 0);
    expect([net.output(0), net.output(1)]).toEqual([0, 0]);
  });
});

describe('Adam', () => {
  it('finds the bottom of a bowl whose sides differ', () => {
    const weights = Float64Array.of(5, -3);
    const adam = new Adam(weights, 10);
    for (let step = 0; step < 4000; step += 1) {
      adam.step(Float64Array.of(2 * ((weights[0] ?? 0) - 1), 200 * ((weights[1] ?? 0) + 2)), 0.01);
    }
    expect(weights[0]).toBeCloseTo(1, 3);
    expect(weights[1]).toBeCloseTo(-2, 3);
  });

  it('leaves out a gradient that is not finite, and shortens long ones', () => {
    const weights = Float64Array.of(1, 1);
    const adam = new Adam(weights, 1);
    adam.step(Float64Array.of(NaN, 1), 0.1);
    expect([...weights]).toEqual([1, 1]);
    adam.step(Float64Array.of(1e200, 0), 0.1);
    expect([...weights]).toEqual([1, 1]);
    adam.step(Float64Array.of(1e100, 0), 0.1);
    expect(weights[0]).toBeCloseTo(0.9, 6);
  });
});
