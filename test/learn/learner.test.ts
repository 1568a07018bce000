/** The learner: it learns, and what it learns follows from its seed alone. */
import { PpoLearner } from '../../src/learn/ppo/learner';
import { collect } from '../../src/learn/ppo/collect';
import { stepsOf, type Rollout } from '../../src/learn/ppo/rollout';
import type { PpoSettings } from '../../src/learn/ppo/settings';
import type { UpdateFigures } from '../../src/learn/ppo/update-figures';
import { collectRollouts } from '../../src/learn/vector-rollouts';
import { DelayedCredit } from './parts/credit';
import { codeOf } from './parts/refusals';
import { missOf, TargetMatching } from './parts/target-matching';
import { QUICK, train } from './parts/training';

describe('what is learned', () => {
  test.each([1, 2])(
    'with seed %i: to match targets that depend on the other services, however many there are',
    (seed) => {
      const environment = new TargetMatching();
      const learner = new PpoLearner(environment.shape, { ...QUICK, discount: 0 }, seed);
      expect(missOf(learner)).toBeGreaterThan(0.9);
      train(learner, environment, QUICK.updates! + 1);
      expect(missOf(learner)).toBeLessThan(0.05);
    },
  );

  test('with one ratio for all services together too', () => {
    const environment = new TargetMatching();
    const learner = new PpoLearner(environment.shape, { ...QUICK, discount: 0, ratio: 'joint' }, 1);
    train(learner, environment, QUICK.updates! + 1);
    expect(missOf(learner)).toBeLessThan(0.2);
  });

  test('to do now what pays later; the critic foresees it', () => {
    const environment = new DelayedCredit();
    const learner = new PpoLearner(environment.shape, { ...QUICK, discount: 1 }, 3);
    const course: UpdateFigures[] = [];
    train(learner, environment, QUICK.updates! + 1, (figures) => course.push(figures));
    // Half of the steps pay: the best there is is .5 a step.
    expect(course[0]!.reward).toBeLessThan(0.1);
    expect(course.at(-1)!.reward).toBeGreaterThan(0.4);
  });

  test('nothing, from the first rollouts, but how large figures are', () => {
    const environment = new TargetMatching();
    const learner = new PpoLearner(environment.shape, QUICK, 1);
    const before = learner.snapshot();
    train(learner, environment, 1);
    const after = learner.snapshot();
    expect(after.parameters).toEqual(before.parameters);
    expect(after.scales.perService.deviations[0]).toBeCloseTo(10, 0);
  });

  test.each([
    ['deviation', 'deviation', 0.3, 0.05],
    ['learning rate', 'learningRate', 4e-3, 4e-4],
  ] as const)('with a %s that goes evenly from its first value to its last', (_, key, first, last) => {
    const environment = new TargetMatching();
    const learner = new PpoLearner(environment.shape, { ...QUICK, updates: 4, rolloutSteps: 16 }, 1);
    const course: number[] = [];
    train(learner, environment, 7, (figures) => course.push(figures[key]));
    const at = (progress: number) => first + (last - first) * progress;
    const expected = [0, 0, 0.25, 0.5, 0.75, 1, 1].map(at);
    course.forEach((figure, update) => expect(figure).toBeCloseTo(expected[update] ?? NaN, 12));
  });

  test('of spread, where that is learned: as much as entropy is worth', () => {
    const environment = new TargetMatching();
    const settings = { ...QUICK, updates: 8, learnDeviation: true, lastDeviation: 0.3, discount: 0 };
    const spreadFor = (entropyWeight: number): number => {
      const learner = new PpoLearner(environment.shape, { ...settings, entropyWeight }, 1);
      train(learner, environment, 9);
      return learner.snapshot().deviations[0] ?? NaN;
    };
    const plain = spreadFor(0);
    expect(plain).toBeLessThan(0.3);
    expect(spreadFor(1)).toBeGreaterThan(plain);
  });

  test('less once the policy has moved as far as it may in one update', () => {
    const environment = new TargetMatching();
    const figuresFor = (klTarget: number): UpdateFigures => {
      const settings = { ...QUICK, learningRate: 0.05, klTarget, discount: 0 };
      const course: UpdateFigures[] = [];
      train(new PpoLearner(environment.shape, settings, 1), environment, 2, (one) => course.push(one));
      return course[1]!;
    };
    expect(figuresFor(1e-4)).toMatchObject({ stopped: true, passes: 1 });
    expect(figuresFor(0)).toMatchObject({ stopped: false, passes: 4 });
  });

  test.each(['perService', 'global', 'rewards'] as const)(
    'nothing from segments whose %s are not finite, nor of scales',
    (key) => {
      const environment = new TargetMatching();
      const learner = new PpoLearner(environment.shape, { ...QUICK, rolloutSteps: 32 }, 1);
      train(learner, environment, 2);
      const { parameters, scales } = learner.snapshot();
      const { rollouts, rolloutSteps: steps } = learner.settings;
      const order = { seed: 1, update: 2, rollouts, steps };
      const good = collectRollouts(() => environment, learner.snapshot(), order);
      const spoilt = good.map((rollout): Rollout => {
        const segments = rollout.segments.map((one) => ({ ...one, [key]: one[key].map(() => NaN) }));
        return { ...rollout, segments };
      });
      const figures = learner.update(spoilt);
      expect(figures).toMatchObject({ leftOut: rollouts * 2, steps: 0 });
      expect(learner.snapshot()).toMatchObject({ parameters, scales });
      expect(learner.update(good).leftOut).toBe(0);
    },
  );
});

describe('the same seed', () => {
  const environment = new TargetMatching();
  const trained = (seed: number, settings: Partial<PpoSettings> = {}): PpoLearner => {
    const learner = new PpoLearner(environment.shape, { ...QUICK, updates: 4, ...settings }, seed);
    train(learner, environment, 4);
    return learner;
  };

  test('comes to the same policy, another to another', () => {
    const parameters = trained(1).snapshot().parameters;
    expect(trained(1).snapshot().parameters).toEqual(parameters);
    expect(trained(2).snapshot().parameters).not.toEqual(parameters);
  });

  test('gives the same rollouts whoever collects which of them', () => {
    const snapshot = trained(1).snapshot();
    const order = { seed: 1, update: 4, rollouts: 4, steps: 40 };
    const alone = collectRollouts(() => new TargetMatching(), snapshot, order);
    const shared = new TargetMatching();
    const late = collectRollouts(() => shared, structuredClone(snapshot), order, [3, 1]);
    const early = collectRollouts(() => shared, snapshot, order, [2, 0]);
    expect([early[1], late[1], early[0], late[0]]).toEqual(alone);
    expect(alone.map(stepsOf)).toEqual([40, 40, 40, 40]);
    expect(new Set(alone.map((rollout) => rollout.segments[0]!.perService[0])).size).toBe(4);
  });

  test('goes on after a save as if it had not stopped, bit for bit', () => {
    const through = trained(1);
    const cut = trained(1);
    const restored = PpoLearner.restore(JSON.parse(JSON.stringify(cut.save())));
    expect(restored.save()).toEqual(cut.save());
    train(through, environment, 6);
    train(restored, environment, 6);
    expect(restored.save()).toEqual(through.save());
  });

  test('also when it stopped before the first update', () => {
    const learner = new PpoLearner(environment.shape, QUICK, 1);
    const restored = PpoLearner.restore(JSON.parse(JSON.stringify(learner.save())));
    train(learner, environment, 3);
    train(restored, environment, 3);
    expect(restored.save()).toEqual(learner.save());
  });
});

describe('a saved training that is damaged', () => {
  const learner = new PpoLearner(new TargetMatching().shape, QUICK, 1);
  train(learner, new TargetMatching(), 2);
  const good = learner.save();
  const critic = good['critic'] as Record<string, unknown>;
  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /it is not an object/],
    ['another file', { format: 'png' }, /format/],
    ['a later version', { ...good, version: 2 }, /format/],
    ['no policy', { ...good, policy: 3 }, /policy is not an object/],
    ['a critic of another size', { ...good, settings: { ...QUICK, valueUnits: 5 } }, /policy|critic|weights/],
    ['settings beyond bounds', { ...good, settings: { ...QUICK, clip: -1 } }, /clip/],
    ['a cut text', { ...good, critic: { ...critic, weights: 'AAAA' } }, /weights of critic/],
    ['a count below 0', { ...good, done: -1 }, /done/],
    ['NaN for a seed', { ...good, seed: null }, /seed/],
  ])('%s is refused', (_, state, message) => {
    const attempt = () => PpoLearner.restore(state);
    expect(attempt).toThrow(message);
    expect(codeOf(attempt)).toBe('TG_LEARN_BAD_CHECKPOINT');
  });
});

describe('a rollout', () => {
  test('holds what was seen before each step and after the last, and knows how it ended', () => {
    const snapshot = new PpoLearner(new DelayedCredit().shape, QUICK, 1).snapshot();
    const { segments, terms } = collect(new DelayedCredit(), snapshot, 5, 3);
    expect(segments.map(({ steps, terminated, whole }) => [steps, terminated, whole])).toEqual([
      [2, true, true],
      [2, true, true],
      [1, false, false],
    ]);
    for (const segment of segments) {
      expect([...segment.services]).toEqual(Array(segment.steps + 1).fill(2));
      expect(segment.perService).toHaveLength((segment.steps + 1) * 4);
      expect(segment.actions).toHaveLength(segment.steps * 2);
      expect(segment.logProbabilities).toHaveLength(segment.steps * 2);
      // The second figure tells whether the first step is over: what is seen last is what came last.
      expect(segment.perService.at(-1)).toBe(1);
    }
    const paid = segments.flatMap((segment) => [...segment.rewards]).reduce((sum, one) => sum + one, 0);
    expect(terms['worth']).toBeCloseTo(paid, 12);
  });
});
