/**
 * The composition root: builds every part from the settings, wires them, starts them in order, stops them in reverse.
 * Nothing else in the project knows all the parts.
 */
import { setImmediate } from 'node:timers/promises';
import { dumpSettings } from '../config/settings-dump';
import { LimitsWatcher, type LimitsOutcome } from '../config/limits-watcher';
import type { LoadedSettings } from '../config/load-settings';
import type { Settings } from '../config/settings-shape';
import { TidegateError } from '../core/errors';
import type { BoundAddress, Logger, Server } from '../core/ports';
import { Limiter } from '../limiter/limiter';
import { PlanCache } from '../limiter/plan-cache';
import { createFaultLog, type FaultLog } from '../telemetry/fault-log';
import { createLogger } from '../telemetry/logger';
import { Metrics } from '../telemetry/metrics';
import { createTracer, type Tracer } from '../telemetry/tracing';
import { healthMethods, rateLimitHealth } from '../transport';
import { adminDeps } from './admin-view';
import { ControlThreadHost, type ControlHostMaker } from './forecasting/control-host';
import { EventHub } from './control/event-hub';
import { answerBuckets } from './control/serving-operator';
import { TunedLimits } from './control/tuned-limits';
import { createForecasting, type Forecasting } from './forecasting/forecasting';
import { LimitsService, type LimitsRead } from './limits-service';
import { limitsPathOf, limitsSourceOf, namedByPath, readLimitsAt, ruleDefaultsOf } from './limits-loading';
import { readHere, readInWorker, type LimitsReader } from './limits-reading';
import { loggingTelemetry } from './logging-telemetry';
import { packageVersion } from './package-info';
import {
  announcerOptions,
  limiterOptions,
  planCacheOptions,
  requestBounds,
  tracingOptions,
} from './part-options';
import { Refusal } from './refusal';
import { RateLimitCalls } from './rls-handler';
import { controlServer, servesMesh } from './control-port';
import { adminServer, dataServer } from './servers';
import { createStores, type Stores } from './stores';
import { systemClock } from './system-clock';
import { tracedMethods } from './traced-methods';
import { poolFor, type Pool } from './workers/pool';

/** A process that serves. */
export interface Running {
  readonly addresses: Readonly<Record<'data' | 'admin' | 'control', string>>;
  /** Resolves with the fault that nothing caught, if there is one: it should stop then. */
  readonly failed: Promise<TidegateError>;
  /** Turns unhealthy, drains, closes. Never rejects. */
  stop(reason: string): Promise<void>;
}

/**
 * Starts serving.
 * @param parseLater how reloaded limits are read.
 * @param makeControl where the control path runs.
 * Rejects with a Refusal or a TidegateError, with everything closed again.
 */
export async function start(
  loaded: LoadedSettings,
  parseLater: LimitsReader = readInWorker,
  makeControl: ControlHostMaker = (setup, parts) => new ControlThreadHost(setup, parts),
): Promise<Running> {
  const app = await App.create(loaded, parseLater, makeControl);
  try {
    return await app.start();
  } catch (thrown) {
    await app.close(0);
    throw thrown;
  }
}

/** How often the log is told how many lines of a fault were held back, ms. */
const FAULT_FLUSH_MS = 10_000;
/** How often the control thread hears whether the process serves, ms. */
const HEALTH_MS = 250;

class App {
  private serving = false;
  private readonly servers: Server[] = [];
  private watcher: LimitsWatcher | undefined;
  private faultTimer: NodeJS.Timeout | undefined;
  private healthTimer: NodeJS.Timeout | undefined;
  private readonly addresses: Record<string, string> = {};
  /** A fault that nothing caught leaves the process in a state that nobody knows: it drains and ends. */
  private readonly failed: Promise<TidegateError>;
  private onFault: (thrown: unknown) => void = () => undefined;

  private constructor(
    private readonly loaded: LoadedSettings,
    private readonly logger: Logger,
    private readonly faults: FaultLog,
    private readonly metrics: Metrics,
    private readonly tracer: Tracer,
    private readonly stores: Stores,
    private readonly limiter: Limiter,
    private readonly limits: LimitsService,
    private readonly pool: Pool | undefined,
    private readonly forecasting: Forecasting,
    private readonly tuned: TunedLimits,
    private readonly events: EventHub,
    private readonly startedAt: string,
  ) {
    this.failed = new Promise((resolve) => {
      this.onFault = (thrown) => {
        const error = new TidegateError('TG_INTERNAL', 'a fault that nothing caught', { cause: thrown });
        logger.error({ error }, 'stopping');
        resolve(error);
      };
    });
  }

  static async create(
    loaded: LoadedSettings,
    parseLater: LimitsReader,
    makeControl: ControlHostMaker,
  ): Promise<App> {
    const { settings } = loaded;
    const logger = createLogger(settings.log);
    for (const { name, message } of loaded.warnings) logger.warn({ setting: name }, message);
    const metrics = new Metrics(
      { version: packageVersion(), maxSeries: settings.metrics.maxSeries, topKeys: settings.metrics.topKeys },
      systemClock,
    );
    const tracer = await createTracer(tracingOptions(settings), logger);
    const tuned = new TunedLimits(settings, systemClock);
    const stores = createStores(settings, systemClock, logger, metrics, undefined, tuned.lending);
    const faults = createFaultLog(logger, systemClock);
    const limiter = new Limiter(
      {
        store: tracer.traceStore(settings.store.kind, stores.store),
        local: stores.local,
        telemetry: loggingTelemetry(metrics, faults),
      },
      limiterOptions(settings),
    );
    const events = new EventHub();
    const forecasting = createForecasting(settings, {
      clock: systemClock,
      logger,
      figures: (figures) => metrics.control.forecasts.take(figures),
      makeHost: makeControl,
      lost: () => pool?.nameClasses(),
      poolFigures: (figures) => metrics.control.pools.take(figures),
      meshFigures: (figures) => metrics.control.mesh.take(figures),
      table: (table) => {
        tuned.apply(table);
        pool?.publishTable(table);
      },
      event: (event) => events.tell(event),
      operate: (ask) => answerBuckets(stores.operator, ask),
    });
    const pool = poolFor(settings, stores, metrics, logger, forecasting);
    const limits = new LimitsService(
      {
        read: () => readLimitsAt(limitsPathOf(settings), settings),
        parseFirst: readHere,
        parseLater,
        nextTurn: () => setImmediate(),
        use: async (table, files) => {
          await pool?.publish(table.generation, files);
          limiter.useTable(table);
          tuned.use(table);
          forecasting.use(table);
        },
        counted: (ok) => metrics.configLoaded(ok),
        countersFor: (key) => metrics.countersFor(key),
        countersForRule: (id) => metrics.countersForRule(id),
        ...(forecasting.demandFor === undefined ? {} : { demandFor: forecasting.demandFor }),
        ...tuned.compileOption,
        logger,
        clock: systemClock,
      },
      {
        defaults: ruleDefaultsOf(settings),
        mergeDomains: settings.limits.mergeDomains,
        lenient: settings.compat === 'reference',
      },
    );
    const startedAt = new Date(systemClock.nowUs() / 1_000).toISOString();
    return new App(
      loaded,
      logger,
      faults,
      metrics,
      tracer,
      stores,
      limiter,
      limits,
      pool,
      forecasting,
      tuned,
      events,
      startedAt,
    );
  }

  async start(): Promise<Running> {
    const { settings } = this.loaded;
    const log = { logger: this.logger, faults: this.faults };
    await this.loadLimits(settings);
    this.metrics.observe({
      ...(this.pool?.sources ?? this.stores.sources),
      limits: () => this.limitsFigures(),
    });
    const calls = new RateLimitCalls({
      limiter: this.limiter,
      telemetry: this.metrics,
      plans: new PlanCache(planCacheOptions(settings)),
      finished: (result, durationMs, calls) => this.metrics.callFinished(result, durationMs, calls),
      bounds: requestBounds(settings),
      monotonicMs: () => systemClock.monotonicMs(),
      turns: systemClock,
    });
    const health = healthMethods(rateLimitHealth(() => this.healthy()));
    const bounds = requestBounds(settings);
    const methods = tracedMethods(this.tracer, bounds, calls.methods(), health);
    const data = await this.listen('data', this.pool?.server ?? dataServer(settings, methods, log));
    const admin = await this.listen('admin', await adminServer(settings, this.adminDeps(calls), log));
    const inThread = servesMesh(settings) ? this.forecasting.port : undefined;
    const control = await this.listen('control', inThread ?? controlServer(settings, health, [], log));
    process.on('uncaughtException', this.onFault);
    process.on('unhandledRejection', this.onRejection);
    this.serving = true;
    // Decisions do not wait for history to be read.
    void this.forecasting.start();
    this.tuned.start((loans) => this.forecasting.borrowed(loans));
    this.faultTimer = setInterval(() => this.faults.flush(), FAULT_FLUSH_MS);
    this.faultTimer.unref();
    this.forecasting.serving(this.healthy());
    this.healthTimer = setInterval(() => this.forecasting.serving(this.healthy()), HEALTH_MS);
    this.healthTimer.unref();
    createLogger(announcerOptions(settings)).info(
      { data, admin, control, version: packageVersion() },
      'ready',
    );
    return { addresses: { data, admin, control }, failed: this.failed, stop: (reason) => this.stop(reason) };
  }

  private async loadLimits(settings: Settings): Promise<void> {
    const path = limitsPathOf(settings);
    if (settings.limits.path === undefined)
      this.logger.info({ path }, 'no limits.path is set: serving the example');
    let loaded = false;
    if (settings.limits.watch) {
      this.watcher = new LimitsWatcher({
        source: limitsSourceOf(path, settings),
        pollIntervalMs: settings.limits.pollIntervalMs,
        onChange: async (outcome) => {
          loaded = await this.limits.loadRead(named(outcome));
        },
        logger: this.logger,
      });
      await this.watcher.start();
    } else {
      loaded = await this.limits.load();
    }
    if (!loaded && !settings.limits.allowEmptyStart) throw new Refusal(this.limits.status.errors);
  }

  private async listen(name: string, server: Server): Promise<string> {
    const bound: BoundAddress = await server.listen();
    this.servers.push(server);
    this.addresses[name] = bound.address;
    return bound.address;
  }

  private healthy(): boolean {
    const served = this.pool === undefined || this.pool.serving > 0;
    return this.serving && served && this.limiter.currentTable !== undefined;
  }

  private adminDeps(calls: RateLimitCalls) {
    return adminDeps({
      calls,
      metrics: this.metrics,
      gather: async () => this.pool?.gather(),
      limiter: this.limiter,
      limits: this.limits,
      stores: this.stores,
      bounds: requestBounds(this.loaded.settings),
      settings: dumpSettings(this.loaded),
      forecasts: this.forecasting.desk,
      mesh: this.forecasting.mesh,
      control: this.forecasting.control,
      events: this.events,
      health: () => {
        if (this.healthy()) return { ok: true };
        return { ok: false, reason: this.serving ? 'no limits are loaded' : 'starting or stopping' };
      },
      process: () => ({ version: packageVersion(), startedAt: this.startedAt, addresses: this.addresses }),
    });
  }

  private limitsFigures() {
    const { generation, rules, loadedAt, errors } = this.limits.status;
    const [last] = errors;
    return {
      version: generation,
      rules,
      loadedAtMs: loadedAt === null ? 0 : Date.parse(loadedAt),
      ...(last === undefined ? {} : { lastErrorCode: last.code }),
    };
  }

  private readonly onRejection = (thrown: unknown): void => {
    this.logger.error({ error: TidegateError.from(thrown) }, 'a rejected promise that nothing caught');
  };

  private async stop(reason: string): Promise<void> {
    const { delayMs, graceMs } = this.loaded.settings.shutdown;
    this.serving = false;
    this.forecasting.serving(false);
    this.pool?.turnAway();
    this.logger.info({ reason, delayMs, graceMs }, 'stopping');
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await this.close(graceMs);
    this.logger.info({}, 'stopped');
  }

  /** Closes whatever is there; a part that fails to close does not keep the others open. */
  async close(graceMs: number): Promise<void> {
    clearInterval(this.faultTimer);
    clearInterval(this.healthTimer);
    this.tuned.stop();
    await this.watcher?.close();
    this.stores.drain();
    await settle(
      this.logger,
      this.servers.map((server) => server.close(graceMs)),
    );
    await settle(this.logger, [
      this.forecasting.close(),
      this.stores.close(),
      this.tracer.shutdown(Math.max(1_000, graceMs)),
    ]);
    this.faults.flush();
    process.off('uncaughtException', this.onFault);
    process.off('unhandledRejection', this.onRejection);
  }
}

function named(outcome: LimitsOutcome): LimitsRead {
  return 'files' in outcome ? { files: namedByPath(outcome.files) } : outcome;
}

async function settle(logger: Logger, closing: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(closing)) {
    if (result.status === 'rejected')
      logger.warn({ error: TidegateError.from(result.reason) }, 'a part did not close');
  }
}
