/** Acts in an environment and writes down what came of it. */
import { seededRandom, type Random } from '../../forecast/numeric/random';
import type { Environment, EnvironmentShape, LearnerObservation } from '../environment';
import { CreditLog } from './credit-log';
import { FigureList } from './figure-list';
import { logProbability } from './gaussian';
import { SnapshotActor, type ExploringSnapshot } from './policy-snapshot';
import type { Rollout, Segment } from './rollout';

/**
 * Acts for a number of steps, from a new episode on; what is done, and which episodes, follows from the seed alone.
 * @param steps at least 1; the rollout has exactly so many.
 */
export function collect(
  environment: Environment,
  snapshot: ExploringSnapshot,
  steps: number,
  seed: number,
): Rollout {
  const random = seededRandom(seed);
  const actor = new SnapshotActor(snapshot);
  const terms: Record<string, number> = {};
  const segments: Segment[] = [];
  for (let left = steps; left > 0;) {
    const segment = collectEpisode(environment, snapshot, actor, left, random, terms);
    segments.push(segment);
    left -= segment.steps;
  }
  return { segments, terms };
}

/** Acts until the episode ends, or the steps. */
function collectEpisode(
  environment: Environment,
  { deviations }: ExploringSnapshot,
  actor: SnapshotActor,
  stepsMax: number,
  random: Random,
  terms: Record<string, number>,
): Segment {
  const log = new SegmentLog(environment.shape, stepsMax);
  let observation = environment.reset(Math.floor(random.next() * 4_294_967_296));
  for (;;) {
    const { services } = observation;
    log.seen(observation);
    const means = actor.means(observation);
    const action = new Float64Array(services * deviations.length);
    for (let at = 0; at < action.length; at += 1) {
      action[at] = means[at]! + deviations[at % deviations.length]! * random.normal();
    }
    for (let service = 0; service < services; service += 1) {
      const at = service * deviations.length;
      log.logProbabilities.push(logProbability(action, at, means, at, deviations));
    }
    log.actions.append(action);
    const result = environment.step(action);
    log.rewards.push(result.reward);
    log.credits.step(action, means, result);
    for (const [name, term] of Object.entries(result.terms)) terms[name] = (terms[name] ?? 0) + term;
    observation = result.observation;
    const ended = result.terminated || result.truncated;
    if (ended || log.rewards.length === stepsMax) {
      log.seen(observation);
      return log.segment(result.terminated, ended);
    }
  }
}

/** A segment in the making. */
class SegmentLog {
  readonly actions: FigureList;
  readonly logProbabilities: FigureList;
  readonly rewards: FigureList;
  readonly credits: CreditLog;
  private readonly services: number[] = [];
  private readonly perService: FigureList;
  private readonly global: FigureList;

  constructor(
    private readonly shape: EnvironmentShape,
    steps: number,
  ) {
    this.actions = new FigureList(steps);
    this.logProbabilities = new FigureList(steps);
    this.rewards = new FigureList(steps);
    this.credits = new CreditLog(shape.serviceActions, steps);
    this.perService = new FigureList(steps);
    this.global = new FigureList(steps);
  }

  seen(observation: LearnerObservation): void {
    this.services.push(observation.services);
    this.perService.append(
      observation.perService.subarray(0, observation.services * this.shape.serviceFeatures),
    );
    this.global.append(observation.global.subarray(0, this.shape.globalFeatures));
  }

  segment(terminated: boolean, whole: boolean): Segment {
    return {
      steps: this.rewards.length,
      services: Int32Array.from(this.services),
      perService: this.perService.figures(),
      global: this.global.figures(),
      actions: this.actions.figures(),
      logProbabilities: this.logProbabilities.figures(),
      rewards: this.rewards.figures(),
      credits: this.credits.credits.figures(),
      terminated,
      whole,
    };
  }
}
