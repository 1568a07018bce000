/** Trains on a scenario: in threads or here, with checkpoints, within a budget of CPU time. */
import { join } from 'node:path';
import { ALLOCATION_SHAPE } from '../../learn/allocation/features';
import { crewHere, ThreadCrew, type Crew } from './thread-crew';
import { runTraining, type TrainingOutcome } from './training-run';
import type { TrainingPlan } from './training-plan';
import { readCheckpoint, writeCheckpoint } from './training-state';
import type { TrainingResult, TrainingTask } from './training-tasks';
import type { TrainingThreadData } from './training-worker';
import { trainingWork } from './training-work';
import { modelTextOf } from './trained-model';

/** What is to be done. */
export interface TrainingOrder {
  readonly plan: TrainingPlan;
  readonly budgetMs: number;
  /** 0 does all in this thread. */
  readonly threads: number;
  /** A checkpoint to go on from, and the file to keep them in. */
  readonly resume?: string | undefined;
  readonly checkpoint?: string | undefined;
  readonly signal: AbortSignal;
  /** CPU time since some moment, ms; that of the process when left out. */
  readonly cpuMs?: () => number;
  /** Told what is done, once it is known: a checkpoint has settings of its own. */
  readonly onPlan?: (plan: TrainingPlan) => void;
  readonly onProgress: (part: number, what: string) => void;
}

/** What came of it. */
export interface Trained {
  readonly plan: TrainingPlan;
  readonly outcome: TrainingOutcome;
  /** The text of a model file. */
  readonly model: string;
}

/**
 * Rejects with the signal's reason when it aborts, and with TG_LEARN_THREAD_LOST when a thread dies, the last checkpoint being kept.
 * @throws TidegateError TG_LEARN_BAD_CHECKPOINT.
 */
export async function trainScenario(order: TrainingOrder): Promise<Trained> {
  const { resume, checkpoint, threads, signal, onProgress } = order;
  const from = resume === undefined ? undefined : readCheckpoint(resume, order.plan);
  const plan =
    from === undefined
      ? order.plan
      : { ...order.plan, settings: from.learner.settings, scoreEvery: from.scoreEvery };
  order.onPlan?.(plan);
  const crew = crewOf(plan, threads, signal);
  try {
    const outcome = await runTraining({
      ...{ plan, crew, shape: ALLOCATION_SHAPE, budgetMs: order.budgetMs, from, onProgress },
      cpuMs: order.cpuMs ?? processCpuMs,
      keep: (state) => {
        if (checkpoint !== undefined) writeCheckpoint(checkpoint, plan, state);
      },
    });
    return { plan, outcome, model: modelTextOf(plan, outcome) };
  } finally {
    await crew.close();
  }
}

function crewOf(
  plan: TrainingPlan,
  threads: number,
  signal: AbortSignal,
): Crew<TrainingTask, TrainingResult> {
  if (threads < 1) return crewHere(trainingWork(plan), signal);
  const workerData: TrainingThreadData = { training: true, plan };
  return new ThreadCrew({ script: join(__dirname, 'training-worker.js'), workerData, threads, signal });
}

/** CPU time of all threads of the process. */
function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
