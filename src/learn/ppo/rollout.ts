/** What came of acting for a while: plain data, structured-cloneable. */

/** An episode, or the part of one that was seen. */
export interface Segment {
  readonly steps: number;
  /** Services before each step, and after the last: `steps` + 1. */
  readonly services: Int32Array;
  /** What was seen, as it was seen, one after another: `steps` + 1. */
  readonly perService: Float64Array;
  readonly global: Float64Array;
  /** What was done: for each step services x service actions. */
  readonly actions: Float64Array;
  /** The logarithm of its probability density: for each step, each service. */
  readonly logProbabilities: Float64Array;
  readonly rewards: Float64Array;
  /** What its own chance changed of the rewards, as far as the environment's slopes tell: for each step, each service. */
  readonly credits: Float64Array;
  /** Ended by itself: nothing comes after. */
  readonly terminated: boolean;
  /** Ended by itself or by its length; else the rollout ended before it did. */
  readonly whole: boolean;
}

/** What came of one environment. */
export interface Rollout {
  readonly segments: readonly Segment[];
  /** The reward's terms, each added up over all steps. */
  readonly terms: Readonly<Record<string, number>>;
}

/** Steps of a rollout. */
export function stepsOf(rollout: Rollout): number {
  return rollout.segments.reduce((sum, segment) => sum + segment.steps, 0);
}

/** Whether all figures of a segment are finite: others teach nothing, and would spoil what is known of scales. */
export function isSound(segment: Segment): boolean {
  const { perService, global, actions, logProbabilities, rewards, credits } = segment;
  return [perService, global, actions, logProbabilities, rewards, credits].every((figures) =>
    figures.every(Number.isFinite),
  );
}
