/** Trains a pool's model from its history in a thread of its own, within a budget of CPU time. */
import type { Settings } from '../../../config/settings-shape';
import { TidegateError } from '../../../core/errors';
import type { PoolHistory } from '../../training/history-scenario';
import { trainFromHistory } from '../../training/train-from-history';

/** What is to be trained. */
export interface RetrainOrder {
  readonly history: PoolHistory;
  readonly seed: number;
  readonly budgetMs: number;
  readonly maxFactor: number;
  readonly reward: Settings['pools']['learning']['reward'];
}

/** A training under way. */
export interface Retraining {
  /** The text of a model file. Rejects with a TidegateError: TG_LEARN_TOO_LITTLE_HISTORY, TG_LEARN_THREAD_LOST. */
  readonly model: Promise<string>;
  end(): void;
}

/** Begins a training. */
export function beginRetraining({ history, ...order }: RetrainOrder): Retraining {
  const stopped = new AbortController();
  const model = trainFromHistory(history, { ...order, signal: stopped.signal }).then(({ text }) => text);
  const end = (): void =>
    stopped.abort(new TidegateError('TG_LEARN_THREAD_LOST', 'the training was ended before it was done'));
  return { model, end };
}
