/** A gRPC server on grpc-js behind our own listener: limits, connection age, and a close that lets calls finish. */
import { logVerbosity, Server as GrpcServer, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { TidegateError } from '../core/errors';
import type { BoundAddress, Server } from '../core/ports';
import { Listener, type ListenerOptions } from './listener';

/** How a gRPC server listens and what it allows. */
export interface GrpcServerOptions extends ListenerOptions {
  /** The longest message that is read, bytes; a longer one is answered RESOURCE_EXHAUSTED. Default 1 MiB. */
  readonly maxMessageBytes?: number;
  /** Calls in flight that one connection may have. Default 1,000. */
  readonly maxConcurrentStreams?: number;
  /** A connection is asked to close (GOAWAY) at this age, give or take 10 %; 0 or Infinity never. Default never. */
  readonly maxConnectionAgeMs?: number;
  /** How long calls may go on after that before the connection is cut; Infinity without end. Default without end. */
  readonly maxConnectionAgeGraceMs?: number;
  /**
   * A connection is pinged this often and cut when it does not answer. Default 20,000 ms. Node keeps the socket of a peer
   * that broke HTTP/2 and left: only a ping finds out.
   */
  readonly keepAliveMs?: number;
}

const DEFAULT_MAX_MESSAGE_BYTES = 1_048_576;
const DEFAULT_MAX_CONCURRENT_STREAMS = 1_000;
const DEFAULT_KEEP_ALIVE_MS = 20_000;
const MAX_PING_ANSWER_MS = 10_000;
/** The longest time a timer takes is 2^31-1 ms, and grpc-js adds up to a tenth. */
const MAX_TIMER_MS = 1_900_000_000;

/** Serves what `register` adds. It can listen once. */
export class GrpcHost implements Server {
  readonly #listener: Listener;
  readonly #server: GrpcServer;
  #closed: Promise<void> | undefined;

  constructor(options: GrpcServerOptions, register: (server: GrpcServer) => void) {
    const keepAliveMs = options.keepAliveMs ?? DEFAULT_KEEP_ALIVE_MS;
    // grpc-js writes what peers do wrong to the console, in a format that is not ours and without a bound.
    setLogVerbosity(logVerbosity.NONE);
    this.#server = new GrpcServer({
      'grpc.enable_channelz': 0,
      'grpc.max_receive_message_length': options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES,
      'grpc.max_concurrent_streams': options.maxConcurrentStreams ?? DEFAULT_MAX_CONCURRENT_STREAMS,
      'grpc.keepalive_time_ms': keepAliveMs,
      'grpc.keepalive_timeout_ms': Math.min(MAX_PING_ANSWER_MS, keepAliveMs),
      ...ageOption('grpc.max_connection_age_ms', options.maxConnectionAgeMs),
      ...ageOption('grpc.max_connection_age_grace_ms', options.maxConnectionAgeGraceMs),
    });
    register(this.#server);
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#listener = new Listener(options, (socket) => injector.injectConnection(socket));
  }

  listen(): Promise<BoundAddress> {
    if (this.#closed !== undefined) {
      return Promise.reject(new TidegateError('TG_LISTEN', 'the server is closed'));
    }
    return this.#listener.listen();
  }

  close(graceMs: number): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    this.#listener.stop();
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(graceMs, MAX_TIMER_MS));
    });
    const finished = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    await Promise.race([finished, overdue]);
    clearTimeout(timer);
    this.#server.forceShutdown();
    this.#listener.cut();
  }
}

/** An age as grpc-js takes it; left out where it means never, or longer than a timer can wait. */
function ageOption(name: string, ms: number | undefined): Record<string, number> {
  return ms === undefined || ms === 0 || ms > MAX_TIMER_MS ? {} : { [name]: ms };
}
