/** Buckets of the memory store, which the serving thread has, as the control thread operates on them. */
import type {
  BucketLevel,
  BucketOperator,
  BucketRef,
  TokenTransfer,
  TransferResult,
} from '../../core/pool-link';
import { TidegateError } from '../../core/errors';

/** What is asked of the serving thread. */
export type BucketAsk = { readonly levels: readonly BucketRef[] } | { readonly transfer: TokenTransfer };

/** What it answers: one for each level asked for, or one transfer's outcome; null stands for an error. */
export type BucketAnswer =
  { readonly levels: readonly (BucketLevel | null)[] } | { readonly transfer: TransferResult | null };

const MAX_WAITING = 10_000;

/** See the file's head. */
export class ServingOperator implements BucketOperator {
  private readonly waiting = new Map<number, (answer: BucketAnswer | undefined) => void>();
  private lastId = 0;

  constructor(private readonly post: (id: number, ask: BucketAsk) => void) {}

  async levels(buckets: readonly BucketRef[]): Promise<readonly (BucketLevel | TidegateError)[]> {
    const answer = await this.ask({ levels: buckets });
    const levels = answer !== undefined && 'levels' in answer ? answer.levels : [];
    return buckets.map((_, at) => levels[at] ?? refused());
  }

  async transfer(transfer: TokenTransfer): Promise<TransferResult | TidegateError> {
    const answer = await this.ask({ transfer });
    return (answer !== undefined && 'transfer' in answer ? answer.transfer : undefined) ?? refused();
  }

  /** The serving thread answered. */
  answered(id: number, answer: BucketAnswer): void {
    this.waiting.get(id)?.(answer);
    this.waiting.delete(id);
  }

  private ask(ask: BucketAsk): Promise<BucketAnswer | undefined> {
    if (this.waiting.size >= MAX_WAITING) return Promise.resolve(undefined);
    this.lastId += 1;
    const id = this.lastId;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.post(id, ask);
    });
  }
}

/** Does what is asked, in the serving thread. */
export async function answerBuckets(operator: BucketOperator, ask: BucketAsk): Promise<BucketAnswer> {
  if ('levels' in ask) {
    const levels = await operator.levels(ask.levels);
    return { levels: levels.map((level) => (level instanceof TidegateError ? null : level)) };
  }
  const outcome = await operator.transfer(ask.transfer);
  return { transfer: outcome instanceof TidegateError ? null : outcome };
}

function refused(): TidegateError {
  return new TidegateError('TG_STORE_UNAVAILABLE', 'the bucket cannot be operated on');
}
