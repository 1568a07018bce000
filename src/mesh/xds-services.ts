/** The discovery services behind grpc-js: streams are joined to the snapshot cache, and seen as a whole. */
import type { ServerDuplexStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { TidegateError } from '../core/errors';
import type { Logger } from '../core/ports';
import { DiscoveryConnection, type Call, type ConnectionView } from './discovery-connection';
import { sharedBody } from './discovery-messages';
import { DISCOVERY_METHODS, type DiscoveryMethod } from './discovery-methods';
import type { MeshNode } from './node-groups';
import type { SnapshotCache } from './snapshot-cache';
import type { Rejection, RequestOutcome, StreamBounds, StreamResponse } from './stream-state';

/** What happens on streams, for metrics. It must not throw. */
export interface MeshEvents {
  opened?(): void;
  closed?(): void;
  /** A request was read; with what came of it. */
  answered?(typeUrl: string, outcome: RequestOutcome): void;
}

/** What the services are made of. */
export interface XdsOptions {
  readonly cache: SnapshotCache;
  /** The group of a node; see `nodeGrouping`. */
  readonly groupOf: (node: MeshNode) => string;
  /** While it is so, nodes of the group that had resources when they connected keep them as they are. Default: never. */
  readonly holding?: (group: string) => boolean;
  readonly log: Logger;
  /** Milliseconds of any clock that goes forward evenly; times in the view are in it. */
  readonly nowMs: () => number;
  readonly events?: MeshEvents;
  readonly bounds?: StreamBounds;
  /** Streams at once; more are answered RESOURCE_EXHAUSTED. Default 10,000. */
  readonly maxStreams?: number;
  /** How often resources with a time to live are affirmed, milliseconds. Default 1,000. */
  readonly heartbeatMs?: number;
}

/** What `/api/v1/mesh` shows of the streams. */
export interface MeshView {
  readonly streams: readonly ConnectionView[];
  readonly groups: readonly {
    readonly group: string;
    readonly types: readonly {
      readonly typeUrl: string;
      readonly version: string;
      readonly resources: number;
    }[];
  }[];
}

/** One service as grpc-js takes it. */
export interface GrpcService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

const DEFAULT_MAX_STREAMS = 10_000;
const DEFAULT_HEARTBEAT_MS = 1_000;
/** Encoded answers that streams share; begun anew with every change. */
const MAX_SHARED = 256;
/** Refusals that are told of in the log, of all nodes together, in a span of so many milliseconds; the view has the rest. */
const TOLD_REFUSALS = 20;
const TOLD_SPAN_MS = 10_000;

/** Serves discovery from a cache. Close it before the server that carries it. */
export class XdsServices {
  readonly #options: XdsOptions;
  readonly #connections = new Set<DiscoveryConnection>();
  readonly #shared = new Map<string, Uint8Array>();
  readonly #unwatch: () => void;
  readonly #timer: NodeJS.Timeout;
  #toldSinceMs = -Infinity;
  #told = 0;
  #untold = 0;

  constructor(options: XdsOptions) {
    this.#options = options;
    this.#unwatch = options.cache.watch((group, snapshot) => {
      this.#shared.clear();
      for (const connection of this.#connections) connection.update(group, snapshot);
    });
    this.#timer = setInterval(() => {
      for (const connection of this.#connections) connection.tick();
    }, options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS);
    this.#timer.unref();
  }

  /** The services to add to a gRPC server. Messages are bytes; the server bounds their size. */
  grpcServices(): readonly GrpcService[] {
    return DISCOVERY_METHODS.map((method) => ({
      definition: {
        [method.path]: {
          path: method.path,
          requestStream: true,
          responseStream: true,
          requestSerialize: asBuffer,
          requestDeserialize: asIs,
          responseSerialize: asBuffer,
          responseDeserialize: asIs,
        },
      },
      implementation: {
        [method.path]: (call: ServerDuplexStream<Buffer, Uint8Array>) => this.#open(call, method),
      },
    }));
  }

  /** Nodes with what was sent, accepted and refused; groups with what they should have. */
  view(): MeshView {
    return {
      streams: [...this.#connections].map((connection) => connection.view()),
      groups: this.#options.cache.groups().map((group) => ({
        group,
        types: [...(this.#options.cache.get(group) ?? [])].map(([typeUrl, type]) => ({
          typeUrl,
          version: type.version,
          resources: type.resources.size,
        })),
      })),
    };
  }

  /** Ends all streams; Envoys keep what they have and connect elsewhere, or again. */
  close(): void {
    clearInterval(this.#timer);
    this.#unwatch();
    for (const connection of [...this.#connections]) connection.end();
  }

  #open(call: Call, method: DiscoveryMethod): void {
    const { maxStreams = DEFAULT_MAX_STREAMS, events, log, cache } = this.#options;
    const { groupOf, holding, nowMs, bounds } = this.#options;
    if (this.#connections.size >= maxStreams) {
      const error = new TidegateError('TG_MESH_STREAM_LIMIT', `more than ${maxStreams} streams`);
      call.emit('error', { code: error.grpcStatus, details: error.message });
      return;
    }
    const connection = new DiscoveryConnection(call, method, {
      snapshotFor: (node) => {
        const group = groupOf(node);
        return { group, snapshot: cache.get(group) };
      },
      body: (delta, response) => this.#body(delta, response),
      holding: holding ?? (() => false),
      refused: (nodeId, typeUrl, rejection) => this.#tellRefusal(nodeId, typeUrl, rejection),
      log,
      nowMs,
      bounds: bounds ?? {},
      answered: (typeUrl, outcome) => events?.answered?.(typeUrl, outcome),
      closed: () => {
        if (this.#connections.delete(connection)) events?.closed?.();
      },
    });
    this.#connections.add(connection);
    events?.opened?.();
  }

  #tellRefusal(node: string, typeUrl: string, { version, message }: Rejection): void {
    const nowMs = this.#options.nowMs();
    if (Math.abs(nowMs - this.#toldSinceMs) >= TOLD_SPAN_MS) {
      this.#toldSinceMs = nowMs;
      this.#told = 0;
    }
    this.#told += 1;
    if (this.#told > TOLD_REFUSALS) {
      this.#untold += 1;
      return;
    }
    const untold = this.#untold === 0 ? {} : { suppressed: this.#untold };
    this.#untold = 0;
    this.#options.log.warn(
      { node, typeUrl, version, reason: message, ...untold },
      'a node refuses what it was sent; it keeps what it had',
    );
  }

  /** In state of the world a version says what the answer is, so that it is encoded once for all streams. */
  #body(delta: boolean, response: StreamResponse): Uint8Array {
    if (delta || response.heartbeat) return sharedBody(delta, response);
    const key = `${response.typeUrl} ${response.version}`;
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const body = sharedBody(delta, response);
    if (this.#shared.size < MAX_SHARED) this.#shared.set(key, body);
    return body;
  }
}

const asIs = (bytes: Buffer): Buffer => bytes;
const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
