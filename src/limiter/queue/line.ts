/**
 * Those that wait for one bucket: by rank, then in weighted fair order, by start-time fair queueing (P. Goyal, H. Vin,
 * H. Cheng: "Start-Time Fair Queueing", 1996). Only the first of a flow has tags, and only what is served moves a flow's
 * time on: who leaves unserved costs its flow nothing.
 */
import { LAST_RANK } from '../../core/queueing';
import { OrderedHeap } from './ordered-heap';

/** Requests that are served in their order, one after the other. */
export class Flow<T> {
  /** The start tag of its first waiter. */
  start = 0;
  /** The virtual time up to which it has been served. */
  finish = 0;
  first: Waiter<T> | undefined;
  last: Waiter<T> | undefined;
  /** Its place among the flows of its rank that have waiters. */
  place = -1;

  constructor(
    readonly rank: number,
    readonly id: string,
  ) {}
}

/** Where a waiter is. */
export type WaiterState = 'in line' | 'tried' | 'gone';

/** A request that waits. */
export class Waiter<T> {
  state: WaiterState = 'gone';
  line: Line<T> | undefined;
  flow: Flow<T> | undefined;
  ahead: Waiter<T> | undefined;
  behind: Waiter<T> | undefined;
  /** Its place among all that wait, by when they must be answered. */
  deadlinePlace = -1;
  /** What its flow's tags were before it was tried. */
  startBefore = 0;
  finishBefore = 0;
  /** The order of arrival. */
  order = 0;

  /**
   * @param subject what waits.
   * @param hits tokens that it needs of what it waits for.
   * @param untilMs when it must be answered at the latest.
   */
  constructor(
    readonly subject: T,
    readonly hits: number,
    readonly rank: number,
    readonly weight: number,
    readonly flowId: string,
    readonly sinceMs: number,
    public untilMs: number,
  ) {}
}

/** Flows without waiters are remembered as long as they are no more than this and twice the waiters. */
const SPARE_FLOWS = 64;

interface Rank<T> {
  /** Flows with waiters. */
  readonly waiting: OrderedHeap<Flow<T>>;
  /** All flows that were served ahead of virtual time, or wait. */
  readonly flows: Map<string, Flow<T>>;
  virtual: number;
}

/** One bucket's line. */
export class Line<T> {
  /** When its first is worth a try, ms. */
  dueMs = 0;
  duePlace = -1;
  /** Waiters that are tried just now. */
  underWay = 0;
  /** Tokens that the bucket is believed to have. */
  hint = 0;
  /** Waiters, those that are tried included. */
  depth = 0;
  readonly #ranks: Rank<T>[];

  constructor(readonly key: string) {
    this.#ranks = Array.from({ length: LAST_RANK + 1 }, () => ({
      waiting: new OrderedHeap<Flow<T>>(isBefore, {
        get: (flow) => flow.place,
        set: (flow, place) => {
          flow.place = place;
        },
      }),
      flows: new Map<string, Flow<T>>(),
      virtual: 0,
    }));
  }

  /** Who is served next. */
  get head(): Waiter<T> | undefined {
    for (const { waiting } of this.#ranks) if (waiting.first !== undefined) return waiting.first.first;
    return undefined;
  }

  /** Adds to the end of a flow. */
  append(waiter: Waiter<T>): void {
    const rank = this.#rank(waiter);
    const flow = this.#flowOf(rank, waiter);
    waiter.line = this;
    waiter.flow = flow;
    waiter.state = 'in line';
    waiter.ahead = flow.last;
    waiter.behind = undefined;
    if (flow.last !== undefined) flow.last.behind = waiter;
    flow.last = waiter;
    this.depth += 1;
    if (flow.first !== undefined) return;
    flow.first = waiter;
    flow.start = Math.max(rank.virtual, flow.finish);
    rank.waiting.add(flow);
  }

  /** Takes who is next out of the order, to be tried, as if it were served. */
  take(): Waiter<T> | undefined {
    const waiter = this.head;
    const flow = waiter?.flow;
    if (waiter === undefined || flow === undefined) return undefined;
    const rank = this.#rank(waiter);
    waiter.startBefore = flow.start;
    waiter.finishBefore = flow.finish;
    flow.finish = flow.start + waiter.hits / waiter.weight;
    rank.virtual = Math.max(rank.virtual, flow.start);
    this.#unlink(waiter, rank, flow);
    waiter.state = 'tried';
    this.underWay += 1;
    return waiter;
  }

  /** Puts one back that was tried in vain; of several of a flow the one taken last goes first. */
  putBack(waiter: Waiter<T>): void {
    const { flow } = waiter;
    if (flow === undefined || waiter.state !== 'tried') return;
    const rank = this.#rank(waiter);
    this.underWay -= 1;
    waiter.state = 'in line';
    rank.flows.set(flow.id, flow);
    rank.waiting.remove(flow);
    flow.start = waiter.startBefore;
    flow.finish = waiter.finishBefore;
    waiter.behind = flow.first;
    waiter.ahead = undefined;
    if (flow.first === undefined) flow.last = waiter;
    else flow.first.ahead = waiter;
    flow.first = waiter;
    rank.waiting.add(flow);
  }

  /** Takes one out for good, served (after it was taken) or not. */
  remove(waiter: Waiter<T>): void {
    const { flow } = waiter;
    if (flow === undefined || waiter.state === 'gone') return;
    if (waiter.state === 'tried') this.underWay -= 1;
    else this.#unlink(waiter, this.#rank(waiter), flow);
    waiter.state = 'gone';
    this.depth -= 1;
  }

  /** The one that would be served last among the least important; undefined where none is less important than `rank`. */
  lastBelow(rank: number): Waiter<T> | undefined {
    for (let below = LAST_RANK; below > rank; below -= 1) {
      let worst: Flow<T> | undefined;
      for (const flow of this.#ranks[below]?.waiting.items ?? [])
        if (worst === undefined || isBefore(worst, flow)) worst = flow;
      if (worst?.last !== undefined) return worst.last;
    }
    return undefined;
  }

  #rank(waiter: Waiter<T>): Rank<T> {
    return this.#ranks[Math.min(LAST_RANK, Math.max(0, waiter.rank))] as Rank<T>;
  }

  #flowOf(rank: Rank<T>, waiter: Waiter<T>): Flow<T> {
    const known = rank.flows.get(waiter.flowId);
    if (known !== undefined) return known;
    if (rank.flows.size > 2 * this.depth + SPARE_FLOWS) {
      for (const [id, flow] of rank.flows) if (flow.first === undefined) rank.flows.delete(id);
    }
    const flow = new Flow<T>(waiter.rank, waiter.flowId);
    rank.flows.set(waiter.flowId, flow);
    return flow;
  }

  #unlink(waiter: Waiter<T>, rank: Rank<T>, flow: Flow<T>): void {
    const wasFirst = flow.first === waiter;
    if (waiter.ahead !== undefined) waiter.ahead.behind = waiter.behind;
    if (waiter.behind !== undefined) waiter.behind.ahead = waiter.ahead;
    if (wasFirst) flow.first = waiter.behind;
    if (flow.last === waiter) flow.last = waiter.ahead;
    waiter.ahead = undefined;
    waiter.behind = undefined;
    if (!wasFirst) return;
    rank.waiting.remove(flow);
    if (flow.first === undefined) {
      if (flow.finish <= rank.virtual) rank.flows.delete(flow.id);
      return;
    }
    flow.start = Math.max(rank.virtual, flow.finish);
    rank.waiting.add(flow);
  }
}

/** By start tag, then by arrival. */
function isBefore<T>(a: Flow<T>, b: Flow<T>): boolean {
  if (a.start !== b.start) return a.start < b.start;
  return (a.first?.order ?? 0) < (b.first?.order ?? 0);
}
