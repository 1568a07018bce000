/**
 * The leases of a holder by bucket: bounded, with those that hold tokens at hand, so that they can go back when they
 * idle. Buckets that hold nothing and were not asked for in a while are forgotten, a few for each new one.
 */
import { Lease, type LeaseTerms } from '../../bucket/lease';
import type { BucketCall } from '../../core/buckets';

const SWEPT_PER_INSERT = 4;
/** What is known of a bucket is of no use after this, ms. */
const COLD_MS = 1_000;

/** See the file's head. */
export class LeaseBook {
  readonly #leases = new Map<string, Lease>();
  #hand: IterableIterator<Lease>;
  /** Leases that hold tokens, in no order. */
  readonly #holding: Lease[] = [];
  #next = 0;

  /** @param maxBuckets buckets beyond it are not leased. @param maxKeyChars nor are those with a longer key. */
  constructor(
    private readonly terms: LeaseTerms,
    private readonly maxBuckets: number,
    private readonly maxKeyChars: number,
  ) {
    this.#hand = this.#leases.values();
  }

  /** Buckets kept. */
  get size(): number {
    return this.#leases.size;
  }

  /** Leases that hold tokens. */
  get holding(): readonly Lease[] {
    return this.#holding;
  }

  /** The lease of a call's bucket, which may be of other parameters by now; noted with the call. */
  get(call: BucketCall): Lease | undefined {
    const noted = call.lease;
    if (noted instanceof Lease && noted.owner === this && !noted.ended) return noted;
    const lease = this.#leases.get(call.key);
    if (lease !== noted) call.lease = lease;
    return lease;
  }

  /** Whether a lease is still the one of its key. */
  has(lease: Lease): boolean {
    return lease.owner === this && !lease.ended;
  }

  /** Opens a lease in place of any other of the key; undefined when there is no room. */
  open(call: BucketCall, nowMs: number): Lease | undefined {
    if (call.key.length > this.maxKeyChars) return undefined;
    const before = this.#leases.get(call.key);
    if (before !== undefined) before.ended = true;
    else {
      this.#sweep(nowMs);
      if (this.#leases.size >= this.maxBuckets) return undefined;
    }
    const lease = new Lease(call.key, call.group, call.params, this.terms, nowMs, this);
    this.#leases.set(call.key, lease);
    call.lease = lease;
    return lease;
  }

  /** Takes note of whether a lease holds tokens. */
  note(lease: Lease): void {
    const holds = lease.tokens + lease.reserved > 0;
    if (holds && lease.place === -1) {
      lease.place = this.#holding.length;
      this.#holding.push(lease);
    } else if (!holds && lease.place !== -1) {
      const last = this.#holding.pop();
      if (last !== undefined && last !== lease) {
        this.#holding[lease.place] = last;
        last.place = lease.place;
      }
      lease.place = -1;
    }
  }

  /** The next few of those that hold tokens, each in its turn. */
  nextHolding(count: number, visit: (lease: Lease) => void): void {
    for (let i = Math.min(count, this.#holding.length); i > 0; i -= 1) {
      this.#next = this.#next + 1 < this.#holding.length ? this.#next + 1 : 0;
      const lease = this.#holding[this.#next];
      if (lease !== undefined) visit(lease);
    }
  }

  #sweep(nowMs: number): void {
    for (let i = 0; i < SWEPT_PER_INSERT; i += 1) {
      const next = this.#hand.next();
      if (next.done === true) {
        this.#hand = this.#leases.values();
        return;
      }
      const lease = next.value;
      if (lease.place === -1 && !lease.asking && nowMs - lease.usedMs >= COLD_MS) {
        lease.ended = true;
        this.#leases.delete(lease.key);
      }
    }
  }
}
