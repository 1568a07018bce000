/**
 * An HTTP/2 server for short unary gRPC calls over sockets that somebody else accepts: plain TCP with prior knowledge,
 * TLS that has chosen h2, or Unix sockets. It knows nothing of what the calls mean.
 */
import type { Duplex } from 'node:stream';
import type { Turns } from '../../core/clock';
import type { UnaryMethods } from '../../core/ports';
import { Connection, type ConnectionServices } from './connection';
import { type Http2Limits, limitsOf } from './limits';
import { Output } from './output';
import { UnaryCalls } from './unary-calls';

/** What a server allows, and what its handlers read. */
export interface Http2ServerOptions {
  readonly limits?: Partial<Http2Limits>;
  /** Whether handlers are given the caller's `traceparent`; without, it costs nothing. Default true. */
  readonly readsTraces?: boolean;
  /** Told of turns: what one read brings is one. Without, the clock is read for each. */
  readonly turns?: Turns;
  /** Told of a fault of the server itself, which ends the connection that it happened on. */
  readonly faulted?: (thrown: unknown) => void;
}

/** The longest time a timer takes is 2^31-1 ms. */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * Serves methods on the sockets given to it.
 *
 * A handler's message is only its own until it returns: it must have read, or copied, what it needs by then.
 */
export class Http2Server {
  private readonly connections = new Set<Connection>();
  private readonly services: ConnectionServices;
  private readonly limits: Http2Limits;
  private sweeper: NodeJS.Timeout | undefined;
  private woken: Connection[] = [];
  private draining = false;
  private emptied: (() => void) | undefined;

  constructor(options: Http2ServerOptions, methods: UnaryMethods) {
    this.limits = limitsOf(options.limits ?? {});
    this.services = {
      limits: this.limits,
      calls: new UnaryCalls(methods, this.limits),
      out: new Output(),
      readsTraces: options.readsTraces ?? true,
      partialOfAll: { bytes: 0 },
      nowMs: () => performance.now(),
      turns: options.turns ?? { begin: () => performance.now(), end: () => undefined },
      wake: (connection) => this.wake(connection),
      closed: (connection) => this.forget(connection),
      faulted: options.faulted ?? (() => undefined),
    };
  }

  /** Takes over a socket, of which nothing has been read. */
  accept(socket: Duplex): void {
    if (this.draining) {
      socket.destroy();
      return;
    }
    this.connections.add(new Connection(socket, this.services));
    if (this.sweeper !== undefined) return;
    this.sweeper = setInterval(() => this.sweep(), this.limits.sweepMs);
    this.sweeper.unref();
  }

  /** Takes no more calls, lets those in flight end for at most `graceMs`, then cuts what is left. */
  async close(graceMs: number): Promise<void> {
    this.draining = true;
    // A handler may have asked for this: the frames of its turn go out first.
    await new Promise((resolve) => setImmediate(resolve));
    for (const connection of this.connections) connection.drain();
    if (this.connections.size > 0 && graceMs > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.emptied = resolve;
        timer = setTimeout(resolve, Math.min(graceMs, MAX_TIMER_MS));
      });
      clearTimeout(timer);
    }
    for (const connection of this.connections) connection.destroy();
  }

  private forget(connection: Connection): void {
    this.connections.delete(connection);
    if (this.connections.size > 0) return;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
    this.emptied?.();
  }

  private sweep(): void {
    const nowMs = this.services.nowMs();
    for (const connection of this.connections) connection.sweep(nowMs);
  }

  /** Answers leave together that come in one turn of the event loop, be it from several servers that were asked. */
  private wake(connection: Connection): void {
    this.woken.push(connection);
    if (this.woken.length === 1) setImmediate(() => this.writeWoken());
  }

  private writeWoken(): void {
    const { woken } = this;
    this.woken = [];
    for (const connection of woken) connection.writeSettled();
  }
}
