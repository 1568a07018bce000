/** A training between two updates: all that it takes to go on, as a file. */
import { TidegateError } from '../../core/errors';
import { PpoLearner } from '../../learn/ppo/learner';
import type { LearningCurves } from './learning-curves';
import { isRecord, readSealed, writeSealed, type FileKind } from './sealed-file';
import { planDigest, type TrainingPlan } from './training-plan';

/** The best policy so far, by the days that are held out. */
export interface BestPolicy {
  readonly updates: number;
  readonly score: number;
  /** The learner as it was, as JSON. */
  readonly learner: unknown;
}

/** See the file's head. */
export interface TrainingState {
  readonly learner: PpoLearner;
  readonly curves: LearningCurves;
  readonly best: BestPolicy | undefined;
  /** CPU time so far, ms. */
  readonly cpuMs: number;
}

/** What can be told of a checkpoint before it is gone on with. */
export interface Checkpoint extends TrainingState {
  readonly scoreEvery: number;
}

const CHECKPOINT: FileKind = {
  format: 'tidegate-checkpoint',
  version: 1,
  code: 'TG_LEARN_BAD_CHECKPOINT',
};

/** Writes a checkpoint in place of the one before it, whole. @throws TidegateError TG_OUTPUT_UNWRITABLE. */
export function writeCheckpoint(path: string, plan: TrainingPlan, state: TrainingState): void {
  const { learner, curves, best, cpuMs } = state;
  writeSealed(path, CHECKPOINT, {
    plan: planDigest(plan),
    scoreEvery: plan.scoreEvery,
    learner: learner.save(),
    curves,
    best: best ?? null,
    cpuMs,
  });
}

/**
 * @param plan with the scenario, seed and reward that it has to be of; PPO's settings are the checkpoint's.
 * @throws TidegateError TG_LEARN_BAD_CHECKPOINT.
 */
export function readCheckpoint(path: string, plan: Parameters<typeof planDigest>[0]): Checkpoint {
  const body = readSealed(path, CHECKPOINT);
  const bad = (why: string): TidegateError =>
    new TidegateError('TG_LEARN_BAD_CHECKPOINT', why, { at: { file: path } });
  if (!isRecord(body)) throw bad('it holds nothing');
  const { curves, best, cpuMs, scoreEvery } = body;
  if (body['plan'] !== planDigest(plan)) throw bad('it is of another scenario or seed');
  if (!areCurves(curves) || !(best === null || isBest(best))) throw bad('its curves are none');
  if (typeof cpuMs !== 'number' || typeof scoreEvery !== 'number') throw bad('it lacks figures');
  return { learner: PpoLearner.restore(body['learner']), curves, best: best ?? undefined, cpuMs, scoreEvery };
}

/** The file's digest vouches for what we wrote ourselves: this only tells our files from others'. */
function areCurves(value: unknown): value is LearningCurves {
  return isRecord(value) && ['updates', 'heldOut', 'solver'].every((key) => Array.isArray(value[key]));
}

function isBest(value: unknown): value is BestPolicy {
  return isRecord(value) && typeof value['updates'] === 'number' && typeof value['score'] === 'number';
}
