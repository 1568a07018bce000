/** Learning in all pools: their models, the thread that measures regret, and which demand has drifted. */
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Settings } from '../../../config/settings-shape';
import type { PoolPolicy } from '../../../core/control';
import type { ControlEvent } from '../../../core/control-desk';
import { TidegateError } from '../../../core/errors';
import type { Logger } from '../../../core/ports';
import type { History } from '../../../history/history';
import { historyPath } from '../../forecasting/history-part';
import { DriftBook } from './drift-book';
import type { LearningPort } from './learning-messages';
import { beginLearningThread } from './learning-thread';
import { advisorOf } from './model-advisor';
import { PoolLearning, type PoolLearningParts } from './pool-learning';
import { PoolModels } from './pool-models';
import { poolHistory } from './pool-history';
import { beginRetraining } from './retraining';
import { Retrainer } from './retrainer';
import { RegretWatch } from './regret-watch';
import type { ModelText } from './learning-messages';
import type { TrainedText } from './retraining';
import { takenBecause, whyNotTaken } from './tuning';

const FOLDER = 'models';

/** Where the settings have models: beside the history where they say nothing. */
export function modelsOf(settings: Settings, nowMs: () => number): PoolModels {
  const { path, model } = settings.pools.learning;
  const history = historyPath(settings.history.path, process.env);
  const beside = history === '' ? '' : join(dirname(history), FOLDER);
  return new PoolModels(path === '' ? beside : path, model, nowMs);
}

/** What it stands on. */
export interface PoolsLearningParts {
  readonly settings: Settings;
  readonly history: History;
  readonly models: PoolModels;
  readonly logger: Logger;
  readonly tell: (event: ControlEvent) => void;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  /** What makes models work, where it is not this module's own. */
  readonly engine?: LearningEngine;
}

/** What makes models work. */
export interface LearningEngine {
  /** Begins a thread to measure regret in. */
  readonly begin: () => LearningPort;
  readonly advisorOf: PoolLearningParts['advisorOf'];
  /** Begins a training. */
  readonly retrain: typeof beginRetraining;
}

const ENGINE: LearningEngine = { begin: beginLearningThread, advisorOf, retrain: beginRetraining };

/** See the file's head. */
export class PoolsLearning {
  private readonly pools = new Map<
    string,
    { readonly learning: PoolLearning; readonly retrainer: Retrainer }
  >();
  private readonly watch: RegretWatch;
  private readonly drifts: DriftBook;
  /** Pools whose models have been looked for. */
  private readonly loaded = new Set<string>();

  constructor(private readonly parts: PoolsLearningParts) {
    const { logger, monotonicMs, history, engine = ENGINE } = parts;
    this.watch = new RegretWatch({ begin: engine.begin, logger, monotonicMs });
    this.drifts = new DriftBook((fromMs, limit) => history.records.events({ kind: 'drift', fromMs, limit }));
  }

  /** Learning of a pool that is new; its model is looked for at once. */
  add(policy: PoolPolicy): PoolLearning {
    const { settings, models, logger, tell, nowMs, engine = ENGINE } = this.parts;
    const { burnInMs, windowMs, confidence, maxFactor } = settings.pools.learning;
    const mode = settings.pools.list.find(({ name }) => name === policy.name)?.learningMode ?? 'off';
    const learning = new PoolLearning(policy, {
      rules: { mode, burnInMs, windowMs, confidence, maxFactor },
      watch: this.watch,
      advisorOf: engine.advisorOf,
      modelOf: (version) => models.version(policy.name, version),
      drifted: (id) => this.drifts.has(id),
      tell,
      logger,
      nowMs,
      preciseMs: () => performance.now(),
    });
    this.pools.set(policy.name, { learning, retrainer: this.retrainerOf(policy.name, learning) });
    if (mode !== 'off') void this.load(policy.name, learning);
    return learning;
  }

  /** Looks for drift that was told since, at the beginning of a turn of all pools. */
  turn(): void {
    const { nowMs, monotonicMs, logger, settings } = this.parts;
    if (this.pools.size === 0) return;
    try {
      this.drifts.refresh(nowMs(), monotonicMs());
    } catch (thrown) {
      logger.warn({ error: TidegateError.from(thrown) }, 'it is not known which demand has drifted');
    }
    const { retrain, fineTune } = settings.pools.learning;
    if (!retrain && !fineTune) return;
    // One at a time: they are for spare CPU.
    if ([...this.pools.values()].some(({ retrainer }) => retrainer.busy)) return;
    for (const [pool, { learning, retrainer }] of this.pools) {
      if (retrainer.look(retrain && learning.wantsModel && this.loaded.has(pool)))
        return logger.info({ pool }, 'a model is being trained from history');
      if (retrainer.tune(fineTune ? learning.tunable : undefined))
        return logger.info({ pool, model: learning.version }, 'the model in use is being tuned');
    }
  }

  /** Ends the thread. */
  close(): void {
    this.watch.close();
    for (const { retrainer } of this.pools.values()) retrainer.close();
  }

  /** Never rejects. */
  private async load(pool: string, learning: PoolLearning): Promise<void> {
    const { models, logger } = this.parts;
    try {
      const { model, bad } = await models.newest(pool);
      for (const { file, error } of bad)
        logger.warn({ pool, file, error }, 'a file is no model that can be used');
      const [first] = bad;
      const why = first === undefined ? '' : `${first.file}: ${first.error.message}`;
      if (model !== undefined) learning.useModel(model, why);
      else if (why !== '') learning.refuse(why);
    } catch (thrown) {
      const error = TidegateError.from(thrown);
      logger.error({ pool, error }, 'a model cannot be used: the solver decides');
      learning.refuse(error.message);
    } finally {
      this.loaded.add(pool);
    }
  }

  private retrainerOf(pool: string, learning: PoolLearning): Retrainer {
    const { settings, history, logger, nowMs, monotonicMs, engine = ENGINE } = this.parts;
    const { retrainAfterMs: afterMs, retrainBudgetMs: budgetMs, maxFactor, reward } = settings.pools.learning;
    return new Retrainer({
      afterMs,
      monotonicMs,
      begin: (from) => {
        const seed = Math.floor(nowMs() / 1_000) % 2 ** 31;
        const known = poolHistory(history, learning.pool, nowMs());
        return engine.retrain({ history: known, seed, budgetMs, maxFactor, reward, from });
      },
      done: (trained, from) => void this.keep(pool, learning, trained, from),
      failed: (error, from) => {
        if (from === undefined)
          logger.warn({ pool, error }, 'no model was trained: the solver stays in charge');
        else logger.warn({ pool, error, model: from.version }, 'a model was not tuned: it stays as it is');
        learning.refuse(from === undefined ? error.message : `it was not tuned: ${error.message}`);
      },
    });
  }

  /** Never rejects. */
  private async keep(
    pool: string,
    learning: PoolLearning,
    trained: TrainedText,
    from: ModelText | undefined,
  ): Promise<void> {
    const { models, logger } = this.parts;
    try {
      if (from === undefined)
        return learning.useModel(await models.put(pool, trained.text), 'trained from history');
      const why = whyNotTaken(trained, from, learning.tunable);
      if (why !== undefined) {
        logger.info({ pool, model: from.version, why }, 'what came of tuning is dropped');
        return learning.refuse(`what came of tuning is dropped: ${why}`);
      }
      const tuned = await models.put(pool, trained.text);
      logger.info(
        { pool, model: tuned.version, from: from.version },
        'a tuned model takes the place of the one before',
      );
      learning.useModel(tuned, takenBecause(trained, from), from.version);
    } catch (thrown) {
      const error = TidegateError.from(thrown);
      logger.error({ pool, error }, 'a model that was trained is not kept');
      learning.refuse(error.message);
    }
  }
}
