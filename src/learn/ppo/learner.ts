/** Proximal policy optimisation (J. Schulman et al., 2017), apart from where rollouts are collected. */
import { seededRandom } from '../../forecast/numeric/random';
import { PolicyNetwork } from '../network/policy-network';
import { ValueNetwork } from '../network/value-network';
import type { ServiceBatch } from '../network/service-batch';
import type { EnvironmentShape } from '../environment';
import { TrainedActor } from '../model/trained-actor';
import { share, standardise } from './advantage';
import { Anchor, type AnchorState } from './anchor';
import { Experience, MinibatchRoom } from './experience';
import { readLearnerState, writeLearnerState, type LearnerParts, type LearnerState } from './learner-state';
import { LearningWeights } from './learning-weights';
import { Moments, momentsOf } from './moments';
import { ObservedRanges, rangesStateOf, type FeatureRanges } from './observed-ranges';
import { PolicyObjective } from './policy-objective';
import type { ExploringSnapshot } from './policy-snapshot';
import { ReturnScale } from './return-scale';
import { isSound, stepsOf, type Rollout } from './rollout';
import type { ObservationScales } from './scales';
import { seedOf } from './seeds';
import { along, ppoSettings, type PpoSettings } from './settings';
import { explainedVariance, MinibatchMeans, type UpdateFigures } from './update-figures';
import { ValueObjective } from './value-objective';

/** Passes end when the policy has moved this many times the target. */
const KL_SLACK = 1.5;

/**
 * Learns from rollouts. The same seed, settings and rollouts give the same policy, bit for bit, also when saved and restored in
 * between.
 */
export class PpoLearner {
  readonly settings: PpoSettings;
  private done: number;
  private readonly policy: PolicyNetwork;
  private readonly critic: ValueNetwork;
  /** The network's, then a logarithm for each action: what its deviation is multiplied by. */
  private readonly policyWeights: LearningWeights;
  private readonly criticWeights: LearningWeights;
  private readonly perService: Moments;
  private readonly global: Moments;
  private readonly returnScale: ReturnScale;
  private readonly serviceRanges: ObservedRanges;
  private readonly globalRanges: ObservedRanges;
  private readonly policyObjective: PolicyObjective;
  private readonly valueObjective: ValueObjective;
  private readonly room = new MinibatchRoom();
  /** Where the policy is held, and its scales stay as they are; undefined where it is free. */
  private readonly anchor: Anchor | undefined;

  /**
   * @param seed 32 bits.
   * @throws TidegateError TG_LEARN_BAD_SETTINGS.
   */
  constructor(
    readonly shape: EnvironmentShape,
    settings: Partial<PpoSettings>,
    readonly seed: number,
    parts?: Partial<LearnerParts>,
  ) {
    this.settings = ppoSettings(settings);
    const { units, valueUnits, lastGain, gradientMax, weightDecay, discount, valueClip } = this.settings;
    const random = seededRandom(seedOf(seed, 0));
    this.done = parts?.done ?? 0;
    this.policy = new PolicyNetwork(shape, units);
    this.critic = new ValueNetwork(shape, valueUnits);
    const weights = new Float64Array(this.policy.parameters + shape.serviceActions);
    weights.set(parts?.policy?.weights ?? this.policy.start(random, lastGain));
    const critic = parts?.critic?.weights ?? this.critic.start(random);
    this.policyWeights = new LearningWeights(weights, gradientMax, weightDecay, parts?.policy?.steps);
    this.criticWeights = new LearningWeights(critic, gradientMax, weightDecay, parts?.critic?.steps);
    this.perService = new Moments(shape.serviceFeatures, parts?.perService);
    this.global = new Moments(shape.globalFeatures, parts?.global);
    this.returnScale = new ReturnScale(discount, parts?.returns);
    this.serviceRanges = new ObservedRanges(shape.serviceFeatures, parts?.serviceRanges);
    this.globalRanges = new ObservedRanges(shape.globalFeatures, parts?.globalRanges);
    this.policyObjective = new PolicyObjective(shape.serviceActions, this.settings);
    this.valueObjective = new ValueObjective(valueClip);
    this.anchor = parts?.anchor === undefined ? undefined : new Anchor(parts.anchor);
  }

  /** A learner that goes on as the one that was saved would have. @throws TidegateError TG_LEARN_BAD_CHECKPOINT. */
  static restore(state: unknown): PpoLearner {
    const parts = readLearnerState(state);
    return new PpoLearner(parts.shape, parts.settings, parts.seed, parts);
  }

  /**
   * A learner whose policy is one that was trained, and is held near it: its parameters stay within a ball about those it began with,
   * and what is seen is scaled as it was. Critic and steps begin anew.
   * @param settings without what the actor says: units, and how far figures are kept from 0.
   * @param radius of the ball, as a part of the length of the parameters.
   * @throws TidegateError TG_LEARN_BAD_SETTINGS.
   */
  static startingFrom(
    { snapshot, ranges }: TrainedActor,
    settings: Partial<PpoSettings>,
    seed: number,
    radius: number,
  ): PpoLearner {
    const { shape, units, parameters, scales } = snapshot;
    const anchor: AnchorState = { weights: parameters.slice(), radius };
    const own = { ...settings, units, observationClip: scales.clip };
    const weights = new Float64Array(parameters.length + shape.serviceActions);
    weights.set(parameters);
    const steps = {
      steps: 0,
      means: new Float64Array(weights.length),
      squares: new Float64Array(weights.length),
    };
    return new PpoLearner(shape, own, seed, {
      policy: { weights, steps },
      perService: momentsOf(scales.perService),
      global: momentsOf(scales.global),
      serviceRanges: rangesStateOf(ranges.perService),
      globalRanges: rangesStateOf(ranges.global),
      anchor,
    });
  }

  /** Updates done: the number of the next. */
  get updates(): number {
    return this.done;
  }

  /** How far the training is, 0 to 1: where rates and exploration are. */
  get progress(): number {
    return Math.min(1, Math.max(0, this.done - 1) / this.settings.updates);
  }

  /** A copy to explore with elsewhere, for the next update's rollouts. */
  snapshot(): ExploringSnapshot {
    return {
      shape: this.shape,
      units: this.settings.units,
      parameters: this.policyWeights.weights.slice(),
      scales: this.scales(),
      deviations: this.deviations(),
    };
  }

  /** What has been learned, to act with. */
  actor(): TrainedActor {
    const { parameters, ...rest } = this.snapshot();
    return new TrainedActor(
      { ...rest, parameters: parameters.slice(0, this.policy.parameters) },
      this.ranges(),
    );
  }

  /** What was seen of each feature. */
  ranges(): { readonly perService: FeatureRanges; readonly global: FeatureRanges } {
    return { perService: this.serviceRanges.ranges(), global: this.globalRanges.ranges() };
  }

  /**
   * Learns from what came of the last {@link snapshot}.
   * @param given rollouts in the order of their indices: it is part of what chance there is.
   */
  update(given: readonly Rollout[]): UpdateFigures {
    const rollouts = given.map(({ segments, terms }) => ({ segments: segments.filter(isSound), terms }));
    const unsound = segmentsOf(given) - segmentsOf(rollouts);
    const { progress, settings } = this;
    const rate = along(1, settings.lastRatePart, progress);
    const deviations = this.deviations();
    this.returnScale.add(rollouts);
    const means = new MinibatchMeans();
    let passed: Passed = { passes: 0, stopped: false, explained: 0 };
    if (this.done > 0) passed = this.learn(rollouts, rate, deviations, means);
    this.watch(rollouts);
    const update = this.done;
    this.done += 1;
    const { policyLoss, valueLoss, entropy, approximateKl, clipped, gradientLength, leftOut } = means;
    return {
      update,
      progress,
      ...rewardsOf(rollouts),
      learningRate: settings.learningRate * rate,
      deviation: deviations.reduce((sum, deviation) => sum + deviation / deviations.length, 0),
      policyLoss,
      valueLoss,
      entropy,
      approximateKl,
      clipped,
      gradientLength,
      leftOut: leftOut + unsound,
      explainedVariance: passed.explained,
      passes: passed.passes,
      stopped: passed.stopped,
    };
  }

  /** All that it takes to go on, as JSON. */
  save(): LearnerState {
    return writeLearnerState({
      shape: this.shape,
      settings: this.settings,
      seed: this.seed,
      done: this.done,
      policy: this.policyWeights.state,
      critic: this.criticWeights.state,
      perService: this.perService.state,
      global: this.global.state,
      returns: this.returnScale.state,
      serviceRanges: this.serviceRanges.state,
      globalRanges: this.globalRanges.state,
      anchor: this.anchor?.state,
    });
  }

  private deviations(): Float64Array {
    const { firstDeviation, lastDeviation } = this.settings;
    const usual = along(firstDeviation, lastDeviation, this.progress);
    return this.policyWeights.weights
      .slice(this.policy.parameters)
      .map((logarithm) => usual * Math.exp(logarithm));
  }

  private scales(): ObservationScales {
    const of = (moments: Moments) => ({
      means: moments.means.slice(),
      deviations: moments.deviations(),
    });
    return { perService: of(this.perService), global: of(this.global), clip: this.settings.observationClip };
  }

  /** Takes what was seen into ranges, and into scales where nothing holds them, from the next update on. */
  private watch(rollouts: readonly Rollout[]): void {
    for (const { segments } of rollouts) {
      for (const { services, perService, global, steps } of segments) {
        const rows = services.reduce((sum, count) => sum + count, 0);
        if (this.anchor === undefined) {
          this.perService.add(perService, rows);
          this.global.add(global, steps + 1);
        }
        this.serviceRanges.add(perService, rows);
        this.globalRanges.add(global, steps + 1);
      }
    }
  }

  private learn(
    rollouts: readonly Rollout[],
    rate: number,
    deviations: Float64Array,
    means: MinibatchMeans,
  ): Passed {
    const { settings } = this;
    const critic = { network: this.critic, weights: this.criticWeights.weights };
    const experience = new Experience(this.shape, rollouts, this.scales(), critic, {
      ...settings,
      rewardScale: this.returnScale.factor,
    });
    const guesses = experience.returns.map((_, step) => experience.values[experience.seenAt[step]!]!);
    const explained = explainedVariance(guesses, experience.returns);
    standardise(experience.advantages);
    share(experience.advantages, experience.credits, settings.creditPart);
    const random = seededRandom(seedOf(this.seed, 2, this.done));
    const order = Int32Array.from({ length: experience.steps }, (_, step) => step);
    const size = Math.ceil(experience.steps / settings.minibatches);
    let stopped = false;
    let passes = 0;
    while (passes < settings.epochs && !stopped) {
      passes += 1;
      shuffle(order, () => random.next());
      for (let from = 0; from < experience.steps; from += size) {
        const end = Math.min(experience.steps, from + size);
        const batch = experience.gather(order, from, end, this.room);
        this.learnValues(experience, batch, order, from, rate, means);
        stopped ||= !this.learnActions(experience, batch, order, from, rate, deviations, means);
      }
    }
    return { passes, stopped, explained };
  }

  private learnValues(
    experience: Experience,
    batch: ServiceBatch,
    order: Int32Array,
    from: number,
    rate: number,
    means: MinibatchMeans,
  ): void {
    const { critic, criticWeights, valueObjective } = this;
    const { values, seenAt, returns } = experience;
    critic.forward(batch, criticWeights.weights);
    const loss = valueObjective.evaluate(critic.values, batch.samples, values, seenAt, returns, order, from);
    criticWeights.gradient.fill(0);
    critic.backward(batch, criticWeights.weights, valueObjective.slopes, criticWeights.gradient);
    const length = criticWeights.step(this.settings.valueLearningRate * rate);
    if (Number.isFinite(length)) means.addCritic(loss);
    else means.leftOut += 1;
  }

  /** @returns false when the policy has moved too far already, and nothing was learned. */
  private learnActions(
    experience: Experience,
    batch: ServiceBatch,
    order: Int32Array,
    from: number,
    rate: number,
    deviations: Float64Array,
    means: MinibatchMeans,
  ): boolean {
    const { policy, policyWeights, policyObjective, settings } = this;
    policy.forward(batch, policyWeights.weights);
    const now = settings.learnDeviation ? this.deviations() : deviations;
    const figures = policyObjective.evaluate(batch, policy.means, now, experience, order, from);
    if (settings.klTarget > 0 && figures.approximateKl > KL_SLACK * settings.klTarget) return false;
    const { gradient } = policyWeights;
    gradient.fill(0);
    policy.backward(batch, policyWeights.weights, policyObjective.meanSlopes, gradient);
    if (settings.learnDeviation) gradient.set(policyObjective.deviationSlopes, policy.parameters);
    const length = policyWeights.step(settings.learningRate * rate);
    this.anchor?.hold(policyWeights.weights);
    if (Number.isFinite(length)) means.addPolicy(figures, length);
    else means.leftOut += 1;
    return true;
  }
}

interface Passed {
  readonly passes: number;
  readonly stopped: boolean;
  readonly explained: number;
}

/** Puts figures in a random order (R. Durstenfeld, 1964). */
function shuffle(figures: Int32Array, next: () => number): void {
  for (let at = figures.length - 1; at > 0; at -= 1) {
    const other = Math.floor(next() * (at + 1));
    const kept = figures[at]!;
    figures[at] = figures[other]!;
    figures[other] = kept;
  }
}

function segmentsOf(rollouts: readonly Rollout[]): number {
  return rollouts.reduce((sum, rollout) => sum + rollout.segments.length, 0);
}

function rewardsOf(rollouts: readonly Rollout[]): {
  readonly steps: number;
  readonly reward: number;
  readonly terms: Readonly<Record<string, number>>;
} {
  const steps = rollouts.reduce((sum, rollout) => sum + stepsOf(rollout), 0);
  const part = 1 / Math.max(1, steps);
  const terms: Record<string, number> = {};
  let reward = 0;
  for (const rollout of rollouts) {
    for (const [name, term] of Object.entries(rollout.terms)) terms[name] = (terms[name] ?? 0) + term * part;
    for (const segment of rollout.segments) for (const one of segment.rewards) reward += one * part;
  }
  return { steps, reward, terms };
}
