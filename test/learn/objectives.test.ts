/** What is made small: values worked out by hand, and slopes against finite differences through the whole policy. */
import { seededRandom } from '../../src/forecast/numeric/random';
import { PolicyNetwork } from '../../src/learn/network/policy-network';
import { ValueNetwork } from '../../src/learn/network/value-network';
import { entropy, logProbability } from '../../src/learn/ppo/gaussian';
import { PolicyObjective, type ActedSteps } from '../../src/learn/ppo/policy-objective';
import { ValueObjective } from '../../src/learn/ppo/value-objective';
import { differences, mismatch, randomBatch } from './parts/batches';

describe('a normal distribution', () => {
  test.each([
    [0, 0, 1, -0.9189385332046727],
    [1, 0, 1, -1.4189385332046727],
    [0.3, 0.1, 0.1, -0.9189385332046727 + Math.log(10) - 2],
  ])('gives %p about %p with deviation %p the density e^%p', (action, mean, deviation, expected) => {
    const density = logProbability(
      Float64Array.of(9, action),
      1,
      Float64Array.of(mean),
      0,
      Float64Array.of(deviation),
    );
    expect(density).toBeCloseTo(expected, 12);
  });

  test('has the entropy that its densities have on average', () => {
    const deviations = Float64Array.of(0.3, 2);
    const random = seededRandom(1);
    const means = Float64Array.of(1, -1);
    let sum = 0;
    for (let at = 0; at < 50_000; at += 1) {
      const action = means.map((mean, one) => mean + (deviations[one] ?? NaN) * random.normal());
      sum -= logProbability(action, 0, means, 0, deviations) / 50_000;
    }
    expect(entropy(deviations)).toBeCloseTo(sum, 1);
    expect(entropy(Float64Array.of(1))).toBeCloseTo(1.4189385332046727, 12);
  });
});

/** One sample of one service with one action at the mean, whose probability was `ratio` times less before. */
function single(ratio: number, advantage: number, deviation = 1): ActedSteps {
  const now = logProbability(Float64Array.of(0.5), 0, Float64Array.of(0), 0, Float64Array.of(deviation));
  return {
    actedFrom: Int32Array.of(0, 1),
    actions: Float64Array.of(0.5),
    logProbabilities: Float64Array.of(now - Math.log(ratio)),
    // A part of it is the service's own.
    advantages: Float64Array.of(0.75 * advantage),
    credits: Float64Array.of(0.25 * advantage),
  };
}

describe('the clipped surrogate', () => {
  const batch = {
    samples: 1,
    starts: Int32Array.of(0, 1),
    perService: Float64Array.of(0),
    global: new Float64Array(0),
  };
  test.each([
    ['pays for a better action', 1, 2, -2, true],
    ['pays for more of it up to the clip', 1.1, 2, -2.2, true],
    ['pays no more beyond', 1.5, 2, -2.4, false],
    ['takes a worse one back', 1.5, -2, 3, true],
    ['pays no more for less of it beyond the clip', 0.5, -2, 1.6, false],
    ['pays for less of it up to the clip', 0.9, -2, 1.8, true],
    ['wants back a better one that got rarer', 0.5, 2, -1, true],
  ])('%s', (_, ratio, advantage, loss, moves) => {
    for (const kind of ['joint', 'service'] as const) {
      const settings = { clip: 0.2, ratio: kind, entropyWeight: 0, actionCost: 0 };
      const objective = new PolicyObjective(1, settings);
      const figures = objective.evaluate(
        batch,
        Float64Array.of(0),
        Float64Array.of(1),
        single(ratio, advantage),
        Int32Array.of(0),
        0,
      );
      expect(figures.policyLoss).toBeCloseTo(loss, 12);
      expect(figures.approximateKl).toBeCloseTo(ratio - 1 - Math.log(ratio), 12);
      expect(figures.clipped).toBe(ratio > 1.2 || ratio < 0.8 ? 1 : 0);
      expect(objective.meanSlopes[0] !== 0).toBe(moves);
      if (moves) expect(objective.meanSlopes[0]).toBeCloseTo(-ratio * advantage * 0.5, 12);
    }
  });

  const shape = { serviceFeatures: 4, globalFeatures: 2, serviceActions: 2 };
  test.each([
    ['joint', 0.2, 0, 0],
    ['service', 0.2, 0, 0],
    ['joint', 0.02, 0.3, 0.1],
    ['service', 0.02, 0.3, 0.1],
  ] as const)(
    'with ratios %s, clip %p, entropy %p and action cost %p has slopes of finite differences',
    (ratio, clip, entropyWeight, actionCost) => {
      const services = [3, 1, 0, 4];
      const seen = randomBatch(shape, services, 3);
      const network = new PolicyNetwork(shape, 5);
      const random = seededRandom(8);
      // The last two are logarithms of deviations, as in a learner.
      const weights = Float64Array.from({ length: network.parameters + 2 }, () => 0.3 * random.normal());
      const deviationsOf = (at: Float64Array) =>
        at.slice(network.parameters).map((log) => 0.3 * Math.exp(log));
      const draw = (count: number, of: () => number) => Float64Array.from({ length: count }, of);
      network.forward(seen, weights);
      const deviations = deviationsOf(weights);
      const actions = network.means
        .slice(0, 16)
        .map((mean, at) => mean + (deviations[at % 2] ?? NaN) * random.normal());
      const steps: ActedSteps = {
        actedFrom: Int32Array.of(0, 3, 4, 4, 8),
        actions,
        logProbabilities: draw(8, () => 0).map(
          (_, row) =>
            logProbability(actions, row * 2, network.means, row * 2, deviations) + 0.1 * random.normal(),
        ),
        advantages: draw(4, () => random.normal()),
        credits: draw(8, () => random.normal()),
      };
      const objective = new PolicyObjective(2, { clip, ratio, entropyWeight, actionCost });
      const which = Int32Array.of(0, 1, 2, 3);
      const loss = (at: Float64Array): number => {
        network.forward(seen, at);
        return objective.evaluate(seen, network.means, deviationsOf(at), steps, which, 0).loss;
      };
      loss(weights);
      const gradient = new Float64Array(weights.length);
      network.backward(seen, weights, objective.meanSlopes, gradient);
      gradient.set(objective.deviationSlopes, network.parameters);
      expect(mismatch(gradient, differences(loss, weights))).toBeLessThan(1e-5);
    },
  );

  test('estimates how far the policy moved: the KL of two normal distributions', () => {
    const random = seededRandom(4);
    const count = 20_000;
    const moved = 0.2;
    const actions = Float64Array.from({ length: count }, () => random.normal());
    const means = new Float64Array(count);
    const one = Float64Array.of(1);
    const steps: ActedSteps = {
      actedFrom: Int32Array.from({ length: count + 1 }, (_, at) => at),
      actions,
      logProbabilities: actions.map((_, at) => logProbability(actions, at, means, at, one)),
      advantages: new Float64Array(count).fill(1),
      credits: new Float64Array(count),
    };
    const all = {
      samples: count,
      starts: steps.actedFrom,
      perService: new Float64Array(count),
      global: new Float64Array(0),
    };
    const objective = new PolicyObjective(1, { clip: 0.2, ratio: 'joint', entropyWeight: 0, actionCost: 0 });
    const figures = objective.evaluate(all, means.fill(moved), one, steps, steps.actedFrom, 0);
    expect(figures.approximateKl).toBeCloseTo(moved ** 2 / 2, 2);
  });
});

describe('the value loss', () => {
  const shape = { serviceFeatures: 3, globalFeatures: 1, serviceActions: 1 };
  test.each([
    ['not held', 0],
    ['held', 0.05],
  ])('%s has slopes of finite differences', (_, clip) => {
    const seen = randomBatch(shape, [2, 1, 3], 3);
    const network = new ValueNetwork(shape, 5);
    const random = seededRandom(8);
    const weights = Float64Array.from({ length: network.parameters }, () => 0.4 * random.normal());
    network.forward(seen, weights);
    const before = network.values.slice(0, 3).map((value, at) => value + [0.1, -0.02, -0.3][at]!);
    const returns = Float64Array.of(1, -1, 0.5);
    const objective = new ValueObjective(clip);
    const which = Int32Array.of(0, 1, 2);
    const loss = (at: Float64Array): number => {
      network.forward(seen, at);
      return objective.evaluate(network.values, 3, before, which, returns, which, 0);
    };
    loss(weights);
    const gradient = new Float64Array(weights.length);
    network.backward(seen, weights, objective.slopes, gradient);
    expect(mismatch(gradient, differences(loss, weights))).toBeLessThan(1e-5);
  });

  test.each([
    ['moved too far towards it: the loss of the held value counts', 1, 0, 2, 0.2, 0.5 * 1.8 ** 2, 0],
    ['moved away: the larger loss counts', -1, 0, 2, 0.2, 4.5, -3],
    ['moved a little', 0.1, 0, 2, 0.2, 0.5 * 1.9 ** 2, -1.9],
  ])('%s', (_, value, before, target, clip, loss, slope) => {
    const objective = new ValueObjective(clip);
    const zero = Int32Array.of(0);
    const found = objective.evaluate(
      Float64Array.of(value),
      1,
      Float64Array.of(before),
      zero,
      Float64Array.of(target),
      zero,
      0,
    );
    expect(found).toBeCloseTo(loss, 12);
    expect(objective.slopes[0]).toBeCloseTo(slope, 12);
  });
});
