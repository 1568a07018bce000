/**
 * The control path in a thread of its own, as the thread that serves sees it: batches in, figures and answers out. A
 * thread that dies is begun anew after a wait; decisions never depend on it.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ControlAskName, ControlAsks, ControlDeskPort, ControlEvent } from '../../core/control-desk';
import type { AskName, ForecastAsks, ForecastDesk } from '../../core/forecast-desk';
import type { MeshAskName, MeshAsks, MeshDeskPort } from '../../core/mesh-view';
import type { ForecastFigures } from '../../core/forecasts';
import { TidegateError } from '../../core/errors';
import type { ObservationBatch } from '../../core/observation';
import { errorOf } from '../../core/plain-error';
import type { Logger, Server } from '../../core/ports';
import type { AtOnceSum } from '../control/at-once';
import type { PoolFigures } from '../../telemetry/pool-series';
import type { MeshFigures } from '../../telemetry/mesh-series';
import type { PackedTable } from '../control/packed-table';
import type { PoolSetup } from '../control/pool-setup';
import type { BucketAnswer, BucketAsk } from '../control/serving-operator';
import { ControlPort } from './control-port';
import type { Answer, ControlSetup, FromControl, LogLine, ToControl } from './messages';
import type { TargetBucket } from '../mesh/target-buckets';

/** The control path, wherever it runs. */
export interface ControlHost extends ForecastDesk, ControlDeskPort, MeshDeskPort {
  /** The control port, where the thread serves it. */
  readonly port: Server;
  /** Begins. Never rejects: what cannot begin is told in the log and tried again. */
  start(): Promise<void>;
  /** Pools by the limits in use. */
  usePools(setups: readonly PoolSetup[]): void;
  /** Buckets of traffic's targets by the limits in use. */
  useTargets(buckets: readonly TargetBucket[]): void;
  /** Whether the process serves, for who asks on the control port. */
  serving(serving: boolean): void;
  /** Hands over what was borrowed at once. */
  borrowed(loans: readonly AtOnceSum[]): void;
  /** Hands over what was seen. */
  observe(batch: ObservationBatch): void;
  /** Writes what is not written yet, and ends. */
  close(): Promise<void>;
}

/** What a host tells, and to whom. */
export interface ControlHostParts {
  readonly logger: Logger;
  readonly figures: (figures: ForecastFigures) => void;
  /** Told when what was handed over may be lost: whoever counts names its classes again. */
  readonly lost?: () => void;
  /** Told of pools, about once a second. */
  readonly poolFigures?: (figures: PoolFigures) => void;
  /** Told of Envoys and of traffic, about once a second. */
  readonly meshFigures?: (figures: MeshFigures) => void;
  /** Told of each table of a pool that is published. */
  readonly table?: (table: PackedTable) => void;
  /** Told of what pools do. */
  readonly event?: (event: ControlEvent) => void;
  /** Operates on buckets of this process. */
  readonly operate?: (ask: BucketAsk) => Promise<BucketAnswer>;
}

/** Makes a host. */
export type ControlHostMaker = (setup: ControlSetup, parts: ControlHostParts) => ControlHost;

/** Each process tells a batch a second: beyond so many seconds that are not taken, newer ones are dropped. */
const MAX_UNTAKEN_S = 120;
const MAX_ASKS = 1_000;
const ASK_TIMEOUT_MS = 10_000;
const START_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 10_000;
const RESTART_FIRST_MS = 1_000;
const RESTART_LONGEST_MS = 60_000;
/** A thread that has run for this long begins its waits anew, ms. */
const SOUND_AFTER_MS = 300_000;
const MAX_HEAP_MB = 4_096;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: TidegateError) => void;
  readonly timer: NodeJS.Timeout;
}

/** See the file's head. */
export class ControlThreadHost implements ControlHost {
  private worker: Worker | undefined;
  readonly port = new ControlPort(() => this.start());
  private setups: readonly PoolSetup[] = [];
  private targets: readonly TargetBucket[] = [];
  private isServing = false;
  private started: Promise<void> | undefined;
  private readonly maxUntaken: number;
  private untaken = 0;
  private dropped = 0;
  private nextId = 1;
  private readonly asks = new Map<number, Waiting>();
  private restartMs = RESTART_FIRST_MS;
  private restartTimer: NodeJS.Timeout | undefined;
  private soundTimer: NodeJS.Timeout | undefined;
  private closing = false;
  private onReady: () => void = () => undefined;
  private onStopped: () => void = () => undefined;

  constructor(
    private readonly setup: ControlSetup,
    private readonly parts: ControlHostParts,
  ) {
    const { workers } = setup.settings;
    this.maxUntaken = MAX_UNTAKEN_S * (1 + (workers === 0 ? availableParallelism() : workers));
  }

  start(): Promise<void> {
    this.started ??= this.startOnce();
    return this.started;
  }

  private async startOnce(): Promise<void> {
    const ready = new Promise<void>((resolve) => (this.onReady = resolve));
    this.begin();
    await withTimeout(ready, START_TIMEOUT_MS);
  }

  observe(batch: ObservationBatch): void {
    if (this.worker === undefined || this.untaken >= this.maxUntaken) {
      this.dropped += 1;
      this.parts.lost?.();
      if (this.dropped === 1) this.parts.logger.warn({}, 'the control thread is behind: counts are dropped');
      return;
    }
    this.dropped = 0;
    this.untaken += 1;
    this.post({ kind: 'observe', batch });
  }

  usePools(setups: readonly PoolSetup[]): void {
    this.setups = setups;
    if (setups.length > 0) this.post({ kind: 'pools', setups });
  }

  useTargets(buckets: readonly TargetBucket[]): void {
    if (buckets.length > 0 || this.targets.length > 0) this.post({ kind: 'targets', buckets });
    this.targets = buckets;
  }

  serving(serving: boolean): void {
    if (serving === this.isServing) return;
    this.isServing = serving;
    this.post({ kind: 'serving', serving });
  }

  borrowed(loans: readonly AtOnceSum[]): void {
    this.post({ kind: 'borrowed', loans });
  }

  ask<N extends AskName>(name: N, ask: ForecastAsks[N]['ask']): Promise<ForecastAsks[N]['answer']> {
    return this.sent((id) => ({ kind: 'ask', id, name, ask }));
  }

  askControl<N extends ControlAskName>(
    name: N,
    ask: ControlAsks[N]['ask'],
  ): Promise<ControlAsks[N]['answer']> {
    return this.sent((id) => ({ kind: 'ask-control', id, name, ask }));
  }

  askMesh<N extends MeshAskName>(name: N, ask: MeshAsks[N]['ask']): Promise<MeshAsks[N]['answer']> {
    return this.sent((id) => ({ kind: 'ask-mesh', id, name, ask }));
  }

  /** The answer to a message is of the kind that its name says: the other side is the same program. */
  private sent<A extends Answer>(message: (id: number) => ToControl): Promise<A> {
    return new Promise((resolve, reject) => {
      if (this.worker === undefined || this.asks.size >= MAX_ASKS) {
        reject(unavailable(this.worker === undefined ? 'it is not running' : 'too many asks wait'));
        return;
      }
      const id = this.nextId;
      this.nextId += 1;
      const timer = setTimeout(() => {
        this.asks.delete(id);
        reject(unavailable('it did not answer in time'));
      }, ASK_TIMEOUT_MS);
      this.asks.set(id, { resolve: (answer) => resolve(answer as A), reject, timer });
      this.post(message(id));
    });
  }

  async close(): Promise<void> {
    this.closing = true;
    clearTimeout(this.restartTimer);
    clearTimeout(this.soundTimer);
    const { worker } = this;
    if (worker === undefined) return;
    const stopped = new Promise<void>((resolve) => (this.onStopped = resolve));
    this.post({ kind: 'stop' });
    await withTimeout(stopped, CLOSE_TIMEOUT_MS);
    this.forget();
    // One that never came so far keeps nobody waiting.
    this.onReady();
    await worker.terminate();
  }

  private begin(): void {
    const worker = new Worker(join(__dirname, 'control-thread.js'), {
      workerData: { ...this.setup, ...this.port.known() } satisfies ControlSetup,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    this.worker = worker;
    this.untaken = 0;
    if (this.setups.length > 0) this.usePools(this.setups);
    if (this.targets.length > 0) this.useTargets(this.targets);
    if (this.isServing) this.post({ kind: 'serving', serving: true });
    worker.on('message', (message: FromControl) => this.receive(message));
    worker.on('error', (thrown) => this.died(worker, thrown));
    worker.on('exit', () => this.died(worker, new Error('it ended')));
    this.soundTimer = setTimeout(() => (this.restartMs = RESTART_FIRST_MS), SOUND_AFTER_MS).unref();
  }

  private died(worker: Worker, thrown: unknown): void {
    if (this.worker !== worker) return;
    this.forget();
    this.parts.lost?.();
    this.onReady();
    this.onStopped();
    if (this.closing) return;
    const error = TidegateError.from(thrown);
    this.parts.logger.error({ error, againInMs: this.restartMs }, 'the control thread died');
    this.restartTimer = setTimeout(() => this.begin(), this.restartMs).unref();
    this.restartMs = Math.min(RESTART_LONGEST_MS, this.restartMs * 2);
  }

  private forget(): void {
    clearTimeout(this.soundTimer);
    this.worker = undefined;
    for (const { reject, timer } of this.asks.values()) {
      clearTimeout(timer);
      reject(unavailable('it ended'));
    }
    this.asks.clear();
  }

  private receive(message: FromControl): void {
    switch (message.kind) {
      case 'ready':
        return this.onReady();
      case 'taken':
        this.untaken -= 1;
        return;
      case 'answer':
        return this.settle(message.id, ({ resolve }) => resolve(message.answer));
      case 'refused': {
        const error = errorOf(message.error);
        return this.settle(message.id, ({ reject }) => reject(error));
      }
      case 'figures':
        return this.parts.figures(message.figures);
      case 'listening':
        return this.port.bound(message.address);
      case 'listen-failed':
        return this.port.failed(errorOf(message.error));
      case 'mesh-figures':
        return this.parts.meshFigures?.(message.figures);
      case 'pool-figures':
        return this.parts.poolFigures?.(message.figures);
      case 'table':
        return this.parts.table?.(message.table);
      case 'event':
        return this.parts.event?.(message.event);
      case 'operate':
        return void this.operate(message.id, message.ask);
      case 'log':
        return log(this.parts.logger, message.line);
      case 'stopped':
        return this.onStopped();
    }
  }

  private async operate(id: number, ask: BucketAsk): Promise<void> {
    const answer = await this.parts.operate?.(ask);
    if (answer !== undefined) this.post({ kind: 'operated', id, answer });
  }

  private settle(id: number, how: (waiting: Waiting) => void): void {
    const waiting = this.asks.get(id);
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    this.asks.delete(id);
    how(waiting);
  }

  private post(message: ToControl): void {
    this.worker?.postMessage(message);
  }
}

function log(logger: Logger, { level, fields, message }: LogLine): void {
  logger[level](fields, message);
}

function unavailable(why: string): TidegateError {
  return new TidegateError('TG_FORECAST_UNAVAILABLE', `the control thread cannot be asked: ${why}`);
}

/** Resolves with the promise, or after a while. */
async function withTimeout(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([promise, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
