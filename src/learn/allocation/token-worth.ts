/** What one more token a tick would have been worth to each service of a pool over an interval. */

/** A tick as it was; the arrays are read at once. */
export interface WorthTick {
  /** Requests of each service that were dropped. */
  readonly dropped: Float64Array;
  /** In its bucket, and what that holds at most. */
  readonly tokens: Float64Array;
  readonly capacities: Float64Array;
}

/**
 * A token saves the first request of its service that is dropped from its tick on, and is for nothing where the bucket runs over
 * before: requests that wait hand on the room that it makes. So each tick is judged by what happens next, if need be in the interval
 * after; what is open even then counts as nothing. Tokens that are lent are not followed.
 */
export class TokenWorth {
  private readonly drops: Uint8Array[] = [];
  private readonly overruns: Uint8Array[] = [];
  private ticks = 0;
  /** Ticks of the interval before on whose tokens nothing has been decided. */
  private readonly open: Float64Array;

  /** @param weights what a denial costs, service by service. */
  constructor(private readonly weights: readonly number[]) {
    this.open = new Float64Array(weights.length);
  }

  /** Takes a tick. */
  tick({ dropped, tokens, capacities }: WorthTick): void {
    const services = this.weights.length;
    const drops = (this.drops[this.ticks] ??= new Uint8Array(services));
    const overruns = (this.overruns[this.ticks] ??= new Uint8Array(services));
    for (let service = 0; service < services; service += 1) {
      drops[service] = dropped[service]! > 0 ? 1 : 0;
      overruns[service] = tokens[service]! >= capacities[service]! ? 1 : 0;
    }
    this.ticks += 1;
  }

  /**
   * Ends the interval.
   * @param into for each service, what one token more in each of its ticks was worth, as far as is known by now.
   * @param before the same, of the interval before: what has become known since.
   */
  end(into: Float64Array, before: Float64Array): void {
    const { weights, drops, overruns, open, ticks } = this;
    for (let service = 0; service < weights.length; service += 1) {
      const weight = weights[service]!;
      let worth = 0;
      let decided = 0;
      let next = NaN;
      for (let tick = ticks - 1; tick >= 0; tick -= 1) {
        if (drops[tick]![service] === 1) next = weight;
        else if (overruns[tick]![service] === 1) next = 0;
        if (Number.isNaN(next)) continue;
        decided += 1;
        worth += next;
      }
      into[service] = worth;
      before[service] = Number.isNaN(next) ? 0 : open[service]! * next;
      open[service] = ticks - decided;
    }
    this.ticks = 0;
  }
}
