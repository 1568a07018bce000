/** Tokens that move from one token bucket to another: what may be asked, and how many move when both are at hand. */
import { TidegateError } from '../core/errors';
import type { BucketOutcome, BucketParams } from '../core/buckets';
import type { TokenTransfer, TransferResult } from '../core/pool-link';
import { MAX_UINT32 } from '../core/rls';

/** The longest id of a transfer, UTF-16 units. */
export const MAX_TRANSFER_ID_CHARS = 256;

/** Evaluates hits on a bucket: 0 looks, positive takes when there is enough, negative gives back. */
export type Evaluate = (hits: number) => Pick<BucketOutcome, 'remaining' | 'usedBefore'>;

/** Why a bucket cannot be operated on, if so. */
export function accountFault(params: BucketParams): TidegateError | undefined {
  if (params.algorithm === 'token_bucket') return undefined;
  return new TidegateError('TG_CONTROL_BAD_TRANSFER', `a ${params.algorithm} has no tokens to be moved`);
}

/** Why a transfer cannot be asked at all, if so. */
export function transferFault({ id, from, to, tokens, keep }: TokenTransfer): TidegateError | undefined {
  const fault = accountFault(from.params) ?? accountFault(to.params);
  if (fault !== undefined) return fault;
  if (id === '' || id.length > MAX_TRANSFER_ID_CHARS) {
    const what = `an id has 1 to ${MAX_TRANSFER_ID_CHARS} characters, not ${id.length}`;
    return new TidegateError('TG_CONTROL_BAD_TRANSFER', what);
  }
  if (from.key === to.key) return new TidegateError('TG_CONTROL_BAD_TRANSFER', 'from and to are one bucket');
  if (!isFigure(tokens) || !Number.isInteger(tokens))
    return figureFault('tokens must be a whole number', tokens);
  return isFigure(keep) ? undefined : figureFault('keep must be a number', keep);
}

function isFigure(value: number): boolean {
  return value >= 0 && value <= MAX_UINT32;
}

function figureFault(what: string, value: number): TidegateError {
  return new TidegateError('TG_CONTROL_BAD_TRANSFER', `${what} from 0 to ${MAX_UINT32}, not ${value}`);
}

/** Moves what `from` can spare and `to` has room for, at once: none is lost, none made. */
export function moveTokens(from: Evaluate, to: Evaluate, tokens: number, keep: number): TransferResult {
  const spare = from(0).remaining - Math.ceil(keep);
  const room = Math.floor(to(0).usedBefore);
  const moved = Math.max(0, Math.min(tokens, spare, room));
  if (moved > 0) {
    from(moved);
    to(-moved);
  }
  return { moved, lost: 0 };
}
