/** What both variants of a discovery stream share: requests, the view of a type, bounds. No sockets, no clock. */
import { TidegateError } from '../core/errors';
import type { MeshResource } from './resource';
import { HELD_BY_CLUSTERS } from './resource-types';
import type { Snapshot } from './snapshot-cache';

/** A response the client would not apply. */
export interface Rejection {
  /** The version that was refused. */
  readonly version: string;
  /** The client's reason. */
  readonly message: string;
  readonly atMs: number;
}

/** Where one type stands on one stream, for the API. */
export interface TypeView {
  readonly typeUrl: string;
  readonly wildcard: boolean;
  /** Names subscribed to beside a wildcard. */
  readonly names: number;
  /** The version last sent, accepted or not. */
  readonly sentVersion?: string;
  /** The version that the client last accepted. */
  readonly ackedVersion?: string;
  /** Whether an answer to the last response is still awaited. */
  readonly pending: boolean;
  /** The refusal that holds now; gone when a later version is accepted. */
  readonly rejection?: Rejection;
}

/** What a request did to its type, for logs and metrics. */
export type RequestOutcome =
  | { readonly kind: 'subscribed' | 'stale' }
  | { readonly kind: 'acked'; readonly version: string; readonly afterMs: number }
  | { readonly kind: 'nacked'; readonly rejection: Rejection };

/** A response to write. */
export interface StreamResponse {
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
  readonly resources: readonly MeshResource[];
  /** Delta only: names that are gone or never were. */
  readonly removed: readonly string[];
  /** Says that nothing changed: only what has a time to live goes out. */
  readonly heartbeat: boolean;
}

/** One discovery stream: requests and snapshots go in, responses are pulled when there is room to write. */
export interface DiscoveryStream<Request> {
  /** Takes a request. Throws `TG_MESH_BAD_REQUEST` or `TG_MESH_STREAM_LIMIT`; then the stream must end. */
  request(request: Request, nowMs: number): RequestOutcome;
  /** Takes the newest snapshot; what was not sent of an older one never will be. */
  update(snapshot: Snapshot): void;
  /**
   * The next response, or undefined when nothing is to be said now. At most one a type awaits its answer.
   * `holding`: types that the client had already when the stream began are left as they are, however long.
   */
  pull(nowMs: number, holding?: boolean): StreamResponse | undefined;
  /** Asks for heartbeats of the resources with a time to live. */
  beat(): void;
  view(): readonly TypeView[];
}

/** Bounds of one stream. */
export interface StreamBounds {
  /** Types that one stream may ask for. Default 32. */
  readonly maxTypes?: number;
  /** Names of one type that one stream may subscribe to. Default 20,000. */
  readonly maxNames?: number;
  /**
   * How long listeners and routes wait for clusters that are sent and not acknowledged, and removals of clusters for
   * listeners and routes, milliseconds. Default 5,000; after that a client that cannot warm a cluster gets its routes all
   * the same, and one that refuses routes loses the clusters.
   */
  readonly holdMs?: number;
}

/** {@link StreamBounds} with their defaults. */
export function withDefaults(bounds: StreamBounds): Required<StreamBounds> {
  return {
    maxTypes: bounds.maxTypes ?? 32,
    maxNames: bounds.maxNames ?? 20_000,
    holdMs: bounds.holdMs ?? 5_000,
  };
}

/** The longest refusal that is kept. */
const MAX_MESSAGE = 2_000;

/** A refusal, its text bounded. */
export function rejection(version: string, message: string, atMs: number): Rejection {
  return { version, message: clipped(message, MAX_MESSAGE), atMs };
}

/** The beginning of a text as a text of its own: a slice would keep all of it in memory, and clients choose how long it is. */
export function clipped(text: string, most: number): string {
  return text.length <= most ? text : Buffer.from(text.slice(0, most), 'utf16le').toString('utf16le');
}

/** So many refusals in a row are taken as they come; then one a second is, since weights may change ten times as often. */
const FREE_REFUSALS = 3;
const REFUSAL_PAUSE_MS = 1_000;

/** Whether a client that refuses one version after the other is left alone for now. */
export function pauses(refused: Rejection | undefined, inARow: number, nowMs: number): boolean {
  return refused !== undefined && inARow >= FREE_REFUSALS && nowMs - refused.atMs < REFUSAL_PAUSE_MS;
}

/** Throws when a stream goes over a bound. */
export function bound(count: number, most: number, what: string): void {
  if (count > most) {
    throw new TidegateError('TG_MESH_STREAM_LIMIT', `more than ${most} ${what} on one stream`);
  }
}

/** Throws `TG_MESH_BAD_REQUEST` for a request without a type. */
export function requireType(typeUrl: string): void {
  if (typeUrl === '')
    throw new TidegateError('TG_MESH_BAD_REQUEST', 'a request on this stream needs a type_url');
}

/** Where a type stands, as far as removals of clusters need it. */
interface Standing {
  readonly typeUrl: string;
  readonly inFlight: unknown;
  readonly dirty: boolean;
  readonly refused: Rejection | undefined;
}

/** Whether listeners and routes are accepted as they are now: nothing of them is under way, to be sent, or refused. */
export function isSettled(types: readonly Standing[]): boolean {
  return types.every(
    ({ typeUrl, inFlight, dirty, refused }) =>
      !HELD_BY_CLUSTERS.has(typeUrl) || (inFlight === undefined && !dirty && refused === undefined),
  );
}

/**
 * Whether listeners and routes wait now: while clusters that are sent are not acknowledged, since Envoy acknowledges them
 * when they are warm; but not for longer than the bound, though clusters change all the time.
 */
export class ClusterHold {
  readonly #holdMs: number;
  #sinceMs: number | undefined;

  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** `pending`: whether an answer about clusters is awaited. */
  holds(pending: boolean, nowMs: number): boolean {
    this.#sinceMs = pending ? (this.#sinceMs ?? nowMs) : undefined;
    return this.#sinceMs !== undefined && nowMs - this.#sinceMs < this.#holdMs;
  }
}
