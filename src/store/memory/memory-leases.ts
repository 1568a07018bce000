/** The ledgers of a memory store's leases: bounded, and forgotten once all their records have expired. */
import { type LeaseLedger, newLedger } from '../../bucket/lease-ledger';
import type { BucketParams } from '../../core/buckets';

const SWEPT_PER_INSERT = 4;

/** Ledgers by bucket. */
export class MemoryLeases {
  readonly #ledgers = new Map<string, LeaseLedger>();
  #hand: IterableIterator<[string, LeaseLedger]>;

  /** @param maxLedgers buckets beyond it give no leases. */
  constructor(private readonly maxLedgers: number) {
    this.#hand = this.#ledgers.entries();
  }

  /** The ledger of a bucket; undefined when there is no room for another. */
  of(key: string, params: BucketParams, nowUs: number): LeaseLedger | undefined {
    const window = params.algorithm === 'token_bucket' ? 0 : params.windowUs;
    const identity = `${params.algorithm}:${window}:${key}`;
    const known = this.#ledgers.get(identity);
    if (known !== undefined) return known;
    this.#sweep(nowUs);
    if (this.#ledgers.size >= this.maxLedgers) return undefined;
    const ledger = newLedger();
    this.#ledgers.set(identity, ledger);
    return ledger;
  }

  clear(): void {
    this.#ledgers.clear();
  }

  #sweep(nowUs: number): void {
    for (let i = 0; i < SWEPT_PER_INSERT; i += 1) {
      const next = this.#hand.next();
      if (next.done === true) {
        this.#hand = this.#ledgers.entries();
        return;
      }
      const [identity, ledger] = next.value;
      if (ledger.records.every((record) => record.expiresUs <= nowUs)) this.#ledgers.delete(identity);
    }
  }
}
