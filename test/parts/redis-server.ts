/** Starts real redis-server processes on free loopback ports, in directories of their own, and ends them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Redis, { type RedisOptions } from 'ioredis';
import { freePort } from './free-port';

/** Polls until `check` answers true; throws when it has not within `limitMs`. */
export async function eventually(
  what: string,
  check: () => boolean | Promise<boolean>,
  limitMs = 20_000,
): Promise<void> {
  const until = performance.now() + limitMs;
  let last: unknown;
  while (performance.now() < until) {
    try {
      if (await check()) return;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  throw new Error(`${what}: not within ${limitMs} ms`, { cause: last });
}

/** How a server is started. */
export interface RedisServerOptions {
  /** Command line settings, each without its `--`, its words in order. */
  readonly settings?: readonly (readonly string[])[];
  /** How the harness itself connects (password, TLS). */
  readonly admin?: Omit<RedisOptions, 'replyMapping'>;
  /** Serve TLS only; the settings name the certificates. */
  readonly tlsOnly?: boolean;
  readonly cluster?: boolean;
  readonly unixSocket?: boolean;
}

/** One redis-server process. */
export class RedisServer {
  readonly host = '127.0.0.1';
  port = 0;
  busPort = 0;
  #process: ChildProcess | undefined;
  #admin: Redis | undefined;

  private constructor(
    readonly dir: string,
    private readonly options: RedisServerOptions,
  ) {}

  /** Starts a server and waits until it answers PING. A port taken meanwhile is replaced by another. */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(await mkdtemp(path.join(tmpdir(), 'tidegate-redis-')), options);
    for (let attempt = 1; ; attempt++) {
      server.port = await freePort();
      server.busPort = await freePort();
      try {
        await server.restart();
        return server;
      } catch (error) {
        await server.kill();
        if (attempt === 5) throw error;
      }
    }
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  get socketPath(): string {
    return path.join(this.dir, 'redis.sock');
  }

  /** A client for the test itself; it queues while the server is away. */
  get admin(): Redis {
    this.#admin ??= new Redis({
      host: this.host,
      port: this.port,
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
      disconnectTimeout: 100,
      ...this.options.admin,
    }).on('error', () => undefined);
    return this.#admin;
  }

  /** Starts the process again on the same port and directory. */
  async restart(): Promise<void> {
    const child = spawn('redis-server', this.#argv(), { stdio: 'ignore' });
    this.#process = child;
    const failures: Error[] = [];
    child.once('error', (error) => failures.push(error));
    child.once('exit', (code) => failures.push(new Error(`redis-server ended with ${code}`)));
    await eventually(`redis-server on ${this.address}`, async () => {
      if (failures.length > 0) return true;
      const probe = new Redis({
        host: this.host,
        port: this.port,
        lazyConnect: true,
        disconnectTimeout: 100,
        retryStrategy: () => null,
        ...this.options.admin,
      });
      probe.on('error', () => undefined);
      try {
        await probe.connect();
        return (await probe.ping()) === 'PONG';
      } finally {
        probe.disconnect();
      }
    });
    if (failures[0] !== undefined) throw failures[0];
  }

  /** Sends a signal, such as SIGSTOP. */
  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** Ends the process at once, as a crash does; the directory stays. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Ends the process and removes its directory. */
  async stop(): Promise<void> {
    this.#admin?.disconnect();
    this.#admin = undefined;
    await this.kill();
    await rm(this.dir, { recursive: true, force: true });
  }

  #argv(): string[] {
    const settings: (readonly string[])[] = [
      ['bind', '127.0.0.1'],
      this.options.tlsOnly === true ? ['port', '0'] : ['port', `${this.port}`],
      ['dir', this.dir],
      ['save', ''],
      ['appendonly', 'no'],
      ['loglevel', 'warning'],
      ['logfile', path.join(this.dir, 'redis.log')],
      ['repl-diskless-sync', 'yes'],
      ['repl-diskless-sync-delay', '0'],
      ['repl-ping-replica-period', '1'],
    ];
    if (this.options.tlsOnly === true) settings.push(['tls-port', `${this.port}`]);
    if (this.options.unixSocket === true) settings.push(['unixsocket', this.socketPath]);
    if (this.options.cluster === true) {
      settings.push(
        ['cluster-enabled', 'yes'],
        ['cluster-config-file', path.join(this.dir, 'nodes.conf')],
        ['cluster-port', `${this.busPort}`],
        ['cluster-node-timeout', '1500'],
        ['cluster-replica-validity-factor', '0'],
      );
    }
    settings.push(...(this.options.settings ?? []));
    return settings.flatMap(([name, ...words]) => [`--${name}`, ...words]);
  }
}
