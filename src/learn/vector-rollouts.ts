/** Rollouts of several environments, one after another in this thread. */
import type { Environment } from './environment';
import { collect } from './ppo/collect';
import type { ExploringSnapshot } from './ppo/policy-snapshot';
import type { Rollout } from './ppo/rollout';
import { rolloutSeed } from './ppo/seeds';

/** Which rollouts of which update of which training. */
export interface RolloutOrder {
  readonly seed: number;
  readonly update: number;
  /** Rollouts in all, and steps of each. */
  readonly rollouts: number;
  readonly steps: number;
}

/**
 * Collects an update's rollouts: what each holds follows from the training's seed, the update and its index, whoever collects it.
 * @param environmentOf for each index, an environment; the same one may serve several.
 * @param indices which of them; else all.
 * @returns in the order of the indices.
 */
export function collectRollouts(
  environmentOf: (index: number) => Environment,
  snapshot: ExploringSnapshot,
  { seed, update, rollouts, steps }: RolloutOrder,
  indices: readonly number[] = Array.from({ length: rollouts }, (_, index) => index),
): Rollout[] {
  return indices.map((index) =>
    collect(environmentOf(index), snapshot, steps, rolloutSeed(seed, update, index)),
  );
}
