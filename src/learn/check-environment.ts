/**
 * Finds faults of environments before anything learns in them, as Stable-Baselines3's `check_env` (A. Raffin et al., 2021) and
 * Gymnasium's checker do.
 */
import { TidegateError } from '../core/errors';
import { seededRandom } from '../forecast/numeric/random';
import type { Environment, LearnerObservation, StepResult } from './environment';

/** Steps that are tried of each course. */
const STEPS = 64;
/** What a reward may differ from the sum of its terms by, as a part of their size. */
const ROUNDING = 1e-9;
/** How large actions are that nobody should take. */
const EXTREMES = [0, 1e3, -1e3, 1e9, -1e9, Number.MAX_VALUE, -Number.MAX_VALUE] as const;
const UNFIT = [NaN, Infinity, -Infinity] as const;

/**
 * Tries an environment out.
 * @param seeds of episodes to try; the more, the more is found.
 * @returns what is wrong, each once; empty when nothing was found.
 */
export function checkEnvironment(
  environment: Environment,
  seeds: readonly number[] = [0, 1, 2],
): readonly string[] {
  const findings = new Set<string>();
  checkShape(environment, findings);
  if (findings.size > 0) return [...findings];
  for (const seed of seeds) {
    guarded(findings, `an episode of seed ${seed}`, () => {
      const first = course(environment, seed, findings);
      const second = course(environment, seed, findings);
      if (first !== second) findings.add('the same seed and actions give another course the second time');
    });
  }
  guarded(findings, 'extreme actions', () => checkExtremes(environment, findings));
  checkUnfit(environment, findings);
  guarded(findings, 'a reset in the middle', () => checkResets(environment, findings));
  return [...findings];
}

function guarded(findings: Set<string>, what: string, task: () => void): void {
  try {
    task();
  } catch (thrown) {
    findings.add(`${what} threw: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

function checkShape({ shape }: Environment, findings: Set<string>): void {
  const least = { serviceFeatures: 1, globalFeatures: 0, serviceActions: 1 };
  for (const key of ['serviceFeatures', 'globalFeatures', 'serviceActions'] as const) {
    if (!Number.isInteger(shape[key]) || shape[key] < least[key]) {
      findings.add(`shape.${key} is ${shape[key]}, not a count of at least ${least[key]}`);
    }
  }
}

/** Acts for a while, checks all that comes, and tells it as text. */
function course(environment: Environment, seed: number, findings: Set<string>): string {
  const random = seededRandom(seed);
  const told: string[] = [];
  let observation = environment.reset(seed);
  checkObservation(environment, observation, 'reset', findings);
  for (let step = 0; step < STEPS; step += 1) {
    told.push(textOf(observation));
    const action = Float64Array.from(
      { length: observation.services * environment.shape.serviceActions },
      () => random.normal(),
    );
    const given = action.slice();
    const result = environment.step(action);
    if (action.some((figure, at) => figure !== given[at]))
      findings.add('step changes the action it was given');
    checkResult(environment, result, findings);
    told.push(`${result.reward} ${JSON.stringify(result.terms)} ${result.terminated} ${result.truncated}`);
    observation = result.observation;
    if (result.terminated || result.truncated) {
      told.push(textOf(observation));
      observation = environment.reset(seed + 1);
      checkObservation(environment, observation, 'reset', findings);
    }
  }
  return told.join('\n');
}

function checkObservation(
  { shape }: Environment,
  { services, perService, global }: LearnerObservation,
  of: string,
  findings: Set<string>,
): void {
  if (!Number.isInteger(services) || services < 0) {
    findings.add(`${of}: services is ${services}, not a count`);
    return;
  }
  const check = (name: string, figures: unknown, rows: number, features: number): void => {
    // By its tag: an array of another realm is no instance of this one's class.
    if (Object.prototype.toString.call(figures) !== '[object Float64Array]') {
      findings.add(`${of}: ${name} is not a Float64Array`);
      return;
    }
    const array = figures as Float64Array;
    if (array.length !== rows * features) {
      findings.add(`${of}: ${name} has ${array.length} figures, not ${rows * features}`);
    }
    const wrong = array.findIndex((figure) => !Number.isFinite(figure));
    if (wrong >= 0) findings.add(`${of}: ${name} holds ${array[wrong]} as feature ${wrong % features}`);
  };
  check('perService', perService, services, shape.serviceFeatures);
  check('global', global, 1, shape.globalFeatures);
}

function checkResult(environment: Environment, result: StepResult, findings: Set<string>): void {
  checkObservation(environment, result.observation, 'step', findings);
  const { reward, terms, terminated, truncated } = result;
  if (!Number.isFinite(reward)) findings.add(`step: the reward is ${reward}`);
  let sum = 0;
  let size = 1;
  for (const [name, term] of Object.entries(terms)) {
    if (!Number.isFinite(term)) findings.add(`step: the term ${name} is ${term}`);
    sum += term;
    size += Math.abs(term);
  }
  if (Math.abs(sum - reward) > ROUNDING * size) {
    findings.add('step: the reward is not the sum of its terms');
  }
  for (const [name, slopes] of Object.entries({ slopes: result.slopes, laterSlopes: result.laterSlopes })) {
    if (slopes !== undefined && !slopes.every(Number.isFinite))
      findings.add(`step: ${name} are not all finite`);
  }
  if (typeof terminated !== 'boolean' || typeof truncated !== 'boolean') {
    findings.add('step: terminated and truncated are not both true or false');
  } else if (terminated && truncated) {
    findings.add('step: an episode is both terminated and truncated');
  }
}

function checkExtremes(environment: Environment, findings: Set<string>): void {
  for (const extreme of EXTREMES) {
    let observation = environment.reset(0);
    for (let step = 0; step < STEPS / 8; step += 1) {
      const action = new Float64Array(observation.services * environment.shape.serviceActions).fill(extreme);
      if (step % 2 === 1) for (let at = 0; at < action.length; at += 2) action[at] = -extreme;
      const result = environment.step(action);
      checkResult(environment, result, findings);
      observation = result.observation;
      if (result.terminated || result.truncated) observation = environment.reset(step);
    }
  }
}

/** What is no action is refused with an error of ours, or made safe; nothing unfit comes of it either way. */
function checkUnfit(environment: Environment, findings: Set<string>): void {
  const refusedOrSafe = (what: string, of: (length: number) => Float64Array): void => {
    try {
      const { services } = environment.reset(0);
      const result = environment.step(of(services * environment.shape.serviceActions));
      const before = findings.size;
      checkResult(environment, result, findings);
      if (findings.size > before) findings.add(`${what} is neither refused nor made safe`);
    } catch (thrown) {
      if (!(thrown instanceof TidegateError)) {
        findings.add(`${what} throws something else than a TidegateError: ${String(thrown)}`);
      }
    }
  };
  for (const unfit of UNFIT) {
    refusedOrSafe(`an action of ${unfit}`, (length) => new Float64Array(length).fill(unfit));
  }
  refusedOrSafe('an action that is too short', (length) => new Float64Array(Math.max(0, length - 1)));
  guarded(findings, 'a step after an action that was refused', () => {
    const observation = environment.reset(0);
    environment.step(new Float64Array(observation.services * environment.shape.serviceActions));
  });
}

/** A reset in the middle of an episode, and one right after another, begin as the first did. */
function checkResets(environment: Environment, findings: Set<string>): void {
  const first = textOf(environment.reset(7));
  const again = textOf(environment.reset(7));
  const { services } = environment.reset(8);
  environment.step(new Float64Array(services * environment.shape.serviceActions));
  const later = textOf(environment.reset(7));
  if (first !== again || first !== later)
    findings.add('reset of the same seed begins differently after another episode');
}

function textOf({ services, perService, global }: LearnerObservation): string {
  return `${services} ${perService.join()} ${global.join()}`;
}
