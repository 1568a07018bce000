/** The ports the layers meet at, other than buckets: calls in, figures out, readiness. */
import type { TidegateError } from './errors';

/** What a unary call brings besides its message. */
export interface CallContext {
  /** What is left of the caller's `grpc-timeout`, ms; Infinity when it sent none. */
  readonly timeoutMs: number;
  /** The caller's W3C trace context header, when it sent one. */
  readonly traceparent?: string;
}

/**
 * Answers one unary gRPC call: message bytes in, message bytes out, without gRPC's five-byte prefix; at once, by a promise,
 * or, cheaper and with a way to cancel it, by a {@link Later}.
 * Throws or rejects with a {@link TidegateError}, whose `grpcStatus` becomes the call's status.
 */
export interface UnaryHandler {
  (message: Uint8Array, context: CallContext): Uint8Array | PromiseLike<Uint8Array>;
  /** The same for callers that can spare it a view of the message, and themselves an answer of its own. */
  readonly inPlace?: InPlaceHandler;
}

/**
 * As a {@link UnaryHandler}, for a message that `bytes` has from `start` to `end`. The bytes of an answer that is given at
 * once may be written over when the handler is called again: they have to be sent, or copied, before.
 */
export type InPlaceHandler = (
  bytes: Uint8Array,
  start: number,
  end: number,
  context: CallContext,
) => Uint8Array | PromiseLike<Uint8Array>;

/** The handlers of a port by full method path, such as `/grpc.health.v1.Health/Check`. */
export type UnaryMethods = ReadonlyMap<string, UnaryHandler>;

/** Where a server listens. */
export interface BoundAddress {
  /** `host:port`, or `unix:/path`. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
}

/** A server that the app starts and stops. */
export interface Server {
  /** Binds and serves. Rejects with a {@link TidegateError} when the address cannot be bound. */
  listen(): Promise<BoundAddress>;
  /** Stops accepting, lets calls in flight finish for at most `graceMs`, then closes everything. */
  close(graceMs: number): Promise<void>;
}

/** The counters of one metric key (the reference's per-rule statistics). Amounts are hits. */
export interface RuleCounters {
  totalHits(hits: number): void;
  overLimit(hits: number): void;
  nearLimit(hits: number): void;
  withinLimit(hits: number): void;
  shadowMode(hits: number): void;
}

/** Where the data path reports what it did. Every method is cheap, bounded and never throws. */
export interface DecisionTelemetry {
  /** The counters of a metric key such as `domain.key_value.key2`; the caller keeps the result with its compiled rule. */
  countersFor(metricKey: string): RuleCounters;
  domainNotFound(domain: string): void;
  globalShadow(): void;
  /** A request was refused: `service` for what the caller did wrong, `redis` for a store's failure. */
  callFailed(kind: 'service' | 'redis', error: TidegateError): void;
  /** A bucket could not be asked, and this failure mode answered for it. */
  failureModeUsed(mode: string, error: TidegateError): void;
  /** A bucket denied hits: feeds the bounded sketch of heavy keys. */
  denied(metricKey: string, bucketKey: string, hits: number): void;
}

/** A structured logger; fields first, as pino has it. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
