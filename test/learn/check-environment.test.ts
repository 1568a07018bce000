/** The checker: finds each planted fault, and nothing where there is none. */
import { TidegateError } from '../../src/core/errors';
import { checkEnvironment } from '../../src/learn/check-environment';
import type { Environment, LearnerObservation, StepResult } from '../../src/learn/environment';
import { DelayedCredit } from './parts/credit';
import { TargetMatching } from './parts/target-matching';

/** Refuses what is no action, as an environment should. */
class Refusing implements Environment {
  constructor(private readonly inner: Environment = new TargetMatching()) {}
  private services = 0;

  get shape() {
    return this.inner.shape;
  }

  reset(seed: number): LearnerObservation {
    return this.note(this.inner.reset(seed));
  }

  step(action: Float64Array): StepResult {
    if (action.length !== this.services * this.shape.serviceActions || !action.every(Number.isFinite)) {
      throw new TidegateError('TG_LEARN_BAD_ACTION', 'this is no action');
    }
    const result = this.inner.step(action.map((figure) => Math.max(-9, Math.min(9, figure))));
    this.note(result.observation);
    return result;
  }

  private note(observation: LearnerObservation): LearnerObservation {
    this.services = observation.services;
    return observation;
  }
}

/** An environment with one thing changed. */
interface Fault {
  readonly shape?: Partial<Environment['shape']>;
  readonly seen?: (observation: LearnerObservation, calls: number) => LearnerObservation;
  readonly came?: (result: StepResult, action: Float64Array) => StepResult;
  /** Let through what is no action. */
  readonly lax?: boolean;
}

class Faulty implements Environment {
  private readonly inner: Environment;
  private calls = 0;

  constructor(private readonly fault: Fault) {
    this.inner = fault.lax === true ? new TargetMatching() : new Refusing();
  }

  get shape() {
    return { ...this.inner.shape, ...this.fault.shape };
  }

  reset(seed: number): LearnerObservation {
    return this.seen(this.inner.reset(seed));
  }

  step(action: Float64Array): StepResult {
    const result = this.inner.step(action);
    const told = { ...result, observation: this.seen(result.observation) };
    return this.fault.came?.(told, action) ?? told;
  }

  private seen(observation: LearnerObservation): LearnerObservation {
    this.calls += 1;
    return this.fault.seen?.(observation, this.calls) ?? observation;
  }
}

const withGlobal = (observation: LearnerObservation, figure: number): LearnerObservation => ({
  ...observation,
  global: Float64Array.of(figure),
});

describe('a sound environment', () => {
  test.each<[string, Environment]>([
    ['that is cut off at its length', new Refusing()],
    ['that ends by itself', new Refusing(new DelayedCredit())],
  ])('%s has no fault', (_, environment) => {
    expect(checkEnvironment(environment)).toEqual([]);
  });
});

describe('a fault is found:', () => {
  test.each<[string, Fault, RegExp]>([
    ['a shape of no features', { shape: { serviceFeatures: 0 } }, /shape.serviceFeatures is 0/],
    ['a shape of half an action', { shape: { serviceActions: 1.5 } }, /shape.serviceActions is 1.5/],
    ['figures that do not fit the shape', { shape: { globalFeatures: 2 } }, /global has 1 figures, not 2/],
    ['services that are no count', { seen: (seen) => ({ ...seen, services: NaN }) }, /services is NaN|threw/],
    [
      'too few figures of services',
      { seen: (seen) => ({ ...seen, perService: seen.perService.subarray(1) }) },
      /perService has \d+ figures/,
    ],
    [
      'a plain array',
      { seen: (seen) => ({ ...seen, global: [0] as unknown as Float64Array }) },
      /global is not a Float64Array/,
    ],
    ['NaN seen', { seen: (seen) => withGlobal(seen, NaN) }, /global holds NaN as feature 0/],
    ['infinity seen', { seen: (seen) => withGlobal(seen, Infinity) }, /global holds Infinity as feature 0/],
    [
      'another course for the same seed',
      { seen: (seen, calls) => withGlobal(seen, calls) },
      /another course|begins differently/,
    ],
    ['a reward of NaN', { came: (came) => ({ ...came, reward: NaN }) }, /the reward is NaN/],
    [
      'a reward that is not the sum of its terms',
      { came: (came) => ({ ...came, terms: { ...came.terms, more: 0.01 } }) },
      /not the sum of its terms/,
    ],
    [
      'a term that is not finite',
      { came: (came) => ({ ...came, terms: { odd: Infinity } }) },
      /the term odd is Infinity/,
    ],
    [
      'an end that is no yes or no',
      { came: (came) => ({ ...came, terminated: 0 as unknown as boolean }) },
      /not both true or false/,
    ],
    [
      'an end of both kinds',
      { came: (came) => ({ ...came, terminated: came.truncated }) },
      /both terminated and truncated/,
    ],
    [
      'an action that is written to',
      {
        came: (came, action) => {
          action.fill(0);
          return came;
        },
      },
      /changes the action/,
    ],
    ['NaN that gets through', { lax: true }, /an action of NaN is neither refused nor made safe/],
    [
      'extreme actions that are too much',
      {
        came: (came, action) => {
          if (action.some((figure) => Math.abs(figure) > 1e5)) throw new Error('overflow');
          return came;
        },
      },
      /extreme actions threw: overflow/,
    ],
    [
      'an error that says nothing',
      {
        seen: (seen) => seen,
        came: (came, action) => {
          if (action.length === 0) throw new RangeError('bad');
          return came;
        },
        lax: true,
      },
      /an action that is too short|neither refused nor made safe/,
    ],
  ])('%s', (_, fault, message) => {
    const findings = checkEnvironment(new Faulty(fault));
    expect(findings.join('\n')).toMatch(message);
    expect(new Set(findings).size).toBe(findings.length);
  });

  test('a reset that throws', () => {
    const environment: Environment = {
      shape: { serviceFeatures: 1, globalFeatures: 0, serviceActions: 1 },
      reset: () => {
        throw new Error('no data');
      },
      step: () => {
        throw new Error('no data');
      },
    };
    expect(checkEnvironment(environment).join('\n')).toMatch(/an episode of seed 0 threw: no data/);
  });
});
