/** One Redis server (or a Sentinel group's primary) and what is in flight to it. */
import { Command, type Redis } from 'ioredis';
import { TidegateError } from '../../core/errors';
import type { Logger } from '../../core/ports';
import { toStoreError } from './driver-error';
import { ScriptCommand } from './script-command';
import type { ScriptPart } from './script-part';
import type { ScriptRun } from './script-run';
import type { LuaScript } from './scripts';

/** How a batch of runs is sent. */
export interface SendMode {
  /** Precede each run by ASKING: the slot is on its way to this node. */
  readonly asking: boolean;
  /** Load the script first: the node said that it does not have it. */
  readonly load: boolean;
}

/** A run's end: a reply, or what the driver made of its absence. */
export type RunEnd = (run: ScriptRun, error: unknown, reply: Buffer | undefined) => void;

/** How many replicas must have what was written, and how long they may take: Redis's WAIT. */
export interface ReplicaWait {
  readonly replicas: number;
  readonly timeoutMs: number;
}

/** What a node needs to write a run. */
export interface NodeContext {
  readonly script: LuaScript;
  readonly maxCallsInFlight: number;
  /** 0 for Redis TIME. */
  readonly timeUs: () => number;
  readonly expiryExtraMs: () => number;
  /** Replicas that must confirm what was written before it counts, and for how long; undefined: none. */
  readonly wait: ReplicaWait | undefined;
  readonly logger: Logger | undefined;
}

/** A connection to one node, reconnecting by itself until it is closed. */
export class RedisNode {
  /** Calls written to the node and not answered yet, those that nobody waits for any more included. */
  callsInFlight = 0;
  lastUsedMs = performance.now();
  #lastError: Error | undefined;
  /** Parts for a node whose first connection is still coming up; undefined once it came up or failed. */
  #parked: ScriptPart[] | undefined = [];
  #parkedCalls = 0;
  #onUnparked: (parts: ScriptPart[]) => void = () => undefined;

  constructor(
    readonly name: string,
    readonly client: Redis,
    private readonly context: NodeContext,
    onChange: () => void,
  ) {
    client.on('ready', () => {
      this.#lastError = undefined;
      this.context.logger?.info({ node: name }, 'connected to Redis');
      client.script('LOAD', context.script.source).catch(() => undefined);
      this.#unpark();
      onChange();
    });
    client.on('error', (error: Error) => {
      const known = this.#lastError?.message === error.message;
      this.#lastError = error;
      if (!known) this.context.logger?.warn({ node: name, error: error.message }, 'Redis connection failed');
      this.#unpark();
    });
    client.on('close', () => {
      this.#unpark();
      onChange();
    });
    client.connect().catch(() => undefined);
  }

  get ready(): boolean {
    return this.client.status === 'ready';
  }

  /** Whether `calls` more may be sent. */
  hasRoomFor(calls: number): boolean {
    return this.callsInFlight + this.#parkedCalls + calls <= this.context.maxCallsInFlight;
  }

  /** Keeps a part until the first connection is up or failed; false when that has happened already. */
  park(part: ScriptPart, onUnparked: (parts: ScriptPart[]) => void): boolean {
    if (this.#parked === undefined) return false;
    this.#onUnparked = onUnparked;
    this.#parked.push(part);
    this.#parkedCalls += part.callCount;
    return true;
  }

  /** Why the node cannot be asked now. */
  unavailable(): TidegateError {
    if (this.#lastError === undefined) {
      return new TidegateError('TG_STORE_UNAVAILABLE', `Redis at ${this.name}: not connected`);
    }
    return toStoreError(this.#lastError, this.name);
  }

  /** Writes all runs in one go; each ends on its own. None is ever written twice. */
  send(runs: readonly ScriptRun[], mode: SendMode, onEnd: RunEnd): void {
    if (!this.ready) {
      for (const run of runs) onEnd(run, this.unavailable(), undefined);
      return;
    }
    const { stream } = this.client;
    const { script } = this.context;
    this.lastUsedMs = performance.now();
    stream.cork();
    try {
      if (mode.load) this.#write('script', ['LOAD', script.source], () => undefined);
      const timeUs = this.context.timeUs();
      const expiryExtraMs = this.context.expiryExtraMs();
      const unconfirmed: [ScriptRun, Buffer | undefined][] = [];
      const { wait } = this.context;
      for (const run of runs) {
        if (mode.asking) this.#write('asking', [], () => undefined);
        this.callsInFlight += run.callCount;
        const command = run.command(script.sha, timeUs, expiryExtraMs);
        const end = (error: unknown, reply: unknown): void => {
          this.callsInFlight -= run.callCount;
          const bytes = Buffer.isBuffer(reply) ? reply : undefined;
          if (wait === undefined || error !== undefined) onEnd(run, error, bytes);
          else unconfirmed.push([run, bytes]);
        };
        void this.client.sendCommand(new ScriptCommand(command, end));
      }
      if (wait !== undefined) this.#confirm(wait, unconfirmed, onEnd);
    } finally {
      stream.uncork();
    }
  }

  /** Sends a command that is not a script, and answers as the driver does. */
  call(name: string, ...args: string[]): Promise<unknown> {
    return this.client.call(name, ...args);
  }

  /**
   * Sends a command whose reply stays bytes. Rejects as the driver does, at once where there is no connection.
   * @param asking the key is on its way to this node (see ASKING).
   */
  ask(name: string, args: readonly (string | Buffer)[], asking = false): Promise<unknown> {
    if (!this.ready) return Promise.reject(this.unavailable());
    this.lastUsedMs = performance.now();
    return new Promise((resolve, reject) => {
      const done = (error: unknown, reply: unknown): void => {
        if (error === undefined) resolve(reply);
        else reject(error instanceof Error ? error : new Error('the driver gave no error', { cause: error }));
      };
      if (asking) this.#write('asking', [], () => undefined);
      this.#write(name, [...args], done);
    });
  }

  /**
   * Sends commands in one piece, and answers with each reply, as bytes, or the error in its place. Rejects where there is no
   * connection.
   */
  askAll(commands: readonly (readonly [name: string, args: string[]])[]): Promise<readonly unknown[]> {
    if (!this.ready) return Promise.reject(this.unavailable());
    this.lastUsedMs = performance.now();
    const { stream } = this.client;
    return new Promise((resolve) => {
      const replies: unknown[] = commands.map(() => undefined);
      let missing = commands.length;
      stream.cork();
      commands.forEach(([name, args], at) =>
        this.#write(name, args, (error, reply) => {
          replies[at] = error ?? reply;
          missing -= 1;
          if (missing === 0) resolve(replies);
        }),
      );
      stream.uncork();
      if (missing === 0) resolve(replies);
    });
  }

  /** Ends the connection for good. */
  close(): void {
    this.#lastError ??= new Error('closed');
    this.client.disconnect();
    this.#unpark();
  }

  /** Holds back replies until enough replicas have what the runs wrote; one WAIT for all of a batch. */
  #confirm(
    { replicas, timeoutMs }: ReplicaWait,
    runs: readonly [ScriptRun, Buffer | undefined][],
    onEnd: RunEnd,
  ): void {
    this.#write('wait', [String(replicas), String(timeoutMs)], (error, reply) => {
      let failure = error;
      if (failure === undefined && !(Number(reply) >= replicas)) {
        const what = `${String(reply)} of ${replicas} replicas of ${this.name} confirmed within ${timeoutMs} ms`;
        failure = new TidegateError('TG_STORE_NOT_REPLICATED', what);
      }
      for (const [run, bytes] of runs) onEnd(run, failure, failure === undefined ? bytes : undefined);
    });
  }

  #write(name: string, args: (string | Buffer)[], onEnd: (error: unknown, reply: unknown) => void): void {
    // No reply encoding: replies stay bytes.
    this.client.sendCommand(new Command(name, args, {}, (error, reply) => onEnd(error ?? undefined, reply)));
  }

  #unpark(): void {
    const parts = this.#parked;
    if (parts === undefined) return;
    this.#parked = undefined;
    this.#parkedCalls = 0;
    if (parts.length > 0) this.#onUnparked(parts);
  }
}
