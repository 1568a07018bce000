/** Learning in one pool: asks the model, says whether it may be followed, has its regret measured, and keeps who decides. */
import { adviceBar, demotingFault, forecastBar, type AdviceFacts } from '../../../control/advice/advice-bars';
import { AdviceChain, type AdviceLevel, type Bar } from '../../../control/advice/advice-chain';
import { LearningKeeper, type LearningState } from '../../../control/advice/learning-keeper';
import { FORECAST_LIFE_MS } from '../../../control/demand/member-demand';
import type { PoolAdvice, PoolDecision, PoolMode, PoolPolicy, PoolSeen } from '../../../core/control';
import type { ControlEvent } from '../../../core/control-desk';
import { TidegateError } from '../../../core/errors';
import type {
  LearningOrder,
  LearningSwitchView,
  LearningView,
  PublishedLearning,
} from '../../../core/learning';
import type { Logger } from '../../../core/ports';
import { adviceViews } from './advice-views';
import { ArrivalRecorder } from './arrival-recorder';
import type { PoolNow } from './pool-history';
import type { ModelText, WatchRules } from './learning-messages';
import type { ModelAdvisor } from './model-advisor';
import type { RegretWatch } from './regret-watch';
import { SwitchLog } from './switch-log';

/** How a pool learns, by the settings. */
export interface LearningRulesOfPool {
  readonly mode: PoolMode;
  readonly burnInMs: number;
  readonly windowMs: number;
  readonly confidence: number;
  readonly maxFactor: number;
}

/** What it stands on. */
export interface PoolLearningParts {
  readonly rules: LearningRulesOfPool;
  readonly watch: Pick<RegretWatch, 'use' | 'interval' | 'figures' | 'unwatched'>;
  /** @throws TidegateError for a model that cannot be used. */
  readonly advisorOf: (model: ModelText, rules: WatchRules) => ModelAdvisor;
  /** The model of that version, to go back to; rejects where it is not kept any more. */
  readonly modelOf: (version: string) => Promise<ModelText>;
  /** Whether the demand of a class has drifted of late. */
  readonly drifted: (id: string) => boolean;
  readonly tell: (event: ControlEvent) => void;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** Never steps back, with parts of a ms. */
  readonly preciseMs: () => number;
}

/** What a tick of the controller begins with. */
export interface Advised {
  /** As it is to be told to the controller: without forecasts where the chain says so. */
  readonly seen: PoolSeen;
  /** To be given to the controller; undefined: none is to be in force. */
  readonly advice: PoolAdvice | undefined;
}

/** Intervals that a level has to be without faults before it acts again, and the least time, ms. */
const CALM_INTERVALS = 3;
const LEAST_CALM_MS = 5_000;
const BEGUN = { why: 'there is no model', moved: undefined, rollback: undefined } as const;

/** See the file's head. Nothing here throws: what fails is a fault of the advice. */
export class PoolLearning {
  private now: PoolNow;
  private ids: ReadonlySet<string> = new Set();
  private chain: AdviceChain;
  private readonly keeper: LearningKeeper;
  private readonly recorder = new ArrivalRecorder();
  private readonly log = new SwitchLog();
  private model: (ModelText & { readonly tunedFrom?: string | undefined }) | undefined;
  private leads = false;
  private advisor: ModelAdvisor | undefined;
  private modelWhy = '';
  private state: LearningState;
  private decides: { readonly level: AdviceLevel; readonly why: string } = { level: 'configured', why: '' };
  private bars: { readonly ppo: Bar | undefined; readonly forecast: Bar | undefined } = {
    ppo: undefined,
    forecast: undefined,
  };
  private advice: PoolAdvice | undefined;
  private last: PoolDecision | undefined;
  private order: LearningOrder | undefined;
  private tookMs = 0;
  private fault = '';
  private told: string | undefined;

  constructor(
    policy: PoolPolicy,
    private readonly parts: PoolLearningParts,
  ) {
    this.now = { policy, members: [], queueLimits: new Float64Array(0) };
    this.chain = new AdviceChain(calmMs(policy));
    this.keeper = new LearningKeeper(parts.rules);
    this.state = { ...BEGUN, mode: parts.rules.mode === 'off' ? 'off' : 'shadow' };
  }

  /** Takes the pool as it is now. */
  use(pool: PoolNow): void {
    const { policy, members } = pool;
    const other = policy.intervalMs !== this.now.policy.intervalMs;
    this.now = pool;
    if (other) {
      this.chain = new AdviceChain(calmMs(policy));
      if (this.model !== undefined) this.parts.watch.use(policy.name, this.model, this.watchRules());
    }
    this.ids = new Set(members.map(({ id }) => id));
    const done = this.recorder.use(pool);
    if (done !== undefined && this.watches) this.parts.watch.interval(policy.name, done);
  }

  /**
   * Takes a model to learn by: it begins in shadow.
   * @param why what to tell where there is none. @param tunedFrom the version in use that it was tuned from, whose place it keeps.
   */
  useModel(model: ModelText | undefined, why: string, tunedFrom?: string): void {
    this.modelWhy = why;
    let advisor: ModelAdvisor | undefined;
    try {
      advisor = model === undefined ? undefined : this.parts.advisorOf(model, this.watchRules());
    } catch (thrown) {
      const error = TidegateError.from(thrown);
      this.modelWhy = error.message;
      this.parts.logger.error(
        { pool: this.now.policy.name, error },
        'a model cannot be used: the solver decides',
      );
      this.tell({ what: 'model', model: model?.version ?? null, why: error.message });
      return;
    }
    this.model = model && { ...model, tunedFrom };
    this.advisor = advisor;
    this.advice = undefined;
    this.fault = '';
    this.parts.watch.use(this.now.policy.name, model, this.watchRules());
    this.tell({ what: 'model', model: model?.version ?? null, why });
  }

  /** There is no model that could be used. */
  refuse(why: string): void {
    this.modelWhy = why;
    this.tell({ what: 'model', model: this.version ?? null, why });
  }

  /** Who decides. */
  get level(): AdviceLevel {
    return this.decides.level;
  }

  /** What applies. */
  get mode(): PoolMode {
    return this.state.mode;
  }

  /** The bound of every factor of advice, and its inverse. */
  get maxFactor(): number {
    return this.parts.rules.maxFactor;
  }

  /** Whether what is to be published has changed since the last call. */
  takeChange(): boolean {
    const published = JSON.stringify(this.published);
    const changed = published !== this.told;
    this.told = published;
    return changed;
  }

  /** Whether a new model is wanted: there is none, or demand has drifted from what the one in use was trained on. */
  get wantsModel(): boolean {
    return this.state.mode !== 'off' && (this.model === undefined || this.bars.ppo?.reason === 'drift');
  }

  /** The model in use where it may be tuned: it decides, and this process leads. */
  get tunable(): ModelText | undefined {
    return this.leads && this.mode === 'active' && this.level === 'ppo' ? this.model : undefined;
  }

  /** The pool as it is now. */
  get pool(): PoolNow {
    return this.now;
  }

  /** The version of the model in use. */
  get version(): string | undefined {
    return this.model?.version;
  }

  /** What to publish for whoever takes over. */
  get published(): PublishedLearning | undefined {
    return this.model === undefined ? undefined : { model: this.model.version, mode: this.state.mode };
  }

  /**
   * Before the controller's tick.
   * @param pool the pool's mode. @param published what another leader told of learning, where this process does not lead or begins to.
   */
  before(
    atMs: number,
    seen: PoolSeen,
    pool: PoolMode,
    order: LearningOrder | undefined,
    published: PublishedLearning | undefined,
  ): Advised {
    this.order = order;
    this.leads = published === undefined;
    if (this.watches) {
      const interval = this.recorder.tick(atMs, seen);
      if (interval !== undefined) this.parts.watch.interval(this.now.policy.name, interval);
    }
    this.ask(atMs, seen);
    const facts = this.facts(atMs, seen);
    const fault = demotingFault(adviceBar({ ...facts, mode: 'active' }));
    this.keep(atMs, pool, fault, published);
    this.bars = {
      ppo: adviceBar({ ...facts, mode: this.state.mode, why: this.state.why }),
      forecast: forecastBar(
        atMs,
        seen.members.map(({ forecast }) => forecast),
        FORECAST_LIFE_MS,
      ),
    };
    this.look(atMs);
    const { level } = this.decides;
    return {
      seen: level === 'ppo' || level === 'forecast' ? seen : withoutForecasts(seen),
      advice: level === 'ppo' ? this.advice : undefined,
    };
  }

  /** After the controller's tick. */
  after(decision: PoolDecision): void {
    const changed = decision.state !== this.last?.state;
    this.last = decision;
    if (changed) this.look(decision.atMs);
    try {
      this.advisor?.decided(decision);
    } catch (thrown) {
      this.fault = TidegateError.from(thrown).message;
    }
  }

  /** @param withAdvice whether to say what moved the last advice: it asks the model many times. */
  view(withAdvice: boolean): LearningView {
    const { name } = this.now.policy;
    return {
      pool: name,
      mode: this.state.mode,
      configuredMode: this.parts.rules.mode,
      why: this.state.why,
      order: this.order ?? null,
      level: this.decides.level,
      levelWhy: this.decides.why,
      model: this.model?.version ?? null,
      modelWhy: this.modelWhy,
      inferenceMs: this.advisor === undefined ? null : this.tookMs,
      outOfRange: this.advisor?.outOfRange ?? null,
      unwatched: this.unwatched(),
      regret: this.parts.watch.figures(name) ?? null,
      switches: this.log.newest,
      counts: this.log.counts,
      advice: withAdvice ? adviceViews(this.advice, this.last, this.advisor) : [],
    };
  }

  private get watches(): boolean {
    return this.model !== undefined && this.state.mode !== 'off';
  }

  private watchRules(): WatchRules {
    const { windowMs, confidence, maxFactor } = this.parts.rules;
    return { windowMs, confidence, maxFactor, intervalMs: this.now.policy.intervalMs };
  }

  private unwatched(): string {
    if (this.recorder.tooLarge) return 'the pool has too many members to be replayed';
    return this.parts.watch.unwatched(this.now.policy.name);
  }

  /** Asks the model, whether or not it is followed: what it would say is shown, and its faults are known beforehand. */
  private ask(atMs: number, seen: PoolSeen): void {
    if (this.advisor === undefined || this.state.mode === 'off') {
      this.advice = undefined;
      return;
    }
    const fromMs = this.parts.preciseMs();
    try {
      this.advice = this.advisor.advise(atMs, this.now.policy, this.now.members, seen);
      this.fault = '';
    } catch (thrown) {
      this.advice = undefined;
      this.fault = TidegateError.from(thrown).message;
    }
    this.tookMs = Math.max(0, this.parts.preciseMs() - fromMs);
  }

  private facts(nowMs: number, { members: seen }: PoolSeen): AdviceFacts {
    const { now, parts } = this;
    const anomalous = seen.filter(({ forecast }) => forecast?.anomalous === true).length;
    const drifted = now.members.filter(({ id }) => parts.drifted(id)).length;
    return {
      nowMs,
      mode: this.state.mode,
      why: this.state.why,
      model: this.model !== undefined,
      advice: this.advice,
      lifeMs: now.policy.intervalMs + now.policy.tickMs,
      fault: this.fault,
      tookMs: this.tookMs,
      members: this.ids,
      maxFactor: parts.rules.maxFactor,
      outOfRange: this.advisor?.outOfRange ?? 0,
      anomalous: anomalous / Math.max(1, seen.length),
      drifted: drifted / Math.max(1, now.members.length),
      heard: seen.some(({ demandPerS }) => demandPerS >= 0),
      unwatched: this.watches ? this.unwatched() : '',
    };
  }

  private keep(
    atMs: number,
    pool: PoolMode,
    fault: string | undefined,
    published: PublishedLearning | undefined,
  ): void {
    const before = this.state;
    this.state = this.keeper.next(atMs, {
      configured: this.parts.rules.mode,
      pool,
      order: this.order,
      model: this.model?.version,
      tunedFrom: this.model?.tunedFrom,
      regret: this.parts.watch.figures(this.now.policy.name),
      fault,
      published,
    });
    const { mode, why, moved, rollback } = this.state;
    if (mode !== before.mode || moved !== undefined)
      this.note({ atMs, from: before.mode, to: mode, reason: moved ?? 'mode', why });
    if (rollback !== undefined) void this.rollBack(rollback);
  }

  private async rollBack(version: string): Promise<void> {
    const demoted = this.version ?? '';
    try {
      this.useModel(await this.parts.modelOf(version), `${demoted} was demoted: back to the one before it`);
    } catch (thrown) {
      const error = TidegateError.from(thrown);
      this.parts.logger.warn(
        { pool: this.now.policy.name, version, error },
        'there is no model to go back to',
      );
    }
  }

  private look(atMs: number): void {
    const { last } = this;
    const fell: Bar | undefined =
      last?.state === 'fallback'
        ? {
            reason: last.why.startsWith('no telemetry') ? 'no_telemetry' : 'fault',
            why: last.why,
            fault: true,
          }
        : undefined;
    const state = this.chain.look(atMs, { ...this.bars, last: fell });
    this.decides = state;
    if (state.switched !== undefined) this.note(state.switched);
  }

  private note(change: LearningSwitchView): void {
    this.log.note(change);
    const { name } = this.now.policy;
    this.parts.logger.info(
      { pool: name, ...change },
      'who decides for a pool, or how it learns, has changed',
    );
    this.tell({ what: 'switch', ...change });
  }

  private tell(data: object): void {
    this.parts.tell({ atMs: this.parts.nowMs(), kind: 'learning', pool: this.now.policy.name, data });
  }
}

function calmMs({ intervalMs }: PoolPolicy): number {
  return Math.max(LEAST_CALM_MS, CALM_INTERVALS * intervalMs);
}

/** Forecasts that are not to be relied on stay: they are no figures to the controller, but a doubt. */
function withoutForecasts({ members, health }: PoolSeen): PoolSeen {
  return {
    members: members.map((one) => (one.forecast?.anomalous === true ? one : { ...one, forecast: undefined })),
    health,
  };
}
