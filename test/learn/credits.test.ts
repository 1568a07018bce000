/** Credits: what each service's own chance changed, and how much of an advantage they are. */
import { seededRandom } from '../../src/forecast/numeric/random';
import { CreditLog } from '../../src/learn/ppo/credit-log';
import { PpoLearner } from '../../src/learn/ppo/learner';
import { share } from '../../src/learn/ppo/advantage';
import type { StepResult } from '../../src/learn/environment';
import { checkEnvironment } from '../../src/learn/check-environment';
import { missOf, TargetMatching } from './parts/target-matching';
import { QUICK, train } from './parts/training';

const result = (slopes?: readonly number[], laterSlopes?: readonly number[]): StepResult => ({
  observation: { services: 0, perService: new Float64Array(0), global: new Float64Array(0) },
  reward: 0,
  terms: {},
  slopes: slopes && Float64Array.from(slopes),
  laterSlopes: laterSlopes && Float64Array.from(laterSlopes),
  terminated: false,
  truncated: false,
});

describe('credits', () => {
  test('are slopes times how far actions were from their means, and what comes to light later', () => {
    const log = new CreditLog(2, 4);
    log.step(Float64Array.of(1, 2, 3, 4), Float64Array.of(0, 1, 3, 2), result([10, 1, 5, 2], [9, 9, 9, 9]));
    expect([...log.credits.figures()]).toEqual([11, 4]);
    log.step(Float64Array.of(1, 1, 1, 1), Float64Array.of(1, 1, 1, 0), result([1, 1, 1, 1], [3, 0, 7, 1]));
    expect([...log.credits.figures()]).toEqual([11 + 3, 4 + 2, 0, 1]);
  });

  test('are 0 where no slopes are told, and of other services nothing is told later', () => {
    const log = new CreditLog(1, 1);
    log.step(Float64Array.of(1, 1), Float64Array.of(0, 0), result());
    log.step(Float64Array.of(1), Float64Array.of(0), result([2], [8]));
    expect([...log.credits.figures()]).toEqual([0, 0, 2]);
  });

  test.each([
    ['share the advantage', [3, -3, 3, 3], 0.75, [0.75, -0.75, 0.75, 0.75], [0.25, -0.25]],
    ['leave it whole where there are none', [0, 0, 0, 0], 0.75, [0, 0, 0, 0], [1, -1]],
    ['are left out', [3, -3, 3, 3], 0, [0, 0, 0, 0], [1, -1]],
  ])('%s', (_, given, part, credits, advantages) => {
    const of = [Float64Array.of(1, -1), Float64Array.from(given)] as const;
    share(of[0], of[1], part);
    of[0].forEach((one, at) => expect(one).toBeCloseTo(advantages[at] ?? NaN, 12));
    of[1].forEach((one, at) => expect(Math.abs(one)).toBeCloseTo(Math.abs(credits[at] ?? NaN), 12));
  });
});

/** Pays mostly by luck, but says how its reward changes with each action. */
class LuckyMatching extends TargetMatching {
  private readonly luck = seededRandom(5);

  override step(action: Float64Array): StepResult {
    const best = this.best();
    const slopes = action.map((figure, at) => (2 * ((best[at] ?? NaN) - figure)) / action.length);
    const result = super.step(action);
    const luck = 2 * this.luck.normal();
    return { ...result, reward: result.reward + luck, terms: { ...result.terms, luck }, slopes };
  }
}

/** What an agent misses after little experience. */
function missAfter(environment: TargetMatching, creditPart: number): number {
  const settings = { ...QUICK, discount: 0, rollouts: 1, rolloutSteps: 64, updates: 12, creditPart };
  const learner = new PpoLearner(environment.shape, settings, 1);
  train(learner, environment, 13);
  return missOf(learner);
}

test('with credits the same experience teaches more; without slopes they change nothing', () => {
  const alone = missAfter(new LuckyMatching(), 0);
  expect(missAfter(new LuckyMatching(), 0.9)).toBeLessThan(0.5 * alone);
  expect(missAfter(new TargetMatching(), 0.9)).toBe(missAfter(new TargetMatching(), 0));
});

test('the checker finds slopes that are no numbers', () => {
  class Broken extends TargetMatching {
    override step(action: Float64Array): StepResult {
      return { ...super.step(action), slopes: action.map(() => NaN) };
    }
  }
  const finding = 'step: slopes are not all finite';
  expect(checkEnvironment(new TargetMatching())).not.toContain(finding);
  expect(checkEnvironment(new Broken())).toContain(finding);
});
