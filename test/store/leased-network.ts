/**
 * Many sidecars that lease from one shared store over a simulated network that delays, reorders and loses messages.
 * Everything that bears on the contract is written down: what was admitted and when, and what the bucket could give.
 */
import { Later } from '../../src/core/later';
import type { BucketParams, BucketRequest, BucketResult, BucketStore } from '../../src/core/buckets';
import { MAX_UINT32 } from '../../src/core/rls';
import { type LeaseTerms, USABLE_PART } from '../../src/bucket/lease';
import { leaseAllowance } from '../../src/bucket/lease-ledger';
import { TidegateError } from '../../src/core/errors';
import type { LeaseAsk, LeaseDone, LeaseReply, LeaseSource } from '../../src/core/leases';
import { LeasedStore } from '../../src/store/leased/leased-store';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { call, request } from './contract-form';
import { EventQueue } from './event-queue';

/** A UTC minute, us. */
const START_US = 1_700_006_400_000_000;

/** How messages travel. */
export interface Network {
  /** Each way takes up to this, us. */
  readonly delayUs: number;
  /** The part of messages that never come, each way, 0 to 1. */
  readonly loss: number;
  /** The part of messages about leases that come a second time, within the life of a lease; 0 to 1. */
  readonly doubled: number;
  /** A caller gives up after this, us; what it sent may still come to something. */
  readonly patienceUs: number;
}

/** Something that bears on a bound. */
interface Entry {
  readonly atUs: number;
  readonly order: number;
  readonly admitted: number;
  /** Tokens given back to the bucket, and by how much its capacity grew. */
  readonly refunded: number;
  readonly grown: number;
  /** Tokens that leases had just before this. */
  readonly outstandingBefore: number;
  /** Capacity, ut/s, and tokens that leases have, after this. */
  readonly capacity: number;
  readonly rateUtPerS: number;
  readonly outstanding: number;
}

/** One sidecar: a store of its own on a clock of its own. */
export interface Sidecar {
  readonly store: LeasedStore;
  /** By how much its clock is too fast. */
  readonly skew: number;
  /** Parameters that its limits have now. */
  params: BucketParams;
  alive: boolean;
  /** Stopped in good order: what it holds goes back. */
  stopping: boolean;
  asked: number;
  admitted: number;
  /** Tokens on the way to it. */
  incoming: number;
}

/** The shared store, the sidecars and the record of what happened. */
export class LeasedNetwork {
  readonly events = new EventQueue();
  readonly shared: MemoryStore;
  readonly sidecars: Sidecar[] = [];
  readonly entries: Entry[] = [];
  /** Messages to the shared store: decisions' and leases'. */
  readonly messages = { decisions: 0, leases: 0 };
  /** What a shared store would run for them: messages of a sidecar that are sent at one time are one command. */
  commands = 0;
  decisions = 0;
  clockStepUs = 0;
  /** Tokens on the way back to the shared store. */
  returning = 0;
  private force: BucketParams;
  private holders = 0;

  constructor(
    params: BucketParams,
    private readonly terms: LeaseTerms,
    private readonly network: Network,
    private readonly random: () => number,
  ) {
    this.force = params;
    this.shared = new MemoryStore({
      clock: { nowUs: () => this.sharedUs(), monotonicMs: () => this.events.nowUs / 1_000 },
    });
    this.write({});
  }

  /** The shared store's wall clock, us. */
  sharedUs(): number {
    return START_US + this.events.nowUs + this.clockStepUs;
  }

  /** Starts a sidecar whose clock runs `skew` too fast. */
  start(skew: number, params = this.force): Sidecar {
    this.holders += 1;
    const offsetMs = this.random() * 1e6;
    const monotonicMs = (): number => offsetMs + (this.events.nowUs * (1 + skew)) / 1_000;
    const link = new Link(this, () => sidecar);
    const sidecar: Sidecar = {
      store: new LeasedStore({
        shared: link,
        source: link,
        terms: this.terms,
        clock: { monotonicMs },
        holder: this.holders,
        tickMs: 0,
      }),
      skew,
      params,
      alive: true,
      stopping: false,
      asked: 0,
      admitted: 0,
      incoming: 0,
    };
    this.sidecars.push(sidecar);
    const tickUs = (this.terms.idleMs / 4) * 1_000;
    const tick = (): void => {
      if (!sidecar.alive) return;
      sidecar.store.tick();
      this.events.in(tickUs, tick);
    };
    this.events.in(this.random() * tickUs, tick);
    return sidecar;
  }

  /** The process is gone, with what it held and what is on the way to it. */
  crash(sidecar: Sidecar): void {
    sidecar.alive = false;
    sidecar.incoming = 0;
    this.write({});
  }

  /** The process stops in good order. */
  stop(sidecar: Sidecar): void {
    void sidecar.store.close();
    sidecar.alive = false;
    sidecar.stopping = true;
    this.write({});
  }

  /** A sidecar is asked for hits; negative gives back. */
  ask(sidecar: Sidecar, hits: number): void {
    this.decisions += 1;
    sidecar.asked += Math.max(0, hits);
    const results = sidecar.store.decide(
      request([call('k', sidecar.params, hits, { leased: true })], { deadlineMs: 10_000 }),
    );
    if (results instanceof Later) {
      void results.then((settled) => this.count(sidecar, settled, hits));
      return;
    }
    this.count(sidecar, results, hits);
    if (hits > 0 && isAllowed(results[0])) this.write({ admitted: hits, local: hits });
  }

  /** What reaches the shared store: decides there, and writes down what that means. */
  decideShared(asked: BucketRequest): readonly BucketResult[] {
    this.messages.decisions += 1;
    const forgotten = this.isForgotten(asked.calls[0]?.params);
    const results = this.shared.decide(asked);
    const [only] = asked.calls;
    if (only === undefined) return results;
    const { hits } = only;
    const grown = this.useParams(only.params, forgotten);
    this.write({
      admitted: hits > 0 && isAllowed(results[0]) ? hits : 0,
      refunded: Math.max(0, -hits),
      grown,
    });
    return results;
  }

  /** What reaches the shared store about a lease. */
  leaseShared(ask: LeaseAsk, sidecar: Sidecar, tripUs: number): LeaseReply | TidegateError {
    this.messages.leases += 1;
    const forgotten = this.isForgotten(ask.params);
    const answers: (LeaseReply | TidegateError)[] = [];
    this.shared.lease(ask, (answer) => answers.push(answer));
    const [reply] = answers;
    if (reply === undefined) throw new Error('the memory store answers at once');
    const grown = this.useParams(ask.params, forgotten);
    if (!(reply instanceof TidegateError) && reply.granted > 0) {
      const capacity = capacityOf(this.force);
      expect(reply.outstanding).toBeLessThanOrEqual(leaseAllowance(this.terms.epsilon, capacity));
      expect(reply.outstanding).toBeGreaterThanOrEqual(reply.granted);
    }
    if (grown > 0) this.write({ grown });
    if (!(reply instanceof TidegateError)) {
      // Tokens that reach nobody, or reach somebody too late, are lost, which the bound must bear without counting them.
      const lifeUs = this.lifeUs(reply) * USABLE_PART;
      if ((sidecar.alive || sidecar.stopping) && tripUs * (1 + sidecar.skew) < lifeUs)
        sidecar.incoming += reply.granted;
      // The store never loses its state here, so no answer that arrives in time may say so.
      if (tripUs < (this.terms.ttlMs * 1_000) / 4) expect(reply.missing).toBe(0);
      expect(this.outstanding() - this.returning).toBeLessThanOrEqual(reply.outstanding);
    }
    return reply;
  }

  private lifeUs(reply: LeaseReply): number {
    const ttlUs = this.terms.ttlMs * 1_000;
    return this.force.algorithm === 'fixed_window' ? Math.min(ttlUs, reply.resetUs) : ttlUs;
  }

  /** Tokens that somebody may still spend: held, or on the way to a sidecar that lives. */
  outstanding(): number {
    let sum = this.returning;
    for (const each of this.sidecars)
      if (each.alive || each.stopping) sum += each.store.stats().outstanding + each.incoming;
    return sum;
  }

  /** A time on the way. */
  delay(): number {
    return this.random() * this.network.delayUs;
  }

  isLost(): boolean {
    return this.random() < this.network.loss;
  }

  /** When a message comes once more, us from now; undefined when it does not. */
  doubleUs(): number | undefined {
    return this.random() < this.network.doubled ? this.random() * this.terms.ttlMs * 800 : undefined;
  }

  get patienceUs(): number {
    return this.network.patienceUs * (0.5 + this.random());
  }

  /** Writes an entry down, with the state as it is after it. */
  write(what: { admitted?: number; local?: number; refunded?: number; grown?: number }): void {
    const { force } = this;
    const outstanding = this.outstanding();
    this.entries.push({
      atUs: this.events.nowUs,
      order: this.entries.length,
      admitted: what.admitted ?? 0,
      refunded: what.refunded ?? 0,
      grown: what.grown ?? 0,
      outstandingBefore: outstanding + (what.local ?? 0),
      capacity: capacityOf(force),
      rateUtPerS: force.rateUtPerS,
      outstanding,
    });
  }

  private count(sidecar: Sidecar, results: readonly BucketResult[], hits: number): void {
    if (hits > 0 && isAllowed(results[0])) sidecar.admitted += hits;
  }

  /** Whether the store forgot the bucket, as it may when nothing of it is used: then any version holds again. */
  private isForgotten(params: BucketParams | undefined): boolean {
    if (params === undefined) return false;
    const probe = { ...params, capacity: MAX_UINT32, limit: MAX_UINT32, version: 0 };
    const [result] = this.shared.decide(request([call('k', probe, 0)]));
    return result !== undefined && !(result instanceof TidegateError) && result.remaining === MAX_UINT32;
  }

  /** @returns by how much the capacity grew. */
  private useParams(offered: BucketParams, forgotten: boolean): number {
    const before = capacityOf(this.force);
    if (!forgotten && offered.version < this.force.version) return 0;
    this.force = offered;
    return Math.max(0, capacityOf(offered) - before);
  }
}

/** A sidecar's connection to the shared store. */
class Link implements BucketStore, LeaseSource {
  private sentUs = -1;
  constructor(
    private readonly network: LeasedNetwork,
    private readonly sidecar: () => Sidecar,
  ) {}

  decide(asked: BucketRequest): Later<readonly BucketResult[]> {
    const later = new Later<readonly BucketResult[]>();
    this.exchange(
      () => this.network.decideShared(asked),
      (results) => later.resolve(results ?? asked.calls.map(() => timeout())),
    );
    return later;
  }

  lease(ask: LeaseAsk, done: LeaseDone): void {
    const sidecar = this.sidecar();
    let granted = 0;
    this.network.returning += ask.back;
    const doubleUs = this.network.doubleUs();
    if (doubleUs !== undefined) {
      this.network.events.in(doubleUs, () => this.network.leaseShared(ask, sidecar, Infinity));
    }
    this.exchange(
      (tripUs) => {
        this.network.returning -= ask.back;
        const before = sidecar.incoming;
        const reply = this.network.leaseShared(ask, sidecar, tripUs);
        granted = sidecar.incoming - before;
        return reply;
      },
      (reply) => {
        sidecar.incoming = Math.max(0, sidecar.incoming - granted);
        done(reply ?? timeout());
      },
    );
  }

  ready(): boolean {
    return true;
  }

  async close(): Promise<void> {}

  /** There, told how long all of it takes (Infinity when it comes to nothing), and back; `end` gets undefined when the caller gave up before the answer came. */
  private exchange<T>(there: (tripUs: number) => T, end: (answer: T | undefined) => void): void {
    const { network } = this;
    const { events } = network;
    if (this.sentUs !== events.nowUs) network.commands += 1;
    this.sentUs = events.nowUs;
    const [outUs, backUs, patienceUs] = [network.delay(), network.delay(), network.patienceUs];
    const [lostThere, lostBack] = [network.isLost(), network.isLost()];
    const inTime = outUs + backUs < patienceUs && !lostThere && !lostBack;
    if (!lostThere) {
      events.in(outUs, () => {
        const answer = there(inTime ? outUs + backUs : Infinity);
        if (!inTime) return;
        events.in(backUs, () => this.deliver(end, answer));
      });
    }
    if (inTime) return;
    events.in(patienceUs, () => this.deliver(end, undefined));
  }

  /** A process that is gone learns nothing any more, and does nothing. */
  private deliver<T>(end: (answer: T | undefined) => void, answer: T | undefined): void {
    const { alive, stopping } = this.sidecar();
    if (!alive && !stopping) return;
    this.network.events.settles();
    end(answer);
  }
}

function timeout(): TidegateError {
  return new TidegateError('TG_STORE_TIMEOUT', 'no answer');
}

function isAllowed(result: BucketResult | undefined): boolean {
  return result !== undefined && !(result instanceof TidegateError) && result.allowed;
}

/** Tokens that a bucket holds at most. */
export function capacityOf(params: BucketParams): number {
  return params.algorithm === 'token_bucket' ? params.capacity : params.limit;
}

/**
 * The worst interval of a record: by how much what was admitted in it exceeds the capacity at its start, what the
 * rate brought, what was gained, and the leases outstanding at its start. At most 0 where the contract is kept.
 */
export function worstExcess(entries: readonly Entry[]): number {
  let spare = Infinity;
  let balance = 0;
  let excess = -Infinity;
  let before = entries[0];
  for (const entry of entries) {
    if (before !== undefined) balance -= ((entry.atUs - before.atUs) * before.rateUtPerS) / 1e12;
    spare = Math.min(spare, balance + (before?.capacity ?? 0) + entry.outstandingBefore);
    balance += entry.admitted - entry.refunded - entry.grown;
    excess = Math.max(excess, balance - spare);
    spare = Math.min(spare, balance + entry.capacity + entry.outstanding);
    before = entry;
  }
  return excess;
}

/** What was admitted, less what was given back, in each window of the shared store's clock, and the largest limit that held in it. */
export function byWindow(
  entries: readonly Entry[],
  windowUs: number,
): Map<number, { admitted: number; limit: number }> {
  const windows = new Map<number, { admitted: number; limit: number }>();
  let limit = entries[0]?.capacity ?? 0;
  for (const entry of entries) {
    const window = Math.floor((START_US + entry.atUs) / windowUs);
    const known = windows.get(window) ?? { admitted: 0, limit };
    known.admitted += entry.admitted - entry.refunded;
    known.limit = Math.max(known.limit, entry.capacity);
    windows.set(window, known);
    limit = entry.capacity;
  }
  return windows;
}
