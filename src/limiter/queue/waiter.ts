/** One request that waits, and the flow that it is of. */
import type { Line } from './line';

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
