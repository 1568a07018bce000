/** What a training writes as JSON: what it was of, how the best policy did on the days held out, and the curves. */
import type { LoadScore } from './learning-curves';
import type { TrainingPlan } from './training-plan';
import type { TrainingOutcome } from './training-run';
import { factsOf } from './training-text';

/** See the file's head. Figures by load bear the names of the simulator's. */
export function trainingJson(plan: TrainingPlan, outcome: TrainingOutcome): object {
  const { curves, best, end, cpuMs } = outcome;
  const chosen = curves.heldOut.find(({ updates }) => updates === best.updates);
  return {
    data: factsOf(plan.scenario),
    seed: plan.seed,
    settings: plan.settings,
    end,
    updates: curves.updates.length,
    cpu_ms: Math.round(cpuMs),
    best: { updates: best.updates, score: best.score },
    held_out: { solver: byLoad(curves.solver), ppo: byLoad(chosen?.loads ?? []) },
    curves: { updates: curves.updates, held_out: curves.heldOut },
  };
}

function byLoad(scores: readonly LoadScore[]): object {
  return Object.fromEntries(scores.map(({ load, figures }) => [load, figures]));
}
