/**
 * One incremental stream as a state machine. It keeps what the client holds and sends only the difference.
 * Source: Envoy's docs, api-docs/xds_protocol: "Incremental xDS", "Wildcard resource subscriptions in the incremental
 * variants", "Unsubscribing from resources"; envoy/service/discovery/v3/discovery.proto.
 */
import type { MeshResource } from './resource';
import { FULL_STATE_TYPES, WARMED_BY } from './resource-types';
import type { TypeSnapshot } from './snapshot-cache';
import { WILDCARD } from './sotw-stream';
import {
  bound,
  rejection,
  requireType,
  type DiscoveryStream,
  type RequestOutcome,
  type StreamResponse,
} from './stream-state';
import { newStanding, TypeStream, type TypeStanding } from './type-stream';

/** The parts of a DeltaDiscoveryRequest that matter here. */
export interface DeltaRequest {
  readonly typeUrl: string;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** What the client holds from an earlier stream: versions by name. Counts in the first request of a type only. */
  readonly initialVersions: Readonly<Record<string, string>>;
  readonly nonce: string;
  /** The reason of a refusal. */
  readonly error?: string;
}

/** The version of a resource that is not there. */
const ABSENT = '';

interface InFlight {
  readonly nonce: string;
  readonly version: string;
  readonly sentAtMs: number;
  /** By name: what was sent, and what the client held before. */
  readonly moves: ReadonlyMap<string, { readonly to: string; readonly from: string | undefined }>;
}

interface TypeState extends TypeStanding {
  readonly names: Set<string>;
  /** What the client has, as far as it has not refused it: versions by name. */
  readonly held: Map<string, string>;
  /** Versions that the client refused, by name: not sent again until they change or are asked for. */
  readonly parked: Map<string, string>;
  /** Names that are answered whatever the client holds. */
  readonly owed: Set<string>;
  /** A first answer is owed even when there is nothing to send. */
  greet: boolean;
  inFlight: InFlight | undefined;
}

/** See the module. */
export class DeltaStream extends TypeStream<TypeState> implements DiscoveryStream<DeltaRequest> {
  request(request: DeltaRequest, nowMs: number): RequestOutcome {
    requireType(request.typeUrl);
    const known = this.types.get(request.typeUrl);
    const state = known ?? this.#begin(request);
    // Subscriptions are changes, so they count even with a stale nonce.
    unsubscribe(state, request.unsubscribe);
    subscribe(state, request.subscribe, known === undefined);
    bound(state.names.size, this.bounds.maxNames, 'names of one type');
    state.dirty = true;
    return known === undefined ? { kind: 'subscribed' } : settle(state, request, nowMs);
  }

  #begin({ typeUrl, subscribe: names, initialVersions }: DeltaRequest): TypeState {
    this.requireRoom();
    const initial = Object.entries(initialVersions);
    bound(initial.length, this.bounds.maxNames, 'names of one type');
    const wildcard = names.length === 0 && FULL_STATE_TYPES.has(typeUrl);
    const all = wildcard || names.includes(WILDCARD);
    return this.admit({
      ...newStanding(typeUrl, initial.length > 0),
      wildcard,
      names: new Set(),
      held: new Map(initial.filter(([name]) => all || names.includes(name))),
      parked: new Map(),
      owed: new Set(),
      greet: all && initial.length === 0,
    });
  }

  protected has({ held }: TypeState, name: string): boolean {
    return held.has(name);
  }

  protected responseOf(
    state: TypeState,
    type: TypeSnapshot | undefined,
    nowMs: number,
  ): StreamResponse | undefined {
    return this.#difference(state, type, nowMs) ?? this.#heartbeat(state, type, nowMs);
  }

  #difference(state: TypeState, type: TypeSnapshot | undefined, nowMs: number): StreamResponse | undefined {
    if (!state.dirty) return undefined;
    state.dirty = false;
    unpark(state, type);
    const resources = candidates(state, type).filter(
      ({ name, version }) =>
        state.owed.has(name) || (state.held.get(name) !== version && state.parked.get(name) !== version),
    );
    const removed = [...new Set([...state.held.keys(), ...state.owed])].filter(
      (name) => !type?.resources.has(name) && (state.owed.has(name) || state.parked.get(name) !== ABSENT),
    );
    const greet = state.greet;
    state.greet = false;
    state.owed.clear();
    if (resources.length === 0 && removed.length === 0 && !greet) {
      if (state.parked.size === 0) state.refused = undefined;
      return undefined;
    }
    this.#oweWarmed(state, resources);
    return this.#send(state, type?.version ?? ABSENT, resources, removed, nowMs);
  }

  /** Envoy does not ask anew for what a changed cluster waits for when it has it already; so it is sent again. */
  #oweWarmed(state: TypeState, resources: readonly MeshResource[]): void {
    const warmer = this.types.get(WARMED_BY.get(state.typeUrl) ?? '');
    if (warmer === undefined) return;
    for (const { name, version, waitsFor } of resources) {
      const before = state.held.get(name);
      if (before === undefined || before === version) continue;
      for (const awaited of waitsFor) {
        if (!warmer.held.has(awaited)) continue;
        warmer.owed.add(awaited);
        warmer.dirty = true;
      }
    }
  }

  #send(
    state: TypeState,
    version: string,
    resources: readonly MeshResource[],
    removed: readonly string[],
    nowMs: number,
  ): StreamResponse {
    const moves = new Map<string, { to: string; from: string | undefined }>();
    for (const one of resources) {
      moves.set(one.name, { to: one.version, from: state.held.get(one.name) });
      state.held.set(one.name, one.version);
      state.parked.delete(one.name);
    }
    for (const name of removed) {
      moves.set(name, { to: ABSENT, from: state.held.get(name) });
      state.held.delete(name);
      state.parked.delete(name);
    }
    const nonce = this.nextNonce();
    state.inFlight = { nonce, version, sentAtMs: nowMs, moves };
    state.sentVersion = version;
    return { typeUrl: state.typeUrl, version, nonce, resources, removed, heartbeat: false };
  }

  #heartbeat(state: TypeState, type: TypeSnapshot | undefined, nowMs: number): StreamResponse | undefined {
    if (!state.beat) return undefined;
    state.beat = false;
    const living = candidates(state, type).filter(
      ({ name, version, ttlMs }) => ttlMs !== undefined && state.held.get(name) === version,
    );
    if (living.length === 0) return undefined;
    const nonce = this.nextNonce();
    const version = state.sentVersion ?? ABSENT;
    state.inFlight = { nonce, version, sentAtMs: nowMs, moves: new Map() };
    return { typeUrl: state.typeUrl, version, nonce, resources: living, removed: [], heartbeat: true };
  }
}

function candidates(state: TypeState, type: TypeSnapshot | undefined): readonly MeshResource[] {
  if (type === undefined) return [];
  const all = state.wildcard ? type.resources.keys() : new Set([...state.names, ...state.owed]);
  return [...all].flatMap((name) => type.resources.get(name) ?? []);
}

/** What was refused and has changed since may be sent. */
function unpark(state: TypeState, type: TypeSnapshot | undefined): void {
  for (const [name, version] of state.parked) {
    if ((type?.resources.get(name)?.version ?? ABSENT) !== version) state.parked.delete(name);
  }
}

function subscribe(state: TypeState, names: readonly string[], first: boolean): void {
  for (const name of names) {
    if (name === WILDCARD) {
      state.greet ||= !first && !state.wildcard;
      state.wildcard = true;
      continue;
    }
    state.names.add(name);
    // On a new stream the client says what it holds already; later it asks because it needs an answer.
    if (!first || !state.held.has(name)) state.owed.add(name);
  }
}

function unsubscribe(state: TypeState, names: readonly string[]): void {
  for (const name of names) {
    if (name === WILDCARD) {
      state.wildcard = false;
      for (const held of [...state.held.keys()]) if (!state.names.has(held)) forget(state, held);
      continue;
    }
    const was = state.names.delete(name);
    // Under a wildcard the client keeps a resource that is there, and has to be told whether it is.
    if (state.wildcard) {
      if (was) state.owed.add(name);
    } else forget(state, name);
  }
}

function forget(state: TypeState, name: string): void {
  state.held.delete(name);
  state.parked.delete(name);
  state.owed.delete(name);
}

/** Books the answer to the response in flight, if the request is one. */
function settle(state: TypeState, request: DeltaRequest, nowMs: number): RequestOutcome {
  const { inFlight } = state;
  if (request.nonce === '') return { kind: 'subscribed' };
  if (inFlight === undefined || request.nonce !== inFlight.nonce) return { kind: 'stale' };
  state.inFlight = undefined;
  if (request.error === undefined) {
    if (inFlight.moves.size > 0) state.refusals = 0;
    if (inFlight.moves.size > 0 && state.parked.size === 0) state.refused = undefined;
    state.ackedVersion = inFlight.version;
    return { kind: 'acked', version: inFlight.version, afterMs: nowMs - inFlight.sentAtMs };
  }
  for (const [name, { to, from }] of inFlight.moves) {
    if (!state.wildcard && !state.names.has(name)) continue;
    state.parked.set(name, to);
    if (from === undefined) state.held.delete(name);
    else state.held.set(name, from);
  }
  state.refused = rejection(inFlight.version, request.error, nowMs);
  state.refusals += 1;
  return { kind: 'nacked', rejection: state.refused };
}
