/**
 * The primary's side of several workers: starts them, gives them limits, answers what they ask of the memory store's
 * buckets, adds up what they count, and starts anew those that end by themselves. It decides nothing for them.
 */
import cluster, { type Worker } from 'node:cluster';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Settings } from '../../config/settings-shape';
import { CATALOGUE, type ErrorCode } from '../../core/error-catalogue';
import { TidegateError } from '../../core/errors';
import type { ObservationBatch } from '../../core/observation';
import type { Logger } from '../../core/ports';
import type { AtOnceSum } from '../control/at-once';
import type { PackedTable } from '../control/packed-table';
import { LinkChannel } from '../../store/worker-link/link-channel';
import { type LinkedBuckets, LinkServer, SharedParams } from '../../store/worker-link/link-server';
import {
  type FromWorker,
  LINK_FD,
  type PublishedLimits,
  type ToWorker,
  type WorkerGauges,
  type WorkerShare,
} from './messages';

/** What a {@link WorkerPool} stands on. */
export interface WorkerPoolParts {
  readonly settings: Settings;
  readonly count: number;
  /** The buckets that workers lease from; undefined where they ask Redis themselves. */
  readonly buckets: LinkedBuckets | undefined;
  readonly logger: Logger;
  /** Told what a worker counted. */
  readonly counted: (share: WorkerShare) => void;
  /** Told what a worker saw of each class in a step. */
  readonly observed: (batch: ObservationBatch) => void;
  /** Told what a worker borrowed at once. */
  readonly borrowed: (loans: readonly AtOnceSum[]) => void;
}

/** A worker that ends sooner than this after its start is started again later and later, ms. */
const SETTLED_MS = 30_000;
const FIRST_RESTART_MS = 100;
const LAST_RESTART_MS = 10_000;
/** A worker that takes longer to use new limits is given up, ms. */
const PUBLISH_MS = 30_000;
/** How long a question for what was counted waits for an answer, ms. */
const SHARE_MS = 500;
/** What a worker has beyond the grace to give leases back and end, ms. */
const END_MS = 3_000;

/** One place for a worker; the process in it changes when it ends. */
class Place {
  worker: Worker | undefined;
  serving = false;
  generation = 0;
  gauges: WorkerGauges | undefined;
  startedMs = 0;
  failures = 0;
  restart: NodeJS.Timeout | undefined;
  /** Told when the process in it is ready, or has ended before that. */
  began: ((outcome: { readonly address: string; readonly port: number } | TidegateError) => void) | undefined;

  constructor(readonly number: number) {}

  send(message: ToWorker): void {
    const { worker } = this;
    // One that is ending may have no channel any more.
    if (worker?.isConnected() === true) worker.send(message, undefined, () => undefined);
  }
}

/** See the file's head. */
export class WorkerPool {
  readonly #places: Place[];
  readonly #shared = new SharedParams();
  readonly #questions = new Map<number, { missing: Set<Place>; done: () => void }>();
  #waitingForLimits: (() => void)[] = [];
  #limits: PublishedLimits | undefined;
  /** The newest of each pool. */
  readonly #tables = new Map<string, PackedTable>();
  /** The port that workers ask for. One that the kernel chooses is the same for all, as long as one of them has it. */
  #port: number;
  #boundPort = 0;
  #restarts = 0;
  #lastQuestion = 0;
  #stopping = false;

  constructor(private readonly parts: WorkerPoolParts) {
    this.#places = Array.from({ length: parts.count }, (_, at) => new Place(at + 1));
    this.#port = parts.settings.data.port;
  }

  /** Workers that serve. */
  get serving(): number {
    return this.#places.filter((place) => place.serving).length;
  }

  /** How often a worker ended by itself. */
  get restarts(): number {
    return this.#restarts;
  }

  /** How the workers are, by number. */
  get gauges(): readonly (readonly [worker: string, gauges: WorkerGauges])[] {
    return this.#places.flatMap(({ number, gauges }) =>
      gauges === undefined ? [] : [[String(number), gauges] as const],
    );
  }

  /**
   * Starts the workers: the first alone, so that it decides about the port, then the others.
   * @returns the data port's address. Rejects with the TidegateError of the first that cannot serve.
   */
  async start(): Promise<string> {
    cluster.schedulingPolicy = cluster.SCHED_RR;
    cluster.setupPrimary({
      exec: join(__dirname, 'worker-process.js'),
      args: [],
      serialization: 'advanced',
      // The last one is LINK_FD.
      stdio: ['inherit', 'inherit', 'inherit', 'ipc', 'pipe'],
    });
    const [first, ...others] = this.#places;
    if (first === undefined) throw new TidegateError('TG_INTERNAL', 'no workers');
    try {
      const { address, port } = await this.#begin(first);
      this.#boundPort = port;
      await Promise.all(others.map((place) => this.#begin(place)));
      return address;
    } catch (thrown) {
      await this.stop(0);
      throw thrown;
    }
  }

  /** Has all workers use new limits. Resolves when they do; one that does not in time is started anew, with them. */
  async publish(limits: PublishedLimits): Promise<void> {
    this.#limits = limits;
    for (const place of this.#places) if (place.serving) place.send({ kind: 'limits', limits });
    const timer = setTimeout(() => {
      for (const place of this.#behind()) {
        this.parts.logger.error({ worker: place.number }, 'a worker does not take the new limits');
        place.worker?.process.kill('SIGKILL');
      }
    }, PUBLISH_MS);
    while (this.#behind().length > 0 && !this.#stopping) {
      await new Promise<void>((resolve) => this.#waitingForLimits.push(resolve));
    }
    clearTimeout(timer);
  }

  /** Gathers what was counted since last; resolves when all have told, or after half a second. */
  async gather(): Promise<void> {
    const missing = new Set(this.#places.filter((place) => place.serving));
    if (missing.size === 0) return;
    this.#lastQuestion += 1;
    const id = this.#lastQuestion;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, SHARE_MS);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#questions.set(id, { missing, done });
      for (const place of missing) place.send({ kind: 'share', id });
    });
    this.#questions.delete(id);
  }

  /** Has all workers name their classes again. */
  nameClasses(): void {
    this.#tellAll({ kind: 'name-classes' });
  }

  /** Has all workers use a pool's table, those that start later too. */
  publishTable(table: PackedTable): void {
    this.#tables.set(table.table.pool, table);
    this.#tellAll({ kind: 'table', table });
  }

  #tellAll(message: ToWorker): void {
    for (const place of this.#places) place.send(message);
  }

  /** Lets the data port's health say that it is going. */
  turnAway(): void {
    for (const place of this.#places) place.send({ kind: 'unhealthy' });
  }

  /** Drains and ends all workers; those that do not end in time are killed. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#limitsTaken();
    const ending = this.#places.map(async (place) => {
      clearTimeout(place.restart);
      const { worker } = place;
      if (worker === undefined || worker.isDead()) return;
      const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
      place.send({ kind: 'stop', graceMs });
      const timer = setTimeout(() => worker.process.kill('SIGKILL'), graceMs + END_MS);
      await ended;
      clearTimeout(timer);
    });
    await Promise.all(ending);
  }

  #behind(): readonly Place[] {
    const generation = this.#limits?.generation ?? 0;
    return this.#places.filter((place) => place.serving && place.generation < generation);
  }

  #limitsTaken(): void {
    const waiting = this.#waitingForLimits;
    this.#waitingForLimits = [];
    for (const resolve of waiting) resolve();
  }

  async #begin(place: Place): Promise<{ readonly address: string; readonly port: number }> {
    const outcome = await new Promise<Parameters<NonNullable<Place['began']>>[0]>((resolve) => {
      place.began = resolve;
      this.#fork(place);
    });
    place.began = undefined;
    if (outcome instanceof TidegateError) throw outcome;
    return outcome;
  }

  #fork(place: Place): void {
    const { settings } = this.parts;
    const worker = cluster.fork();
    this.#link(place, worker);
    place.worker = worker;
    place.startedMs = performance.now();
    place.generation = this.#limits?.generation ?? 0;
    worker.on('message', (message: FromWorker) => this.#heard(place, worker, message));
    worker.on('error', (error) => {
      this.parts.logger.warn({ worker: place.number, error }, 'a worker cannot be spoken to');
    });
    worker.once('exit', (code: number | null, signal: string | null) => this.#ended(place, code, signal));
    const limits = this.#limits;
    place.send({ kind: 'begin', worker: place.number, settings, port: this.#port, limits });
  }

  /** Answers what a worker asks of the buckets. A worker whose link makes no sense is of no use: it is started anew. */
  #link(place: Place, worker: Worker): void {
    const { buckets, logger } = this.parts;
    const socket = worker.process.stdio[LINK_FD];
    if (!(socket instanceof Socket)) return;
    const channel = new LinkChannel(socket);
    if (buckets === undefined) return;
    const server = new LinkServer(buckets, this.#shared, channel);
    channel.attach({
      receive: (chunk) => server.receive(chunk),
      ended: (error) => {
        if (error === undefined || worker.isDead()) return;
        logger.error({ worker: place.number, error }, 'the link to a worker broke');
        worker.process.kill('SIGKILL');
      },
    });
  }

  #heard(place: Place, worker: Worker, message: FromWorker): void {
    switch (message.kind) {
      case 'share':
        place.gauges = message.gauges;
        this.parts.counted(message);
        this.#told(place, message.id);
        return;
      case 'borrowed':
        this.parts.borrowed(message.loans);
        return;
      case 'observed':
        this.parts.observed(message.batch);
        return;
      case 'ready':
        place.serving = true;
        this.parts.logger.info({ worker: place.number, pid: worker.process.pid }, 'worker serves');
        place.began?.(message);
        // Limits may have come while it started.
        if (this.#limits !== undefined && place.generation < this.#limits.generation)
          place.send({ kind: 'limits', limits: this.#limits });
        for (const table of this.#tables.values()) place.send({ kind: 'table', table });
        return;
      case 'refused': {
        const code = Object.hasOwn(CATALOGUE, message.code) ? (message.code as ErrorCode) : 'TG_INTERNAL';
        const error = new TidegateError(code, message.message);
        if (place.began === undefined)
          this.parts.logger.error({ worker: place.number, error }, 'a worker cannot serve');
        place.began?.(error);
        return;
      }
      case 'limits':
        place.generation = Math.max(place.generation, message.generation);
        this.#limitsTaken();
    }
  }

  #told(place: Place, id: number): void {
    const question = this.#questions.get(id);
    question?.missing.delete(place);
    if (question?.missing.size === 0) question.done();
  }

  #ended(place: Place, code: number | null, signal: string | null): void {
    const { logger } = this.parts;
    place.serving = false;
    place.worker = undefined;
    place.gauges = undefined;
    for (const [id] of this.#questions) this.#told(place, id);
    this.#limitsTaken();
    if (place.began !== undefined) {
      place.began(new TidegateError('TG_INTERNAL', `a worker ended before it served (${signal ?? code})`));
      return;
    }
    if (this.#stopping) return;
    this.#restarts += 1;
    if (performance.now() - place.startedMs > SETTLED_MS) place.failures = 0;
    const delayMs = Math.min(LAST_RESTART_MS, FIRST_RESTART_MS * 2 ** place.failures);
    place.failures += 1;
    logger.error({ worker: place.number, code, signal, delayMs }, 'a worker ended; it is started again');
    // With the last of them the port goes back; the callers know only this one.
    if (this.serving === 0 && this.#boundPort > 0) this.#port = this.#boundPort;
    place.restart = setTimeout(() => this.#fork(place), delayMs);
  }
}
