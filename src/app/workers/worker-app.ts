/** What a worker is made of: the data path, with its limits from the primary, and its figures given to it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TidegateError } from '../../core/errors';
import type { Logger, Server } from '../../core/ports';
import { compileInSteps } from '../../limiter/compile-limits';
import { Limiter } from '../../limiter/limiter';
import { PlanCache } from '../../limiter/plan-cache';
import { createFaultLog, type FaultLog } from '../../telemetry/fault-log';
import { createLogger } from '../../telemetry/logger';
import { Metrics } from '../../telemetry/metrics';
import { createTracer, type Tracer } from '../../telemetry/tracing';
import { healthMethods, rateLimitHealth } from '../../transport';
import { TunedLimits } from '../control/tuned-limits';
import { ruleDefaultsOf } from '../limits-loading';
import { loggingTelemetry } from '../logging-telemetry';
import { packageVersion } from '../package-info';
import { limiterOptions, planCacheOptions, requestBounds, tracingOptions } from '../part-options';
import { RateLimitCalls } from '../rls-handler';
import { dataServer } from '../servers';
import { createStores, type Stores } from '../stores';
import { systemClock } from '../system-clock';
import { tracedMethods } from '../traced-methods';
import { openLink } from './worker-link';
import { workerDemand, type WorkerDemand } from './worker-demand';
import type { Begin, FromWorker, PublishedLimits, ToWorker } from './messages';

/** How often the primary is told what was counted, ms. */
const SHARE_MS = 1_000;
const FAULT_FLUSH_MS = 10_000;
/** How long calls in flight may take after a fault that nothing caught, ms. */
const FAULT_GRACE_MS = 1_000;

/** The parts of a worker. */
interface Parts {
  readonly begin: Begin;
  readonly post: (message: FromWorker) => boolean;
  readonly logger: Logger;
  readonly faults: FaultLog;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly stores: Stores;
  readonly limiter: Limiter;
  readonly tuned: TunedLimits;
  /** What is seen of demand; undefined where nothing is forecast. */
  readonly demand: WorkerDemand | undefined;
}

/** See the file's head. */
export class WorkerApp {
  #serving = false;
  #stopping = false;
  #server: Server | undefined;
  #timers: NodeJS.Timeout[] = [];
  #loading: Promise<void> = Promise.resolve();

  private constructor(private readonly parts: Parts) {}

  static async create(begin: Begin, post: (message: FromWorker) => boolean): Promise<WorkerApp> {
    const { settings, worker } = begin;
    const logger = createLogger({ ...settings.log, base: { worker } });
    const { maxSeries, topKeys } = settings.metrics;
    const metrics = new Metrics(
      { version: packageVersion(), maxSeries, topKeys, processMetrics: false },
      systemClock,
    );
    const tracer = await createTracer(tracingOptions(settings), logger);
    const nowMs = (): number => systemClock.monotonicMs();
    const link = settings.store.kind === 'memory' ? openLink(nowMs, (error) => app.#fault(error)) : undefined;
    const tuned = new TunedLimits(settings, systemClock);
    const stores = createStores(settings, systemClock, logger, metrics, link, tuned.lending);
    const faults = createFaultLog(logger, systemClock);
    const limiter = new Limiter(
      {
        store: tracer.traceStore(settings.store.kind, stores.store),
        local: stores.local,
        telemetry: loggingTelemetry(metrics, faults),
      },
      limiterOptions(settings),
    );
    const demand = settings.forecast.enabled ? workerDemand(settings, post, logger) : undefined;
    const app = new WorkerApp({
      begin,
      post,
      logger,
      faults,
      metrics,
      tracer,
      stores,
      limiter,
      tuned,
      demand,
    });
    return app;
  }

  /** Rejects with a TidegateError when it cannot serve. */
  async start(): Promise<void> {
    const { begin, post, faults, logger, metrics, limiter, tracer } = this.parts;
    const { settings } = begin;
    process.on('uncaughtException', (thrown) => this.#fault(thrown));
    process.on('unhandledRejection', (thrown) => {
      logger.error({ error: TidegateError.from(thrown) }, 'a rejected promise that nothing caught');
    });
    if (begin.limits !== undefined) await this.#use(begin.limits);
    const calls = new RateLimitCalls({
      limiter,
      telemetry: metrics,
      plans: new PlanCache(planCacheOptions(settings)),
      finished: (result, durationMs, calls) => metrics.callFinished(result, durationMs, calls),
      bounds: requestBounds(settings),
      monotonicMs: () => systemClock.monotonicMs(),
      turns: systemClock,
    });
    const health = healthMethods(rateLimitHealth(() => this.#serving && limiter.currentTable !== undefined));
    const methods = tracedMethods(tracer, requestBounds(settings), calls.methods(), health);
    const atPort = { ...settings, data: { ...settings.data, port: begin.port } };
    this.#server = dataServer(atPort, methods, { logger, faults });
    const { address, port } = await this.#server.listen();
    this.#serving = true;
    this.#timers = [
      setInterval(() => this.#share(0), SHARE_MS),
      setInterval(() => faults.flush(), FAULT_FLUSH_MS),
    ];
    this.parts.tuned.start((loans) => post({ kind: 'borrowed', loans }));
    this.parts.demand?.observer.start();
    post({ kind: 'ready', address, port });
  }

  /** Takes in a message of the primary. */
  heard(message: ToWorker): void {
    switch (message.kind) {
      case 'limits':
        this.#loading = this.#loading
          .then(() => this.#use(message.limits))
          .catch((thrown: unknown) => this.#fault(thrown));
        return;
      case 'share':
        this.#share(message.id);
        return;
      case 'table':
        this.parts.tuned.apply(message.table);
        return;
      case 'name-classes':
        this.parts.demand?.counts.nameAgain();
        return;
      case 'unhealthy':
        this.#serving = false;
        return;
      case 'stop':
        void this.#stop(message.graceMs);
        return;
      case 'begin':
        return;
    }
  }

  /** Compiles limits that the primary has found to be right, with turns for decisions in between. */
  async #use(limits: PublishedLimits): Promise<void> {
    const { begin, metrics, limiter, post, tuned, demand } = this.parts;
    const { settings } = begin;
    const steps = compileInSteps(
      limits.files.map((file) => ({ file, errors: [], warnings: [] })),
      {
        defaults: ruleDefaultsOf(settings),
        mergeDomains: settings.limits.mergeDomains,
        lenient: settings.compat === 'reference',
        generation: limits.generation,
        countersFor: (key) => metrics.countersFor(key),
        countersForRule: (id) => metrics.countersForRule(id),
        ...(demand === undefined ? {} : { demandFor: demand.counts.demandFor }),
        ...tuned.compileOption,
      },
    );
    for (;;) {
      const step = steps.next();
      if (step.done !== true) {
        await nextTurn();
        continue;
      }
      const [error] = step.value.errors;
      if (step.value.table === undefined)
        throw error ?? new TidegateError('TG_INTERNAL', 'limits without a table');
      limiter.useTable(step.value.table);
      tuned.use(step.value.table);
      demand?.counts.use(step.value.table.rules);
      post({ kind: 'limits', generation: limits.generation });
      return;
    }
  }

  /** Tells what was counted since last. */
  #share(id: number): void {
    const { metrics, stores, post } = this.parts;
    const { leases, queueDepth } = stores.sources;
    const stats = leases?.stats();
    const { user, system } = process.cpuUsage();
    post({
      kind: 'share',
      id,
      metrics: metrics.takeShare(),
      leases: leases?.counts.take() ?? [],
      gauges: {
        queueDepth: queueDepth?.() ?? 0,
        leasedTokens: stats?.outstanding ?? 0,
        leasedBuckets: stats?.buckets ?? 0,
        cpuS: (user + system) / 1_000_000,
      },
    });
  }

  #fault(thrown: unknown): void {
    const error = new TidegateError('TG_INTERNAL', 'a fault that nothing caught', { cause: thrown });
    this.parts.logger.error({ error }, 'stopping');
    process.exitCode = 1;
    void this.#stop(FAULT_GRACE_MS);
  }

  /** Lets calls in flight end, gives leases back, tells what was counted, and ends. */
  async #stop(graceMs: number): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#serving = false;
    const { stores, tracer, faults, logger } = this.parts;
    for (const timer of this.#timers) clearInterval(timer);
    stores.drain();
    const closing = [
      async () => this.#server?.close(graceMs),
      () => stores.close(),
      () => tracer.shutdown(1_000),
    ];
    for (const close of closing) {
      try {
        await close();
      } catch (thrown) {
        logger.warn({ error: TidegateError.from(thrown) }, 'a part did not close');
      }
    }
    this.parts.tuned.stop();
    this.parts.demand?.observer.finish();
    faults.flush();
    this.#share(0);
    // What was sent leaves before the channel closes; then nothing keeps the process.
    setImmediate(() => process.exit());
  }
}
