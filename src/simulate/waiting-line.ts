/** First come, first served: requests that wait, by the tick they came in. */

/** Ticks that are told apart; those who wait longer come with the newest of them. */
const COHORTS_MAX = 4_096;

/** Counts requests that were let in by how many ticks they had waited. */
export interface WaitCount {
  add(ticks: number, requests: number): void;
}

/** A queue of requests, whole or in parts. */
export class WaitingLine {
  private ticks = new Float64Array(16);
  private amounts = new Float64Array(16);
  private first = 0;
  private count = 0;
  private sum = 0;

  /** Requests that wait. */
  get length(): number {
    return this.sum;
  }

  join(tick: number, requests: number): void {
    if (!(requests > 0)) return;
    this.sum += requests;
    if (this.count > 0) {
      const newest = (this.first + this.count - 1) & (this.ticks.length - 1);
      if (this.ticks[newest] === tick || this.count === COHORTS_MAX) {
        this.amounts[newest]! += requests;
        return;
      }
    }
    if (this.count === this.ticks.length) this.grow();
    const at = (this.first + this.count) & (this.ticks.length - 1);
    this.ticks[at] = tick;
    this.amounts[at] = requests;
    this.count += 1;
  }

  /** Lets in the first of them. @returns how many went, at most `requests`. */
  leave(tick: number, requests: number, waits: WaitCount): number {
    let left = Math.min(requests, this.sum);
    const gone = left;
    while (left > 0 && this.count > 0) {
      const amount = this.amounts[this.first]!;
      const taken = amount <= left ? amount : left;
      waits.add(tick - this.ticks[this.first]!, taken);
      left -= taken;
      this.amounts[this.first] = amount - taken;
      if (taken < amount) break;
      this.first = (this.first + 1) & (this.ticks.length - 1);
      this.count -= 1;
    }
    // Without anybody left, what rounding left is nobody.
    this.sum = this.count === 0 ? 0 : this.sum - gone;
    return gone;
  }

  private grow(): void {
    const length = this.ticks.length;
    const [ticks, amounts] = [new Float64Array(length * 2), new Float64Array(length * 2)];
    for (let index = 0; index < this.count; index += 1) {
      const at = (this.first + index) & (length - 1);
      ticks[index] = this.ticks[at]!;
      amounts[index] = this.amounts[at]!;
    }
    this.ticks = ticks;
    this.amounts = amounts;
    this.first = 0;
  }
}
