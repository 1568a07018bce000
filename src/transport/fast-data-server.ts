/** The data port on our own HTTP/2: unary methods only. */
import { TidegateError } from '../core/errors';
import type { Turns } from '../core/clock';
import type { BoundAddress, Server, UnaryMethods } from '../core/ports';
import type { GrpcServerOptions } from './grpc-host';
import { type Http2Limits, Http2Server } from './http2';
import { Listener } from './listener';

/** What the server allows beyond what every gRPC server here does. */
export interface FastServerOptions extends GrpcServerOptions {
  /** Limits that are fixed unless a test changes them. */
  readonly limits?: Partial<Http2Limits>;
  /** Whether handlers are given the caller's `traceparent`; without, it costs nothing. Default true. */
  readonly readsTraces?: boolean;
  /** Told of turns: what one read of a connection brings is one. */
  readonly turns?: Turns;
  /** Told of a fault of the server itself, which ends the connection that it happened on. */
  readonly faulted?: (error: TidegateError) => void;
}

/**
 * Makes the server of the data port; nothing is bound until it listens. A handler's message is only its own until the
 * handler returns: by then it must have read, or copied, what it needs.
 */
export function createFastDataServer(options: FastServerOptions, methods: UnaryMethods): Server {
  const http2 = new Http2Server(
    {
      limits: limitsFrom(options),
      readsTraces: options.readsTraces ?? true,
      ...(options.turns === undefined ? {} : { turns: options.turns }),
      faulted: (thrown) => options.faulted?.(TidegateError.from(thrown)),
    },
    methods,
  );
  const listener = new Listener(options, (socket) => http2.accept(socket));
  let closed: Promise<void> | undefined;
  const close = async (graceMs: number): Promise<void> => {
    listener.stop();
    await http2.close(graceMs);
    listener.cut();
  };
  return {
    listen: (): Promise<BoundAddress> =>
      closed === undefined
        ? listener.listen()
        : Promise.reject(new TidegateError('TG_LISTEN', 'the server is closed')),
    close: (graceMs) => (closed ??= close(graceMs)),
  };
}

/** The settings' limits; an age of 0 means never. */
function limitsFrom(options: FastServerOptions): Partial<Http2Limits> {
  const { maxMessageBytes, maxConcurrentStreams, maxConnectionAgeMs, maxConnectionAgeGraceMs } = options;
  return {
    ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }),
    ...(maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams }),
    ...(maxConnectionAgeMs === undefined ? {} : { maxConnectionAgeMs: maxConnectionAgeMs || Infinity }),
    ...(maxConnectionAgeGraceMs === undefined ? {} : { maxConnectionAgeGraceMs }),
    ...options.limits,
  };
}
