/** A learner that goes on from a model: it begins as the model, never gets far from it, and goes on the same after a stop. */
import fc from 'fast-check';
import { Anchor, partAway } from '../../src/learn/ppo/anchor';
import { PpoLearner } from '../../src/learn/ppo/learner';
import type { PpoSettings } from '../../src/learn/ppo/settings';
import { codeOf } from './parts/refusals';
import { TargetMatching } from './parts/target-matching';
import { QUICK, train } from './parts/training';

const figure = fc.double({ min: -1e6, max: 1e6, noNaN: true });

test('weights are brought into the ball, on the line to its middle, and left alone inside', () => {
  const pairs = fc.array(fc.tuple(figure, figure), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(pairs, fc.double({ min: 0, max: 2, noNaN: true }), (rows, radius) => {
      const middle = Float64Array.from(rows, ([one]) => one);
      const weights = Float64Array.from(rows, ([, other]) => other);
      const length = Math.hypot(...middle);
      const before = Math.hypot(...rows.map(([one, other]) => other - one));
      const held = weights.slice();
      new Anchor({ weights: middle, radius }).hold(held);
      const after = Math.hypot(...held.map((one, at) => one - middle[at]!));
      expect(after).toBeLessThanOrEqual(radius * length * (1 + 1e-9) + 1e-6);
      if (before < radius * length * (1 - 1e-9)) expect(held).toEqual(weights);
    }),
  );
});

test('how far away weights are is told in lengths of the first; those of another network are nowhere', () => {
  expect(partAway(Float64Array.of(3, 4), Float64Array.of(3, 4.5))).toBeCloseTo(0.1, 12);
  expect(partAway(Float64Array.of(0), Float64Array.of(0))).toBe(0);
  expect(partAway(Float64Array.of(0), Float64Array.of(1))).toBe(Infinity);
  expect(partAway(Float64Array.of(1), Float64Array.of(1, 2))).toBeNaN();
});

describe('a learner that begins as a model', () => {
  const environment = new TargetMatching();
  const model = (() => {
    const learner = new PpoLearner(environment.shape, { ...QUICK, updates: 6, discount: 0 }, 1);
    train(learner, environment, 4);
    return learner.actor();
  })();
  const tuned = (settings: Partial<PpoSettings>, radius: number, seed = 2): PpoLearner =>
    PpoLearner.startingFrom(
      model,
      { ...QUICK, ...settings, firstDeviation: 0.05, lastDeviation: 0.05 },
      seed,
      radius,
    );

  test('acts as it did, with its scales and ranges', () => {
    const actor = tuned({ units: 3 }, 0.1).actor();
    for (let seed = 0; seed < 20; seed += 1) {
      const seen = environment.reset(seed);
      expect(Array.from(actor.act(seen))).toEqual(Array.from(model.act(seen)));
      expect(actor.outOfRange(seen)).toBe(model.outOfRange(seen));
    }
    expect(actor.snapshot.scales).toEqual(model.snapshot.scales);
    expect([actor.ranges.perService.least, actor.ranges.perService.most]).toEqual([
      model.ranges.perService.least,
      model.ranges.perService.most,
    ]);
  });

  test.each([
    [1e-3, 0.05],
    [4e-3, 0.02],
    [1, 0.1],
    [1e-2, 0],
  ])('at a rate of %d stays within %d of it after every update, and learns', (learningRate, radius) => {
    const learner = tuned({ updates: 6, learningRate }, radius);
    const moved: number[] = [];
    train(learner, environment, 6, () =>
      moved.push(partAway(model.snapshot.parameters, learner.actor().snapshot.parameters)),
    );
    for (const part of moved) expect(part).toBeLessThanOrEqual(radius + 1e-12);
    expect(moved[0]).toBe(0);
    expect(moved.at(-1)! > 0).toBe(radius > 0);
    expect(learner.actor().snapshot.scales).toEqual(model.snapshot.scales);
  });

  test('comes to the same for a seed, also when it was saved and goes on', () => {
    const settings = { updates: 6, learningRate: 1e-2 };
    const whole = tuned(settings, 0.02);
    train(whole, environment, 6);
    const stopped = tuned(settings, 0.02);
    train(stopped, environment, 3);
    const restored = PpoLearner.restore(JSON.parse(JSON.stringify(stopped.save())));
    train(restored, environment, 6);
    expect(restored.save()).toEqual(whole.save());
    const other = tuned(settings, 0.02, 3);
    train(other, environment, 6);
    expect(other.actor().snapshot.parameters).not.toEqual(whole.actor().snapshot.parameters);
  });

  test.each([
    ['radius', { radius: -1, weights: '' }],
    ['weights', { radius: 0.1, weights: 'AA==' }],
    ['anchor', 3],
  ])('a saved one whose %s is damaged is refused', (_, anchor) => {
    const restore = () => PpoLearner.restore({ ...tuned({}, 0.1).save(), anchor });
    expect(codeOf(restore)).toBe('TG_LEARN_BAD_CHECKPOINT');
  });
});
