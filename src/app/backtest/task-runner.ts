/** Does the tasks of a backtest, one after the other, in whichever thread it lives in, and takes the time they need. */
import { evaluateAt } from '../../forecast/backtest/evaluation';
import { DEFAULT_MODEL, modelNamed, ONLINE_MODEL } from './models';
import { runOnlineTask } from './online-task';
import { failureOf, type BacktestTask, type OriginResult, type TaskResult, type TaskSetup } from './tasks';
import { TimedKind } from './timed-kind';

/** Does a task. Whatever goes wrong is in the result. @param progress is told the steps done of an online task. */
export type TaskRunner = (task: BacktestTask, progress: (steps: number) => void) => TaskResult;

/** A runner that remembers which models it has fitted, so that a first fit is known as one. */
export function taskRunner(setup: TaskSetup): TaskRunner {
  const fitted = new Set<string>();
  return (task, progress) => {
    try {
      const online = task.kind === 'online';
      const model = modelNamed(online && task.model === DEFAULT_MODEL ? ONLINE_MODEL : task.model);
      const kind = new TimedKind(model, !fitted.has(model.name));
      fitted.add(model.name);
      return online ? runOnlineTask(setup, kind, task.model, progress) : atOrigin(setup, kind, task.origin);
    } catch (thrown) {
      return failureOf(thrown);
    }
  };
}

function atOrigin({ series, plan }: TaskSetup, kind: TimedKind, origin: number): OriginResult {
  if (plan === undefined) throw new Error('a task at an origin needs a plan');
  const begun = performance.now();
  const { scores, forecast } = evaluateAt(kind, series, plan, origin);
  const took = performance.now() - begun;
  return { kind: 'origin', scores, forecast, ...kind.fitTime, predictMs: took - kind.fitTime.fitMs };
}
