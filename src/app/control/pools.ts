/** All pools in the control thread: one runner each, turned by one timer. */
import type { Settings } from '../../config/settings-shape';
import type { PoolTable } from '../../core/control';
import type { ControlDeskPort, ControlEvent } from '../../core/control-desk';
import { TidegateError } from '../../core/errors';
import type { Prediction } from '../../core/forecasts';
import type { ObservationBatch } from '../../core/observation';
import type { BucketOperator, PoolLink, PoolOrders } from '../../core/pool-link';
import type { Logger } from '../../core/ports';
import type { History } from '../../history/history';
import type { AtOnceSum } from './at-once';
import type { PoolFigures } from '../../telemetry/pool-series';
import { DemandTap } from './demand-tap';
import { MemberForecasts } from './member-forecasts';
import { PoolDesk } from './pool-desk';
import { modelsOf, PoolsLearning } from './learning/pools-learning';
import { PoolJournal } from './pool-journal';
import { createOperator, PoolLinks } from './pool-links';
import { PoolRunner } from './pool-runner';
import type { PoolSetup } from './pool-setup';
import { bucketViews, poolView } from './pool-views';
import { ServiceHealths } from './service-health';

/** What pools stand on. */
export interface PoolsParts {
  readonly settings: Settings;
  readonly source: string;
  readonly logger: Logger;
  readonly history: History;
  /** The buckets of the serving thread. */
  readonly serving: BucketOperator;
  /** The forecast of a class's next minute; it may throw. */
  readonly predict: (classId: string) => Prediction | undefined;
  readonly figures: (figures: PoolFigures) => void;
  readonly table: (table: PoolTable) => void;
  readonly tell: (event: ControlEvent) => void;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
}

const ORDERS = 'orders';
const TELL_MS = 1_000;
/** Members that metrics tell of. */
const MAX_TOLD_MEMBERS = 500;

/** See the file's head. */
export class Pools {
  readonly desk: ControlDeskPort;
  private readonly runners = new Map<string, PoolRunner>();
  private readonly tap = new DemandTap();
  private readonly journal: PoolJournal;
  private readonly forecasts: MemberForecasts;
  private readonly healths: ServiceHealths;
  private readonly operator: ReturnType<typeof createOperator>;
  private readonly links: PoolLinks;
  private readonly learning: PoolsLearning;
  private readonly keyRules = new Map<string, string>();
  private toldMs = -Infinity;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: PoolsParts) {
    const { settings, history, logger, serving, predict, tell } = parts;
    this.journal = new PoolJournal({
      keep: (event) => history.records.addEvent(event),
      kept: (sinceMs) =>
        history.records.events({ kind: 'audit', ...(sinceMs === undefined ? {} : { fromMs: sinceMs }) }),
      tell,
    });
    this.forecasts = new MemberForecasts(predict);
    this.healths = new ServiceHealths(history, settings.pools.signals);
    this.operator = createOperator(settings, logger, serving);
    this.links = new PoolLinks({
      ...parts,
      led: () => [...this.runners.values()].filter(({ link }) => link.role().leader).length,
      orders: {
        load: (pool) => this.loadOrders(pool),
        keep: (pool, orders) => this.keepOrders(pool, orders),
      },
    });
    this.learning = new PoolsLearning({ ...parts, models: modelsOf(settings, parts.nowMs) });
    this.desk = new PoolDesk(this.runners, this.journal, parts.nowMs);
  }

  /** Pools by new limits; those that there were keep what they know. */
  use(setups: readonly PoolSetup[]): void {
    for (const setup of setups) {
      const known = this.runners.get(setup.policy.name);
      if (known !== undefined) known.use(setup);
      else this.add(setup);
    }
    for (const [classId, ruleId] of this.keyRules)
      for (const runner of this.runners.values()) runner.keyAdded(classId, ruleId);
    this.timer ??= setInterval(() => this.turn(), this.parts.settings.pools.tickMs);
  }

  /** Takes what a process saw in a step. */
  note(batch: ObservationBatch): void {
    for (const { id, kind, parent } of batch.added) {
      if (kind !== 'key' || parent === undefined || this.keyRules.size >= MAX_KEYS) continue;
      this.keyRules.set(id, parent);
      for (const runner of this.runners.values()) runner.keyAdded(id, parent);
    }
    for (const id of batch.ended ?? []) {
      if (!this.keyRules.delete(id)) continue;
      for (const runner of this.runners.values()) runner.keyEnded(id);
    }
    const wanted = (id: string): boolean => {
      for (const runner of this.runners.values()) if (runner.wants(id)) return true;
      return false;
    };
    this.tap.note(batch, wanted, this.parts.monotonicMs());
  }

  /** Takes what the data path borrowed at once. */
  borrowed(loans: readonly AtOnceSum[]): void {
    for (const loan of loans) for (const runner of this.runners.values()) runner.borrowed(loan);
  }

  /** Gives up what it leads, so that others can at once. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all([...this.runners.values()].map(({ link }) => link.close()));
    this.links.close();
    this.learning.close();
    await this.operator.close?.();
  }

  private turn(): void {
    this.forecasts.begin();
    this.learning.turn();
    this.tap.forgetSilent(this.parts.monotonicMs());
    for (const runner of this.runners.values()) void runner.tick();
    const nowMs = this.parts.monotonicMs();
    if (nowMs < this.toldMs + TELL_MS) return;
    this.toldMs = nowMs;
    const all = [...this.runners.values()];
    const pools = all.map((runner) => poolView(runner, this.parts.nowMs()));
    const buckets = all.flatMap((runner) => bucketViews(runner).slice(0, MAX_TOLD_MEMBERS));
    const learning = all.map((runner) => runner.learning.view(false));
    this.parts.figures({ pools, buckets: buckets.slice(0, MAX_TOLD_MEMBERS), learning });
  }

  private add(setup: PoolSetup): void {
    const { nowMs, monotonicMs, logger, table } = this.parts;
    const { name } = setup.policy;
    let link: PoolLink;
    try {
      link = this.links.linkOf(name);
    } catch (thrown) {
      logger.error({ pool: name, error: TidegateError.from(thrown) }, 'a pool stays as it is configured');
      return;
    }
    const runner = new PoolRunner(setup, {
      link,
      operator: this.operator,
      tap: this.tap,
      forecast: (id, atMs) => this.forecasts.of(id, atMs),
      health: (services, atMs) => this.healths.of(services, atMs),
      learning: this.learning.add(setup.policy),
      journal: this.journal,
      logger,
      nowMs,
      monotonicMs,
    });
    link.onTable(table);
    this.runners.set(name, runner);
    link.start();
  }

  private loadOrders(pool: string): PoolOrders {
    const [newest] = this.parts.history.records.events({ kind: ORDERS, classId: pool, limit: 1 });
    const { overrides, mode, learning } = (newest?.data ?? {}) as Partial<PoolOrders>;
    return {
      overrides: Array.isArray(overrides) ? overrides : [],
      mode: mode ?? undefined,
      learning: learning ?? undefined,
    };
  }

  private keepOrders(pool: string, orders: PoolOrders): void {
    const { overrides, mode, learning } = orders;
    const data = { overrides, mode: mode ?? null, learning: learning ?? null };
    this.parts.history.records.addEvent({ atMs: this.parts.nowMs(), kind: ORDERS, classId: pool, data });
  }
}

/** Keys of all rules that are remembered, for pools that come later. */
const MAX_KEYS = 20_000;
