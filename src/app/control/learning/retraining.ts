/** Trains a pool's model from its history in a thread of its own, within a budget of CPU time. */
import type { Settings } from '../../../config/settings-shape';
import { TidegateError } from '../../../core/errors';
import type { PoolHistory } from '../../training/history-scenario';
import { trainFromHistory } from '../../training/train-from-history';
import type { ModelText } from './learning-messages';

/** What is to be trained. */
export interface RetrainOrder {
  readonly history: PoolHistory;
  readonly seed: number;
  readonly budgetMs: number;
  readonly maxFactor: number;
  readonly reward: Settings['pools']['learning']['reward'];
  /** A model to tune, in place of beginning with nothing learned. */
  readonly from?: ModelText | undefined;
}

/** A model that was trained, or tuned. */
export interface TrainedText {
  /** Of a model file. */
  readonly text: string;
  /** Its weighted loss on the days held out, against the solver's, and that of what it began as. */
  readonly score: number;
  readonly scoreBefore: number;
}

/** A training under way. */
export interface Retraining {
  /** Rejects with a TidegateError: TG_LEARN_TOO_LITTLE_HISTORY, TG_LEARN_THREAD_LOST. */
  readonly model: Promise<TrainedText>;
  end(): void;
}

/** Begins a training. */
export function beginRetraining({ history, from, ...order }: RetrainOrder): Retraining {
  const stopped = new AbortController();
  const model = trainFromHistory(history, { ...order, from: from?.text, signal: stopped.signal });
  const end = (): void =>
    stopped.abort(new TidegateError('TG_LEARN_THREAD_LOST', 'the training was ended before it was done'));
  return { model, end };
}
