/**
 * Services that share a total, in simulated time: each has a token bucket before it and a bounded queue that is served
 * first. Requests of a tick come and tokens are refilled evenly over it, so that a tick is exact as a flow (the bucket of
 * src/bucket, at any number of requests between two ticks): what is let in is the lesser of what waits or comes and of
 * what is in the bucket or is refilled; what the bucket and the queue cannot hold is gone.
 */
import { WaitingLine, type WaitCount } from './waiting-line';

/** Everything that a tick left, service by service. The arrays are the environment's own: read them, and at once. */
export interface EnvironmentView {
  /** Ticks that have passed. */
  readonly tick: number;
  /** Of the last tick, requests. */
  readonly arrived: Float64Array;
  readonly served: Float64Array;
  readonly dropped: Float64Array;
  /** Of `arrived`, those that had to wait. */
  readonly delayed: Float64Array;
  /** Now. */
  readonly queued: Float64Array;
  readonly tokens: Float64Array;
  readonly ratesPerS: Float64Array;
  readonly capacities: Float64Array;
}

/** See the file's head. */
export class PoolEnvironment implements EnvironmentView {
  tick = 0;
  readonly arrived: Float64Array;
  readonly served: Float64Array;
  readonly dropped: Float64Array;
  readonly delayed: Float64Array;
  readonly queued: Float64Array;
  readonly tokens: Float64Array;
  readonly ratesPerS: Float64Array;
  readonly capacities: Float64Array;
  private readonly lines: readonly WaitingLine[];
  private readonly tickS: number;

  /**
   * @param queueLimits requests that each queue holds.
   * @param ratesPerS and `capacities` the first limits; buckets are full.
   */
  constructor(
    private readonly queueLimits: ArrayLike<number>,
    ratesPerS: ArrayLike<number>,
    capacities: ArrayLike<number>,
    tickMs: number,
    private readonly waits: WaitCount,
  ) {
    const zeros = (): Float64Array => new Float64Array(queueLimits.length);
    this.arrived = zeros();
    this.served = zeros();
    this.dropped = zeros();
    this.delayed = zeros();
    this.queued = zeros();
    this.ratesPerS = Float64Array.from(ratesPerS);
    this.capacities = Float64Array.from(capacities);
    this.tokens = Float64Array.from(capacities);
    this.lines = Array.from(queueLimits, () => new WaitingLine());
    this.tickS = tickMs / 1_000;
  }

  /** Puts other limits in force: a smaller bucket is cut, a larger one not filled. */
  limit(service: number, ratePerS: number, capacity: number): void {
    this.ratesPerS[service] = Math.max(0, ratePerS);
    this.capacities[service] = Math.max(0, capacity);
    this.tokens[service] = Math.min(this.tokens[service]!, this.capacities[service]);
  }

  /**
   * Begins the next tick: what is counted by tick starts anew. Moves that arrive in it come after this.
   */
  begin(): void {
    this.tick += 1;
    this.arrived.fill(0);
    this.served.fill(0);
    this.dropped.fill(0);
    this.delayed.fill(0);
  }

  /**
   * Moves tokens between buckets; whoever waits for them at the second goes in at once.
   * @param keep what the first keeps at least. @returns tokens that arrived; none is lost for want of room.
   */
  move(from: number, to: number, tokens: number, keep: number): number {
    const spare = Math.floor(this.tokens[from]! - keep);
    const wanted = Math.min(tokens, spare);
    if (!(wanted > 0) || from === to) return 0;
    const room = Math.max(0, this.capacities[to]! - this.tokens[to]!);
    const moved = Math.min(wanted, Math.floor(room));
    this.tokens[from]! -= moved;
    this.tokens[to]! += moved;
    this.tokens[to]! -= this.serveLine(to, this.tokens[to]!);
    return moved;
  }

  /** Lets a tick pass. @param arrivals requests of each service. */
  pass(arrivals: ArrayLike<number>): void {
    const { tokens, ratesPerS, capacities, queued, queueLimits, tickS } = this;
    for (let service = 0; service < tokens.length; service += 1) {
      const came = arrivals[service]!;
      let free = tokens[service]! + ratesPerS[service]! * tickS;
      this.arrived[service] = came;
      if (queued[service]! > 0) free -= this.serveLine(service, free);
      const passed = came < free ? came : free;
      free -= passed;
      this.served[service]! += passed;
      if (passed > 0) this.waits.add(0, passed);
      const left = came - passed;
      if (left > 0) {
        const room = Math.max(0, queueLimits[service]! - queued[service]!);
        const joins = left < room ? left : room;
        this.lines[service]!.join(this.tick, joins);
        queued[service] = this.lines[service]!.length;
        this.delayed[service] = joins;
        this.dropped[service] = left - joins;
      }
      tokens[service] = free < capacities[service]! ? free : capacities[service]!;
    }
  }

  private serveLine(service: number, most: number): number {
    const line = this.lines[service]!;
    if (line.length === 0) return 0;
    const gone = line.leave(this.tick, most, this.waits);
    this.served[service]! += gone;
    this.queued[service] = line.length;
    return gone;
  }
}
