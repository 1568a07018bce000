/** Replays pools' intervals, pool by pool: what the learning thread does with each message. */
import { TidegateError } from '../../../core/errors';
import { RegretMeter } from '../../../learn/replay/regret-meter';
import type { ReplayAdvisor } from '../../../learn/replay/replay-world';
import type { FromLearning, ModelText, ToLearning, WatchRules } from './learning-messages';

/** Makes a model's advisor, with a memory of its own. @throws TidegateError for a model that cannot be used. */
export type AdvisorMaker = (model: ModelText, rules: WatchRules) => ReplayAdvisor;

/** See the file's head. */
export class RegretBench {
  private readonly meters = new Map<string, RegretMeter | TidegateError>();

  constructor(private readonly advisorOf: AdvisorMaker) {}

  /** Takes a message. @returns the answer to an interval. Never throws. */
  take(message: ToLearning): FromLearning | undefined {
    const { pool } = message;
    if (message.kind === 'forget') {
      this.meters.delete(pool);
      return undefined;
    }
    if (message.kind === 'model') {
      this.meters.set(pool, this.meterOf(message.model, message.rules));
      return undefined;
    }
    const { id, recorded } = message;
    const meter = this.meters.get(pool);
    if (meter === undefined) return { kind: 'failed', pool, id, message: 'there is no model' };
    if (meter instanceof TidegateError) return { kind: 'failed', pool, id, message: meter.message };
    try {
      meter.interval(recorded);
      return { kind: 'figures', pool, id, figures: meter.figures() };
    } catch (thrown) {
      return { kind: 'failed', pool, id, message: TidegateError.from(thrown).message };
    }
  }

  private meterOf(model: ModelText, rules: WatchRules): RegretMeter | TidegateError {
    try {
      return new RegretMeter(model.version, this.advisorOf(model, rules), rules);
    } catch (thrown) {
      return TidegateError.from(thrown);
    }
  }
}
