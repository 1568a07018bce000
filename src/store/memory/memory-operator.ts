/** Operations beside decisions on the buckets of a memory store; a transfer is made in one go. */
import { accountFault, transferFault } from '../../bucket/transfer';
import type { TidegateError } from '../../core/errors';
import type {
  BucketLevel,
  BucketOperator,
  BucketRef,
  TokenTransfer,
  TransferResult,
} from '../../core/pool-link';
import type { MemoryStore } from './memory-store';

/** Transfers whose outcome is remembered; older ones are forgotten first. */
const MAX_REMEMBERED = 8_192;

/** See the file's head. */
export class MemoryOperator implements BucketOperator {
  private readonly done = new Map<string, TransferResult>();

  constructor(private readonly store: MemoryStore) {}

  async levels(buckets: readonly BucketRef[]): Promise<readonly (BucketLevel | TidegateError)[]> {
    return buckets.map((bucket) => accountFault(bucket.params) ?? this.store.level(bucket));
  }

  async transfer(transfer: TokenTransfer): Promise<TransferResult | TidegateError> {
    const fault = transferFault(transfer);
    if (fault !== undefined) return fault;
    const { id, from, to } = transfer;
    const identity = `${from.key.length}:${from.key}${to.key.length}:${to.key}${id}`;
    const known = this.done.get(identity);
    if (known !== undefined) return known;
    const result = this.store.move(transfer);
    if ('moved' in result) this.remember(identity, result);
    return result;
  }

  private remember(identity: string, result: TransferResult): void {
    this.done.set(identity, result);
    if (this.done.size <= MAX_REMEMBERED) return;
    for (const oldest of this.done.keys()) {
      this.done.delete(oldest);
      return;
    }
  }
}
