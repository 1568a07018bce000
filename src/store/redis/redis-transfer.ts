/**
 * Moving tokens between two buckets in Redis: one script where they share a slot, else a debit, then a credit, then a refund
 * of what the borrower had no room for. Each step is atomic and keeps a record of itself, by the transfer's id, so that it
 * can be repeated. A process that ends between two steps leaves tokens taken and not given: lost, unless the same transfer
 * is asked for again. Nothing is refunded before the credit has answered, so nothing is ever there twice.
 *
 * A debit's record never outlives the credit's: if it did, a late repetition would credit a second time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { TidegateError } from '../../core/errors';
import type { BucketRef, TokenTransfer, TransferResult } from '../../core/pool-link';
import type { ReplicaWait } from './redis-node';
import type { LuaScript } from './scripts';
import type { SlotCommands } from './slot-commands';

/** Where buckets are, and how they are reached. */
export interface BucketPlaces {
  keyOf(bucket: BucketRef): string;
  slotOf(key: string): number;
  commandsOf(slot: number): SlotCommands;
  /** The script's first two arguments. */
  clockArgs(): readonly string[];
  /** What must confirm a debit before it is credited. */
  readonly wait: ReplicaWait | undefined;
}

type Step = 'both' | 'debit' | 'credit' | 'refund';

const DEBIT_KEPT_MS = 300_000;
const CREDIT_KEPT_MS = 2 * DEBIT_KEPT_MS;
const TRIES = 3;
const PAUSE_MS = 30;
const REFUSED = -1;

/** The offered parameters of a bucket as the script takes them. */
function accountArgs({ params }: BucketRef): string[] {
  return [params.capacity, params.rateUtPerS, params.version].map(String);
}

/** One transfer. */
export class RedisTransfer {
  private readonly from: string;
  private readonly to: string;

  constructor(
    private readonly places: BucketPlaces,
    private readonly script: LuaScript,
    private readonly transfer: TokenTransfer,
  ) {
    this.from = places.keyOf(transfer.from);
    this.to = places.keyOf(transfer.to);
  }

  /** Moves. Rejects with a TidegateError TG_STORE_*: then what was taken, if anything, may be lost. */
  async run(): Promise<TransferResult> {
    const { places, from, to } = this;
    const { id, tokens } = this.transfer;
    const lender = accountArgs(this.transfer.from);
    const borrower = accountArgs(this.transfer.to);
    // No bucket's key ends like these.
    const debited = `${from}:${id}:td`;
    const credited = `${to}:${id}:tc`;
    const slot = places.slotOf(from);
    if (places.slotOf(to) === slot) {
      const keys = [from, to, debited];
      const moved = await this.step('both', keys, DEBIT_KEPT_MS, tokens, [...lender, ...borrower]);
      if (moved === REFUSED) throw notABucket(`${from} or ${to}`);
      return { moved, lost: 0 };
    }
    const taken = await this.step('debit', [from, debited], DEBIT_KEPT_MS, tokens, lender);
    if (taken === REFUSED) throw notABucket(from);
    if (taken === 0) return { moved: 0, lost: 0 };
    if (places.wait !== undefined) await this.confirm(slot, places.wait);
    const given = await this.step('credit', [to, credited], CREDIT_KEPT_MS, taken, borrower);
    const over = taken - Math.max(0, given);
    const back = over > 0 ? await this.refund(over, debited, lender) : 0;
    if (given === REFUSED) throw notABucket(to);
    return { moved: given, lost: over - back };
  }

  private async refund(tokens: number, record: string, lender: readonly string[]): Promise<number> {
    try {
      return Math.max(0, await this.step('refund', [this.from, record], DEBIT_KEPT_MS, tokens, lender));
    } catch {
      return 0;
    }
  }

  /** One step, again where it is not known whether it was made. @returns its figure; REFUSED where it cannot be made. */
  private async step(
    step: Step,
    keys: readonly string[],
    keptMs: number,
    tokens: number,
    buckets: readonly string[],
  ): Promise<number> {
    const { places, script } = this;
    const commands = places.commandsOf(places.slotOf(keys[0] ?? ''));
    const figures = [String(keptMs), String(tokens), String(Math.ceil(this.transfer.keep))];
    for (let attempt = 1; ; attempt += 1) {
      try {
        const reply = await commands.run(script, keys, [...places.clockArgs(), step, ...figures, ...buckets]);
        if (Number.isSafeInteger(reply)) return Number(reply);
        throw new TidegateError('TG_STORE_REPLY', `a ${step} was answered with something else than a number`);
      } catch (thrown) {
        if (attempt === TRIES || !mayPass(thrown)) throw thrown;
        await delay(PAUSE_MS * attempt);
      }
    }
  }

  /** A debit that a failover forgets, though it is credited, would make tokens. */
  private async confirm(slot: number, { replicas, timeoutMs }: ReplicaWait): Promise<void> {
    const reply = await this.places.commandsOf(slot).send('wait', [String(replicas), String(timeoutMs)]);
    if (Number(reply) >= replicas) return;
    const what = `${String(reply)} of ${replicas} replicas confirmed a debit within ${timeoutMs} ms`;
    throw new TidegateError('TG_STORE_NOT_REPLICATED', what);
  }
}

function mayPass(thrown: unknown): boolean {
  const { code } = TidegateError.from(thrown);
  return code === 'TG_STORE_TIMEOUT' || code === 'TG_STORE_UNAVAILABLE';
}

function notABucket(key: string): TidegateError {
  return new TidegateError('TG_STORE_REPLY', `${key} holds something else than a token bucket`);
}
