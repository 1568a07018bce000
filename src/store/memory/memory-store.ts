/**
 * Buckets in the process's own memory: every decision is taken at once, in one go, so requests never overlap. Bounded:
 * see {@link MemoryStoreOptions} and the reclaimer for what happens at the bounds. Lost when the process ends.
 */
import { settleLease } from '../../bucket/lease-ledger';
import { callFault, judgingOf, settleResults } from '../../bucket/settlement';
import { RING_LENGTH } from '../../bucket/sliding-window';
import { moveTokens } from '../../bucket/transfer';
import type { BucketCall, BucketRequest, BucketResult, BucketStore } from '../../core/buckets';
import type { Clock } from '../../core/clock';
import { TidegateError } from '../../core/errors';
import type { LeaseAsk, LeaseDone, LeaseReply, LeaseSource } from '../../core/leases';
import type { BucketLevel, BucketRef, TokenTransfer, TransferResult } from '../../core/pool-link';
import { BucketTable } from './bucket-table';
import { MemoryLeases } from './memory-leases';
import { Reclaimer } from './reclaimer';
import { Register } from './register';

const SWEPT_PER_REQUEST = 2;
const MAX_SPARE_REGISTERS = 64;
/** From this many calls on, the same bucket twice is looked for in a map instead of by going through all. */
const MAP_FROM_CALLS = 16;

/** The bounds of a {@link MemoryStore}. */
export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** Token buckets and fixed windows together; 1,048,576 when absent. */
  readonly maxBuckets?: number;
  /** Sliding windows, which take about 270 bytes more each; 131,072 when absent. */
  readonly maxSlidingBuckets?: number;
  /** The length of all keys of each of the two kinds, UTF-16 units; 134,217,728 when absent. */
  readonly maxKeyChars?: number;
  /** Buckets that leases are taken from at a time; 65,536 when absent. */
  readonly maxLeasedBuckets?: number;
}

/** What a {@link MemoryStore} holds and has let go. */
export interface MemoryStoreStats {
  readonly buckets: number;
  /** Idle buckets forgotten, which loses nothing. */
  readonly forgotten: number;
  /** Buckets evicted while in use because the store was full: their keys started anew. */
  readonly evictedEarly: number;
}

/** A table and who keeps it in bounds. */
interface Shelf {
  readonly table: BucketTable;
  readonly reclaimer: Reclaimer;
}

/** A call and the register of its bucket, or why it cannot be asked. */
interface PreparedCall {
  readonly call: BucketCall;
  readonly bucket: Register | TidegateError;
}

/** What a register is taken by. */
type Taking = Pick<BucketCall, 'key' | 'params' | 'slot'>;

/** The calls of a request and the registers they use, each once. */
interface Taken {
  readonly prepared: readonly PreparedCall[];
  readonly distinct: readonly Register[];
}

/** The store in memory. */
export class MemoryStore implements BucketStore, LeaseSource {
  private readonly clock: Clock;
  private readonly maxKeyChars: number;
  private readonly plain: Shelf;
  private readonly sliding: Shelf;
  private readonly spare: Register[] = [];
  private readonly leases: MemoryLeases;
  private closed = false;

  constructor(options: MemoryStoreOptions) {
    this.clock = options.clock;
    this.maxKeyChars = options.maxKeyChars ?? 2 ** 27;
    this.plain = this.shelf(options.maxBuckets ?? 2 ** 20, 0);
    this.sliding = this.shelf(options.maxSlidingBuckets ?? 2 ** 17, RING_LENGTH);
    this.leases = new MemoryLeases(options.maxLeasedBuckets ?? 2 ** 16);
  }

  /** Decides at once. A call that cannot be asked (hits that are no whole number, a key over the bound) yields an error. */
  decide(request: BucketRequest): readonly BucketResult[] {
    const { calls } = request;
    if (this.closed)
      return calls.map(() => new TidegateError('TG_STORE_UNAVAILABLE', 'the memory store is closed'));
    const nowUs = this.clock.nowUs();
    this.plain.reclaimer.sweep(SWEPT_PER_REQUEST, nowUs);
    this.sliding.reclaimer.sweep(SWEPT_PER_REQUEST, nowUs);
    const [only] = calls;
    return calls.length === 1 && only !== undefined
      ? [this.decideAlone(request, only, nowUs)]
      : this.decideTogether(request, nowUs);
  }

  /** Settles at once. */
  lease(ask: LeaseAsk, done: LeaseDone): void {
    if (this.closed) done(new TidegateError('TG_STORE_UNAVAILABLE', 'the memory store is closed'));
    else done(this.settleLease(ask, this.clock.nowUs()));
  }

  /** How a token bucket is; looking changes nothing. */
  level({ key, params }: BucketRef): BucketLevel | TidegateError {
    const fault = this.accountFaultOf(key);
    if (fault !== undefined) return fault;
    const nowUs = this.clock.nowUs();
    const register = this.take({ key, params }, nowUs);
    const { remaining } = register.evaluate(params, 0, nowUs, 'never');
    const capacity = register.capacity();
    this.release(register);
    return { tokens: remaining, capacity };
  }

  /** Moves tokens between two token buckets, of different keys, at once. */
  move({ from, to, tokens, keep }: Omit<TokenTransfer, 'id'>): TransferResult | TidegateError {
    const fault = this.accountFaultOf(from.key) ?? this.accountFaultOf(to.key);
    if (fault !== undefined) return fault;
    const nowUs = this.clock.nowUs();
    const registers = [this.take(from, nowUs), this.take(to, nowUs)] as const;
    const [lender, borrower] = registers;
    const result = moveTokens(
      (hits) => lender.evaluate(from.params, hits, nowUs, 'allowed'),
      (hits) => borrower.evaluate(to.params, hits, nowUs, 'allowed'),
      tokens,
      keep,
    );
    this.putBack(registers, nowUs);
    return result;
  }

  ready(): boolean {
    return !this.closed;
  }

  /** Forgets everything; later requests get TG_STORE_UNAVAILABLE. */
  async close(): Promise<void> {
    this.closed = true;
    this.leases.clear();
    for (const { table } of [this.plain, this.sliding]) {
      for (let slot = 0; slot < table.slots; slot += 1) table.remove(slot);
    }
  }

  stats(): MemoryStoreStats {
    const { plain, sliding } = this;
    return {
      buckets: plain.table.count + sliding.table.count,
      forgotten: plain.reclaimer.forgotten + sliding.reclaimer.forgotten,
      evictedEarly: plain.reclaimer.evictedEarly + sliding.reclaimer.evictedEarly,
    };
  }

  /** One call needs no settlement: it is charged when it is allowed, and otherwise as `chargeDenied` says. */
  private decideAlone(request: BucketRequest, call: BucketCall, nowUs: number): BucketResult {
    const fault = callFault(call);
    if (fault !== undefined) return fault;
    const register = this.take(call, nowUs);
    // A key that the table has is within the bound: it need not come from memory for that.
    const tooLong = register.slot === -1 ? this.keyFault(call.key) : undefined;
    if (tooLong !== undefined) {
      this.release(register);
      return tooLong;
    }
    const outcome = register.evaluate(call.params, call.hits, nowUs, judgingOf(request.chargeDenied));
    this.putBackOne(register, nowUs);
    return outcome;
  }

  private settleLease(ask: LeaseAsk, nowUs: number): LeaseReply | TidegateError {
    const { key, params } = ask;
    const ledger = this.leases.of(key, params, nowUs);
    if (ledger === undefined || key.length > this.maxKeyChars || params.algorithm === 'sliding_window') {
      return new TidegateError('TG_STORE_UNAVAILABLE', 'no lease can be taken on this bucket');
    }
    const register = this.take(ask, nowUs);
    const bucket = {
      evaluate: (hits: number) => register.evaluate(params, hits, nowUs, 'allowed'),
      window: () => register.windowAt(nowUs),
      capacity: () => register.capacity(),
    };
    const reply = settleLease(ledger, bucket, ask, nowUs);
    this.putBackOne(register, nowUs);
    return reply;
  }

  /** Judges all calls on registers, settles, and, where that charges others than were judged, does it over as settled. */
  private decideTogether(request: BucketRequest, nowUs: number): BucketResult[] {
    const { calls } = request;
    const judging = judgingOf(request.chargeDenied);
    const { prepared, distinct } = this.takeAll(calls, nowUs);
    const results = prepared.map(({ call, bucket }): BucketResult => {
      if (bucket instanceof TidegateError) return bucket;
      return bucket.evaluate(call.params, call.hits, nowUs, judging);
    });
    const { charged } = settleResults(request, results);
    if (results.some((result, i) => isAllowed(result) && charged[i] === false)) {
      for (const register of distinct) this.reload(register, nowUs);
      prepared.forEach(({ call, bucket }, i) => {
        if (bucket instanceof TidegateError) return;
        const outcome = bucket.evaluate(
          call.params,
          call.hits,
          nowUs,
          charged[i] === true ? 'always' : 'never',
        );
        if (charged[i] === false && isAllowed(results[i])) results[i] = outcome;
      });
    }
    this.putBack(distinct, nowUs);
    return results;
  }

  /** A register a bucket: calls on the same bucket share it. The error for a call that cannot be asked. */
  private takeAll(calls: readonly BucketCall[], nowUs: number): Taken {
    const distinct: Register[] = [];
    const byKey = calls.length < MAP_FROM_CALLS ? undefined : new Map<string, Register[]>();
    const prepared = calls.map((call): PreparedCall => {
      const fault = this.faultOf(call);
      if (fault !== undefined) return { call, bucket: fault };
      const candidates = byKey === undefined ? distinct : (byKey.get(call.key) ?? []);
      let register = candidates.find((candidate) => candidate.holds(call.params, call.key));
      if (register === undefined) {
        register = this.take(call, nowUs);
        distinct.push(register);
        byKey?.set(call.key, [...candidates, register]);
      }
      return { call, bucket: register };
    });
    return { prepared, distinct };
  }

  private take(call: Taking, nowUs: number): Register {
    const register = this.spare.pop() ?? new Register();
    const { key, params } = call;
    const { table } = this.shelfOf(params.algorithm);
    const slot = table.find(params, key, call.slot);
    if (call.slot !== undefined && slot !== call.slot) call.slot = slot;
    register.load(table, slot, params, key, nowUs);
    register.keyIsFlat = call.slot !== undefined;
    return register;
  }

  private reload(register: Register, nowUs: number): void {
    const { table } = this.shelfOf(register.params.algorithm);
    register.load(table, register.slot, register.params, register.key, nowUs);
  }

  /** Stores what has a slot first: making room for a new bucket may evict any other, so no slot may be waited on then. */
  private putBack(registers: readonly Register[], nowUs: number): void {
    for (const register of registers) {
      if (register.slot !== -1) register.store(this.shelfOf(register.params.algorithm).table, register.slot);
    }
    for (const register of registers) {
      if (register.slot === -1 && !register.isUnused()) this.insert(register, nowUs);
      this.release(register);
    }
  }

  private putBackOne(register: Register, nowUs: number): void {
    if (register.slot !== -1) register.store(this.shelfOf(register.params.algorithm).table, register.slot);
    else if (!register.isUnused()) this.insert(register, nowUs);
    this.release(register);
  }

  private release(register: Register): void {
    register.key = '';
    if (this.spare.length < MAX_SPARE_REGISTERS) this.spare.push(register);
  }

  private insert(register: Register, nowUs: number): void {
    const { table, reclaimer } = this.shelfOf(register.params.algorithm);
    reclaimer.makeRoom(register.key.length, nowUs);
    register.store(table, table.insert(register.params, register.key, register.keyIsFlat));
  }

  private faultOf(call: BucketCall): TidegateError | undefined {
    return this.keyFault(call.key) ?? callFault(call);
  }

  private accountFaultOf(key: string): TidegateError | undefined {
    if (this.closed) return new TidegateError('TG_STORE_UNAVAILABLE', 'the memory store is closed');
    return this.keyFault(key);
  }

  private keyFault(key: string): TidegateError | undefined {
    if (key.length <= this.maxKeyChars) return undefined;
    return new TidegateError('TG_REQUEST_TOO_LARGE', `a bucket's key has ${key.length} characters`);
  }

  private shelfOf(algorithm: string): Shelf {
    return algorithm === 'sliding_window' ? this.sliding : this.plain;
  }

  private shelf(maxBuckets: number, ringLength: number): Shelf {
    const table = new BucketTable(maxBuckets, ringLength);
    return { table, reclaimer: new Reclaimer(table, this.maxKeyChars) };
  }
}

function isAllowed(result: BucketResult | undefined): boolean {
  return result !== undefined && !(result instanceof TidegateError) && result.allowed;
}
