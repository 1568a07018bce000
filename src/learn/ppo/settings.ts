/** What PPO is told. */
import { TidegateError } from '../../core/errors';

/** Settings of a training. */
export interface PpoSettings {
  /** Updates over which rates and exploration go from their first value to their last. */
  readonly updates: number;
  /** Steps of a rollout, and rollouts of an update. */
  readonly rolloutSteps: number;
  readonly rollouts: number;
  /** Passes over an update's steps, and parts that each pass is cut into. */
  readonly epochs: number;
  readonly minibatches: number;
  /** Discount of the next step's worth, and what of the advantage comes from further on (GAE's lambda). */
  readonly discount: number;
  readonly traceDecay: number;
  /** What of the advantage each service's own credit is, where the environment tells it; the rest is that of all together. */
  readonly creditPart: number;
  /** How far an action's probability pays to be moved from what it was. */
  readonly clip: number;
  /** How far a value may move from what it was, in units of normalised reward; 0: as far as it will. */
  readonly valueClip: number;
  readonly learningRate: number;
  readonly valueLearningRate: number;
  /** The part of the rates that is left in the end. */
  readonly lastRatePart: number;
  /** Gradients longer than this are shortened to it. */
  readonly gradientMax: number;
  readonly weightDecay: number;
  /** Passes end when the policy has moved further than 1.5 times this from what it was (approximate KL, nats); 0: never. */
  readonly klTarget: number;
  /** Standard deviation of actions about their means, in the beginning and in the end. */
  readonly firstDeviation: number;
  readonly lastDeviation: number;
  /** Whether the deviation of each action is learned too, as a factor. */
  readonly learnDeviation: boolean;
  /** What more spread is worth, for each service; of effect only where it is learned. */
  readonly entropyWeight: number;
  /** What mean actions away from 0 cost: half of this times their square, for each service. */
  readonly actionCost: number;
  /** Clips the probability of all services' actions together, or of each service's by itself. */
  readonly ratio: 'joint' | 'service';
  /** Units of the hidden layers. */
  readonly units: number;
  readonly valueUnits: number;
  /** Gain of the policy's last layer at the start. */
  readonly lastGain: number;
  /** Normalised figures are kept within this of 0. */
  readonly observationClip: number;
  readonly rewardClip: number;
}

/**
 * What is usual (J. Schulman et al., "Proximal policy optimization algorithms", 2017; S. Huang et al., 2022), for a few hundred
 * thousand steps whose noise is as large as what exploration moves, and whose effects last for a few steps: see
 * bench/ppo-settings.mjs.
 */
export const DEFAULT_PPO_SETTINGS: PpoSettings = {
  updates: 200,
  rolloutSteps: 128,
  rollouts: 8,
  epochs: 4,
  minibatches: 4,
  discount: 0.8,
  traceDecay: 0.8,
  creditPart: 0.9,
  clip: 0.2,
  valueClip: 0,
  learningRate: 1e-3,
  valueLearningRate: 1e-3,
  lastRatePart: 0.1,
  gradientMax: 0.5,
  weightDecay: 0,
  klTarget: 0.03,
  firstDeviation: 0.3,
  lastDeviation: 0.05,
  learnDeviation: false,
  entropyWeight: 0,
  actionCost: 0,
  ratio: 'service',
  units: 32,
  valueUnits: 32,
  lastGain: 0.01,
  observationClip: 8,
  rewardClip: 10,
};

type Bounds = readonly [least: number, most: number, whole?: boolean];

const BOUNDS: Readonly<Record<Exclude<keyof PpoSettings, 'learnDeviation' | 'ratio'>, Bounds>> = {
  updates: [1, 1e6, true],
  rolloutSteps: [1, 1e6, true],
  rollouts: [1, 4096, true],
  epochs: [1, 100, true],
  minibatches: [1, 4096, true],
  discount: [0, 1],
  traceDecay: [0, 1],
  creditPart: [0, 1],
  clip: [1e-6, 1],
  valueClip: [0, 1e3],
  learningRate: [0, 1],
  valueLearningRate: [0, 1],
  lastRatePart: [0, 1],
  gradientMax: [1e-9, 1e9],
  weightDecay: [0, 1],
  klTarget: [0, 100],
  firstDeviation: [1e-6, 100],
  lastDeviation: [1e-6, 100],
  entropyWeight: [0, 100],
  actionCost: [0, 1e3],
  units: [1, 512, true],
  valueUnits: [1, 512, true],
  lastGain: [0, 10],
  observationClip: [0.1, 1e3],
  rewardClip: [0.1, 1e6],
};

/**
 * Settings within their bounds.
 * @param given what differs from {@link DEFAULT_PPO_SETTINGS}.
 * @throws TidegateError TG_LEARN_BAD_SETTINGS.
 */
export function ppoSettings(given: Partial<PpoSettings> = {}): PpoSettings {
  const settings = { ...DEFAULT_PPO_SETTINGS, ...given };
  for (const [name, [least, most, whole]] of Object.entries(BOUNDS)) {
    const value = settings[name as keyof typeof BOUNDS];
    if (typeof value !== 'number' || !(value >= least && value <= most)) {
      throw bad(`${name} is ${String(value)}, not a number from ${least} to ${most}`);
    }
    if (whole === true && !Number.isInteger(value)) throw bad(`${name} is ${value}, not a whole number`);
  }
  if (typeof settings.learnDeviation !== 'boolean') throw bad('learnDeviation is not true or false');
  if (settings.ratio !== 'joint' && settings.ratio !== 'service') throw bad('ratio is not joint or service');
  const unknown = Object.keys(settings).find((name) => !(name in DEFAULT_PPO_SETTINGS));
  if (unknown !== undefined) throw bad(`there is no setting ${unknown}`);
  return settings;
}

function bad(what: string): TidegateError {
  return new TidegateError('TG_LEARN_BAD_SETTINGS', `training cannot be set so: ${what}`);
}

/** A figure that goes evenly from its first value to its last. @param progress 0 to 1; beyond that it stays. */
export function along(first: number, last: number, progress: number): number {
  return first + (last - first) * Math.min(1, Math.max(0, progress));
}
