/**
 * The interface of an environment to learn in, as Gymnasium has it (`reset`, `step`; M. Towers et al., 2024), for any number of
 * services with the same figures each. All arrays are the environment's own: read them before the next call.
 */

/** The sizes that hold for all episodes of an environment, whatever the number of services. */
export interface EnvironmentShape {
  /** Figures of each service, and of all together. */
  readonly serviceFeatures: number;
  readonly globalFeatures: number;
  /** Numbers that an action has for each service. */
  readonly serviceActions: number;
}

/** What is seen. */
export interface LearnerObservation {
  readonly services: number;
  /** Row by row: `services` x `serviceFeatures`. */
  readonly perService: Float64Array;
  /** `globalFeatures`. */
  readonly global: Float64Array;
}

/** What came of an action. */
export interface StepResult {
  readonly observation: LearnerObservation;
  readonly reward: number;
  /** What the reward is the sum of, by name. */
  readonly terms: Readonly<Record<string, number>>;
  /**
   * How the reward changes with each figure of the action, row by row, where the environment can tell: what all others did is taken
   * as it was.
   */
  readonly slopes?: Float64Array | undefined;
  /** The same of the action before it in the episode, as far as it has come to light since. */
  readonly laterSlopes?: Float64Array | undefined;
  /** Ended by itself; none that goes on forever does. */
  readonly terminated: boolean;
  /** Cut off at its length: the value of what would come counts. */
  readonly truncated: boolean;
}

/** An environment. */
export interface Environment {
  readonly shape: EnvironmentShape;
  /** Begins an episode. The same seed and actions give the same course. */
  reset(seed: number): LearnerObservation;
  /** @param action row by row: services x `serviceActions`, any finite numbers; what they mean, and their bounds, the environment says. */
  step(action: Float64Array): StepResult;
}

/** Something that acts on what is seen: a trained policy's mean actions. */
export interface Actor {
  readonly shape: EnvironmentShape;
  /** @returns row by row: services x `serviceActions`; its own array. */
  act(observation: LearnerObservation): Float64Array;
}
