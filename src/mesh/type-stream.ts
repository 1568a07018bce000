/**
 * What streams of both variants have in common: types in the order in which they are sent, what is dirty, what waits for
 * clusters or is removed late, and how it all looks. Without sockets or clocks.
 * Source: Envoy's docs, api-docs/xds_protocol.
 */
import { LateRemovals, REMOVED_LATE } from './late-removals';
import { CLUSTER_TYPE, HELD_BY_CLUSTERS, orderOf } from './resource-types';
import type { Snapshot, TypeSnapshot } from './snapshot-cache';
import {
  bound,
  ClusterHold,
  isSettled,
  pauses,
  withDefaults,
  type Rejection,
  type StreamBounds,
  type StreamResponse,
  type TypeView,
} from './stream-state';

/** Where a type of resource stands on a stream, in either variant. */
export interface TypeStanding {
  readonly typeUrl: string;
  wildcard: boolean;
  readonly names: ReadonlySet<string>;
  /** The response that is not answered yet. */
  inFlight: { readonly nonce: string; readonly version: string; readonly sentAtMs: number } | undefined;
  sentVersion: string | undefined;
  ackedVersion: string | undefined;
  refused: Rejection | undefined;
  /** Refusals without an acceptance between them. */
  refusals: number;
  /** Whether the client had resources of it when the stream began. */
  readonly resumed: boolean;
  /** Something may have changed since it was last looked at. */
  dirty: boolean;
  /** A heartbeat is asked for. */
  beat: boolean;
}

/** A standing of which nothing was sent yet. */
export function newStanding(typeUrl: string, resumed: boolean) {
  return {
    typeUrl,
    inFlight: undefined,
    sentVersion: undefined,
    ackedVersion: undefined,
    refused: undefined,
    refusals: 0,
    resumed,
    dirty: true,
    beat: false,
  };
}

/** See the module. */
export abstract class TypeStream<S extends TypeStanding> {
  protected readonly bounds: Required<StreamBounds>;
  protected readonly types = new Map<string, S>();
  readonly #hold: ClusterHold;
  readonly #removals: LateRemovals;
  #ordered: S[] = [];
  #snapshot: Snapshot | undefined;
  #nonces = 0;

  constructor(snapshot: Snapshot | undefined, bounds: StreamBounds = {}) {
    this.#snapshot = snapshot;
    this.bounds = withDefaults(bounds);
    this.#hold = new ClusterHold(this.bounds.holdMs);
    this.#removals = new LateRemovals(this.bounds.holdMs);
  }

  /** Whether the client was sent a resource, and has not been told that it is gone. */
  protected abstract has(state: S, name: string): boolean;
  /** What is to be said of a type now: what changed, else a heartbeat, else nothing. */
  protected abstract responseOf(
    state: S,
    type: TypeSnapshot | undefined,
    nowMs: number,
  ): StreamResponse | undefined;

  update(snapshot: Snapshot): void {
    for (const state of this.#ordered) {
      const before = this.#snapshot?.get(state.typeUrl)?.version;
      if (this.#snapshot === undefined || before !== snapshot.get(state.typeUrl)?.version) state.dirty = true;
    }
    this.#removals.update(this.#snapshot, snapshot, (typeUrl, name) => {
      const state = this.types.get(typeUrl);
      return state !== undefined && this.has(state, name);
    });
    this.#snapshot = snapshot;
  }

  beat(): void {
    for (const state of this.#ordered) state.beat = true;
  }

  pull(nowMs: number, holding = false): StreamResponse | undefined {
    if (this.#snapshot === undefined) return undefined;
    const response = this.#next(this.#snapshot, nowMs, holding);
    if (response !== undefined || !this.#removals.release(isSettled(this.#ordered), nowMs)) return response;
    for (const state of this.#ordered) if (REMOVED_LATE.includes(state.typeUrl)) state.dirty = true;
    return this.#next(this.#snapshot, nowMs, holding);
  }

  view(): readonly TypeView[] {
    return this.#ordered.map((state) => ({
      typeUrl: state.typeUrl,
      wildcard: state.wildcard,
      names: state.names.size,
      pending: state.inFlight !== undefined,
      ...(state.sentVersion === undefined ? {} : { sentVersion: state.sentVersion }),
      ...(state.ackedVersion === undefined ? {} : { ackedVersion: state.ackedVersion }),
      ...(state.refused === undefined ? {} : { rejection: state.refused }),
    }));
  }

  /** Throws where one more type would be too many. */
  protected requireRoom(): void {
    bound(this.types.size + 1, this.bounds.maxTypes, 'types');
  }

  /** Takes a type that was asked for first. */
  protected admit(state: S): S {
    this.types.set(state.typeUrl, state);
    this.#ordered = [...this.types.values()].sort((a, b) => orderOf(a.typeUrl) - orderOf(b.typeUrl));
    return state;
  }

  protected nextNonce(): string {
    return String(++this.#nonces);
  }

  #next(snapshot: Snapshot, nowMs: number, holding: boolean): StreamResponse | undefined {
    for (const state of this.#ordered) {
      if (state.inFlight !== undefined || (holding && state.resumed) || this.#waits(state, nowMs)) continue;
      const response = this.responseOf(state, this.#removals.of(snapshot, state.typeUrl), nowMs);
      if (response !== undefined) return response;
    }
    return undefined;
  }

  #waits(state: S, nowMs: number): boolean {
    if (pauses(state.refused, state.refusals, nowMs)) return true;
    if (!HELD_BY_CLUSTERS.has(state.typeUrl)) return false;
    return this.#hold.holds(this.types.get(CLUSTER_TYPE)?.inFlight !== undefined, nowMs);
  }
}
