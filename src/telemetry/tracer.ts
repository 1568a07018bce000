/** What tracing is asked for and what it offers, whether it is on or off. */
import type { BucketStore } from '../core/buckets';
import type { UnaryHandler } from '../core/ports';

/** How to trace. */
export interface TracingOptions {
  readonly enabled: boolean;
  /** `service.name` of the spans. */
  readonly serviceName: string;
  readonly serviceVersion: string;
  /** The share of traces started here that is kept, 0 to 1; a caller's own decision in `traceparent` goes before it. */
  readonly samplingRatio: number;
  /** Where spans go over OTLP/HTTP, such as `http://collector:4318/v1/traces`. */
  readonly endpoint: string;
  /** Headers of the exports, such as an API key. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Spans waiting to be sent; more are dropped. Default 2,048. */
  readonly maxQueueSize?: number;
  /** How long one export may take, ms. Default 5,000. */
  readonly exportTimeoutMs?: number;
  /** How often waiting spans are sent, ms. Default 1,000. */
  readonly exportIntervalMs?: number;
}

/** What a span tells about a call. */
export interface CallDescription {
  readonly domain: string;
  /** `OK`, `OVER_LIMIT` or `UNKNOWN`. */
  readonly overallCode: string;
}

/** Reads a call's description from its messages; asked for sampled calls only. */
export type DescribeCall = (request: Uint8Array, response: Uint8Array) => CallDescription;

/** Wraps what is to be traced. */
export interface Tracer {
  readonly enabled: boolean;
  /** A handler whose calls each have a span, under the caller's `traceparent` when there is one. */
  traceHandler(method: string, handler: UnaryHandler, describe: DescribeCall): UnaryHandler;
  /** A store whose decisions have a span under the call's. `kind` is the store's name, such as `redis`. */
  traceStore(kind: string, store: BucketStore): BucketStore;
  /** Sends what waits and stops, within the time given. Never rejects. */
  shutdown(timeoutMs: number): Promise<void>;
}
