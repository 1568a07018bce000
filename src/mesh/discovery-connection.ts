/** One client's stream: bytes in, state machine, bytes out as fast as the client reads. */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { TidegateError } from '../core/errors';
import type { Logger } from '../core/ports';
import { DeltaStream } from './delta-stream';
import { nonceBytes, readDeltaRequest, readSotwRequest } from './discovery-messages';
import type { DiscoveryMethod } from './discovery-methods';
import type { MeshNode } from './node-groups';
import type { Snapshot } from './snapshot-cache';
import { SotwStream } from './sotw-stream';
import {
  clipped,
  type Rejection,
  type RequestOutcome,
  type StreamBounds,
  type StreamResponse,
  type TypeView,
} from './stream-state';

/** A duplex call whose messages are bytes. */
export type Call = ServerDuplexStream<Buffer, Uint8Array>;

/** What a connection needs of its surroundings. */
export interface ConnectionDeps {
  readonly snapshotFor: (node: MeshNode) => {
    readonly group: string;
    readonly snapshot: Snapshot | undefined;
  };
  /** A response's bytes without the nonce. */
  readonly body: (delta: boolean, response: StreamResponse) => Uint8Array;
  /** Whether nodes of a group keep what they have for now. */
  readonly holding: (group: string) => boolean;
  /** Told of a refusal. */
  readonly refused: (nodeId: string, typeUrl: string, rejection: Rejection) => void;
  readonly log: Logger;
  readonly nowMs: () => number;
  readonly bounds: StreamBounds;
  readonly answered: (typeUrl: string, outcome: RequestOutcome) => void;
  readonly closed: () => void;
}

/** One stream in the view. */
export interface ConnectionView {
  /** What the node calls itself; undefined until its first request. */
  readonly node?: { readonly id: string; readonly cluster: string };
  readonly group?: string;
  readonly method: string;
  readonly delta: boolean;
  readonly connectedAtMs: number;
  /** Whether the client does not read what was written. */
  readonly blocked: boolean;
  readonly types: readonly TypeView[];
}

interface Joined {
  readonly node: Pick<MeshNode, 'id' | 'cluster'>;
  readonly group: string;
  readonly stream: { read(bytes: Uint8Array, nowMs: number): RequestOutcome & { typeUrl: string } } & Pick<
    SotwStream,
    'update' | 'pull' | 'beat' | 'view'
  >;
}

/** The longest node id or cluster that is kept. */
const MAX_NODE_TEXT = 256;

/** See the module. Nothing is queued: what is not written yet is made when there is room, from the newest state. */
export class DiscoveryConnection {
  readonly #call: Call;
  readonly #method: DiscoveryMethod;
  readonly #deps: ConnectionDeps;
  readonly #connectedAtMs: number;
  #joined: Joined | undefined;
  #room = true;
  #ended = false;

  constructor(call: Call, method: DiscoveryMethod, deps: ConnectionDeps) {
    this.#call = call;
    this.#method = method;
    this.#deps = deps;
    this.#connectedAtMs = deps.nowMs();
    call.on('data', (bytes: Buffer) => this.#guarded(() => this.#read(bytes)));
    call.on('drain', () => this.#guarded(() => this.#drained()));
    call.on('end', () => this.end());
    call.on('cancelled', () => this.#close());
    call.on('close', () => this.#close());
    call.on('error', () => this.#close());
  }

  /** Takes a new snapshot of a group, when the node belongs to it. */
  update(group: string, snapshot: Snapshot): void {
    if (this.#joined?.group !== group) return;
    const { stream } = this.#joined;
    this.#guarded(() => {
      stream.update(snapshot);
      this.#write();
    });
  }

  /** Affirms what has a time to live, and lets go what was held long enough. */
  tick(): void {
    this.#guarded(() => {
      this.#joined?.stream.beat();
      this.#write();
    });
  }

  view(): ConnectionView {
    const joined = this.#joined;
    return {
      method: this.#method.path,
      delta: this.#method.delta,
      connectedAtMs: this.#connectedAtMs,
      blocked: !this.#room,
      types: joined?.stream.view() ?? [],
      ...(joined === undefined
        ? {}
        : { node: { id: joined.node.id, cluster: joined.node.cluster }, group: joined.group }),
    };
  }

  end(): void {
    if (this.#ended) return;
    this.#close();
    this.#call.end();
  }

  #read(bytes: Buffer): void {
    const nowMs = this.#deps.nowMs();
    this.#joined ??= this.#join(bytes);
    const outcome = this.#joined.stream.read(bytes, nowMs);
    this.#deps.answered(outcome.typeUrl, outcome);
    if (outcome.kind === 'nacked')
      this.#deps.refused(this.#joined.node.id, outcome.typeUrl, outcome.rejection);
    this.#write();
  }

  #join(bytes: Buffer): Joined {
    const { delta, typeUrl } = this.#method;
    const named = (delta ? readDeltaRequest : readSotwRequest)(bytes, typeUrl).node;
    const node = {
      id: clipped(named?.id ?? '', MAX_NODE_TEXT),
      cluster: clipped(named?.cluster ?? '', MAX_NODE_TEXT),
    };
    // Metadata is as large as a client likes: it is looked at and not kept.
    const { group, snapshot } = this.#deps.snapshotFor({ ...node, metadata: named?.metadata ?? {} });
    return { node, group, stream: machine(this.#method, snapshot, this.#deps.bounds) };
  }

  #drained(): void {
    this.#room = true;
    this.#write();
  }

  #write(): void {
    if (this.#joined === undefined) return;
    const { stream, group } = this.#joined;
    while (this.#room && !this.#ended) {
      const response = stream.pull(this.#deps.nowMs(), this.#deps.holding(group));
      if (response === undefined) return;
      const { delta } = this.#method;
      const bytes = Buffer.concat([this.#deps.body(delta, response), nonceBytes(delta, response.nonce)]);
      this.#room = this.#call.write(bytes);
    }
  }

  /** A fault of the client or ours ends this stream and no other. */
  #guarded(act: () => void): void {
    if (this.#ended) return;
    try {
      act();
    } catch (thrown) {
      const error = TidegateError.from(thrown);
      if (error.code === 'TG_INTERNAL') this.#deps.log.error({ err: error }, 'a discovery stream failed');
      this.#close();
      this.#call.emit('error', { code: error.grpcStatus, details: `${error.code}: ${error.message}` });
    }
  }

  #close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#deps.closed();
  }
}

/** A state machine that reads bytes. */
function machine(
  method: DiscoveryMethod,
  snapshot: Snapshot | undefined,
  bounds: StreamBounds,
): Joined['stream'] {
  const { delta, typeUrl } = method;
  if (delta) {
    const stream = new DeltaStream(snapshot, bounds);
    return reading(stream, (bytes, nowMs) => {
      const { request } = readDeltaRequest(bytes, typeUrl);
      return { ...stream.request(request, nowMs), typeUrl: request.typeUrl };
    });
  }
  const stream = new SotwStream(snapshot, bounds);
  return reading(stream, (bytes, nowMs) => {
    const { request } = readSotwRequest(bytes, typeUrl);
    return { ...stream.request(request, nowMs), typeUrl: request.typeUrl };
  });
}

function reading(stream: SotwStream | DeltaStream, read: Joined['stream']['read']): Joined['stream'] {
  return {
    read,
    update: (snapshot) => stream.update(snapshot),
    pull: (nowMs, holding) => stream.pull(nowMs, holding),
    beat: () => stream.beat(),
    view: () => stream.view(),
  };
}
