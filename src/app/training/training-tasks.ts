/** What a training is parted into. A task comes to the same in any thread. */
import type { ModelState } from '../../forecast/model/model';
import type { ExploringSnapshot } from '../../learn/ppo/policy-snapshot';
import type { Rollout } from '../../learn/ppo/rollout';
import type { LoadScore } from './learning-curves';

/** A task. */
export type TrainingTask =
  /** A service's forecaster, warmed on the days that are learned from. */
  | { readonly kind: 'warm'; readonly service: number }
  /** A rollout of an update. */
  | {
      readonly kind: 'rollout';
      readonly snapshot: ExploringSnapshot;
      readonly update: number;
      readonly index: number;
    }
  /** A load of the days held out, under the solver, or under the policy of a learner that was saved. */
  | {
      readonly kind: 'score';
      readonly load: number;
      readonly states: readonly ModelState[];
      readonly learner: unknown;
    };

/** What a task comes to. */
export type TrainingResult =
  | { readonly kind: 'warm'; readonly state: ModelState }
  | { readonly kind: 'rollout'; readonly rollout: Rollout }
  | { readonly kind: 'score'; readonly score: LoadScore };
