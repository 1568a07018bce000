/**
 * One state-of-the-world stream as a state machine. Each response carries all that the client asked for of a type; for
 * listeners and clusters what it does not carry is removed.
 * Source: Envoy's docs, api-docs/xds_protocol: "ACK/NACK and resource type instance version", "When to send an update",
 * "How the client specifies what resources to return", "Resource warming".
 */
import type { MeshResource } from './resource';
import { FULL_STATE_TYPES, WARMED_BY } from './resource-types';
import { setVersion, type TypeSnapshot } from './snapshot-cache';
import {
  bound,
  rejection,
  requireType,
  type DiscoveryStream,
  type RequestOutcome,
  type StreamResponse,
} from './stream-state';
import { newStanding, TypeStream, type TypeStanding } from './type-stream';

/** The parts of a DiscoveryRequest that matter here. */
export interface SotwRequest {
  readonly typeUrl: string;
  readonly names: readonly string[];
  /** The version that the client has; on a new stream it is that of an earlier one. */
  readonly version?: string;
  readonly nonce: string;
  /** The reason of a refusal. */
  readonly error?: string;
}

/** `*`, by which all resources of a type are asked for. */
export const WILDCARD = '*';

interface TypeState extends TypeStanding {
  names: ReadonlySet<string>;
  /** Whether names were ever given: then an empty list is no wildcard any more. */
  named: boolean;
  nonce: string;
  /** What was last sent, by name: its version. */
  sent: Map<string, string>;
  /** An answer is owed even when nothing changed. */
  owed: boolean;
}

/** See the module. */
export class SotwStream extends TypeStream<TypeState> implements DiscoveryStream<SotwRequest> {
  request(request: SotwRequest, nowMs: number): RequestOutcome {
    requireType(request.typeUrl);
    bound(request.names.length, this.bounds.maxNames, 'names of one type');
    const state = this.types.get(request.typeUrl);
    if (state === undefined) {
      const begun = this.#begin(request.typeUrl, (request.version ?? '') !== '');
      subscribe(begun, request.names);
      begun.owed = true;
      return { kind: 'subscribed' };
    }
    // The client says it all again with the nonce of the newer response, once it has read that.
    if (request.nonce !== '' && request.nonce !== state.nonce) return { kind: 'stale' };
    const outcome = settle(state, request, nowMs);
    const { added, changed } = subscribe(state, request.names);
    state.dirty = true;
    // Neither an answer nor another wish: the client waits for what it once had, such as endpoints of a warming cluster.
    const again = !changed && outcome.kind === 'subscribed' && state.refused === undefined;
    if (added || again) state.owed = true;
    return outcome;
  }

  #begin(typeUrl: string, resumed: boolean): TypeState {
    this.requireRoom();
    return this.admit({
      ...newStanding(typeUrl, resumed),
      wildcard: false,
      names: new Set(),
      named: false,
      nonce: '',
      sent: new Map(),
      owed: false,
    });
  }

  protected has({ sent }: TypeState, name: string): boolean {
    return sent.has(name);
  }

  protected responseOf(
    state: TypeState,
    type: TypeSnapshot | undefined,
    nowMs: number,
  ): StreamResponse | undefined {
    if (state.dirty || state.owed) {
      const wanted = wantedOf(state, type);
      const response = this.#changed(state, wanted, type, nowMs);
      state.dirty = false;
      state.owed = false;
      if (response !== undefined) return response;
    }
    return this.#heartbeat(state, type, nowMs);
  }

  #changed(
    state: TypeState,
    wanted: readonly MeshResource[],
    type: TypeSnapshot | undefined,
    nowMs: number,
  ): StreamResponse | undefined {
    const full = FULL_STATE_TYPES.has(state.typeUrl) || state.wildcard;
    const news = wanted.filter(({ name, version }) => state.sent.get(name) !== version);
    const present = new Set(wanted.map(({ name }) => name));
    const gone = full && [...state.sent.keys()].some((name) => !present.has(name));
    const empty = wanted.length === 0 && !(full && (state.owed || gone));
    const refused = state.refused?.version;
    if (empty || (news.length === 0 && !gone && !state.owed && refused === undefined)) return undefined;
    const version =
      type !== undefined && type.resources.size === wanted.length ? type.version : setVersion(wanted);
    // A refused version stays parked until it changes, whoever asks for it.
    if (refused === version) return undefined;
    this.#oweWarmed(state, news);
    state.sent = new Map(wanted.map((resource) => [resource.name, resource.version]));
    return this.#send(state, version, wanted, nowMs, false);
  }

  /** A resource that changes waits for others before it is used; those are sent again, though they did not change. */
  #oweWarmed(state: TypeState, news: readonly MeshResource[]): void {
    const warmer = this.types.get(WARMED_BY.get(state.typeUrl) ?? '');
    if (warmer === undefined) return;
    const waits = news.some(
      ({ name, waitsFor }) => state.sent.has(name) && waitsFor.some((awaited) => warmer.sent.has(awaited)),
    );
    if (waits) warmer.owed = true;
  }

  #heartbeat(state: TypeState, type: TypeSnapshot | undefined, nowMs: number): StreamResponse | undefined {
    if (!state.beat) return undefined;
    state.beat = false;
    // A heartbeat counts only with the version that the client accepted.
    if (state.sentVersion === undefined || state.ackedVersion !== state.sentVersion) return undefined;
    const living = wantedOf(state, type).filter(
      ({ name, version, ttlMs }) => ttlMs !== undefined && state.sent.get(name) === version,
    );
    return living.length === 0 ? undefined : this.#send(state, state.sentVersion, living, nowMs, true);
  }

  #send(
    state: TypeState,
    version: string,
    resources: readonly MeshResource[],
    nowMs: number,
    heartbeat: boolean,
  ): StreamResponse {
    const nonce = this.nextNonce();
    state.nonce = nonce;
    state.inFlight = { nonce, version, sentAtMs: nowMs };
    state.sentVersion = version;
    return { typeUrl: state.typeUrl, version, nonce, resources, removed: [], heartbeat };
  }
}

/** Books the answer to the response in flight, if the request is one. */
function settle(state: TypeState, request: SotwRequest, nowMs: number): RequestOutcome {
  const { inFlight } = state;
  if (inFlight === undefined || request.nonce !== inFlight.nonce) return { kind: 'subscribed' };
  state.inFlight = undefined;
  if (request.error !== undefined) {
    state.refused = rejection(inFlight.version, request.error, nowMs);
    state.refusals += 1;
    return { kind: 'nacked', rejection: state.refused };
  }
  state.refused = undefined;
  state.refusals = 0;
  state.ackedVersion = inFlight.version;
  return { kind: 'acked', version: inFlight.version, afterMs: nowMs - inFlight.sentAtMs };
}

/** Takes the names of a request. An empty list asks for all only while no name was ever given (legacy wildcard). */
function subscribe(state: TypeState, list: readonly string[]): { added: boolean; changed: boolean } {
  const names = new Set(list);
  const legacy = names.size === 0 && !state.named && FULL_STATE_TYPES.has(state.typeUrl);
  const wildcard = names.delete(WILDCARD) || legacy;
  if (list.length > 0) state.named = true;
  const added = (wildcard && !state.wildcard) || [...names].some((name) => !state.names.has(name));
  const lost = [...state.names].filter((name) => !names.has(name));
  const changed = added || lost.length > 0 || wildcard !== state.wildcard;
  state.wildcard = wildcard;
  state.names = names;
  // What is not asked for any more is forgotten by the client: asked for again, it is sent again.
  if (!wildcard) for (const name of state.sent.keys()) if (!names.has(name)) state.sent.delete(name);
  return { added, changed };
}

function wantedOf(state: TypeState, type: TypeSnapshot | undefined): readonly MeshResource[] {
  if (type === undefined) return [];
  if (state.wildcard) return [...type.resources.values()];
  return [...state.names].flatMap((name) => type.resources.get(name) ?? []);
}
