/**
 * Sends the parts of requests: collects those of one turn of the event loop, joins them into runs of the script (one
 * per slot in a cluster, else one for all), and writes all runs for a node in one go.
 *
 * A part is sent again only after a reply that says that the script did not run: MOVED, ASK, TRYAGAIN, NOSCRIPT.
 */
import { TidegateError } from '../../core/errors';
import { type Failure, readFailure, toStoreError } from './driver-error';
import type { NodeGuard } from './node-guard';
import type { RedisNode, SendMode } from './redis-node';
import type { RedisRouter } from './router';
import type { ScriptPart } from './script-part';
import { ScriptRun } from './script-run';

/** Redirections and TRYAGAIN together are followed this often for one part. */
const MAX_ATTEMPTS = 8;
/** A slot whose keys are on two nodes is asked again after this, then after twice that, and so on. */
const TRY_AGAIN_MS = 2;

const PLAIN: SendMode = { asking: false, load: false };

/** The dispatcher's bounds and the breaker it asks. */
export interface DispatcherOptions {
  readonly maxCallsInFlight: number;
  readonly maxCallsPerScript: number;
  readonly guard: NodeGuard;
}

/** Collects and sends parts. */
export class Dispatcher {
  #queue: ScriptPart[] = [];
  #queuedCalls = 0;
  #scheduled = false;
  #callsUnderWay = 0;

  constructor(
    private readonly router: RedisRouter,
    private readonly options: DispatcherOptions,
  ) {}

  /** Calls accepted and not settled yet. */
  get callsUnderWay(): number {
    return this.#callsUnderWay + this.#queuedCalls;
  }

  /** Takes a part on; it is settled later, never within this call unless the queue is full. */
  enqueue(part: ScriptPart): void {
    if (part.bounded && this.#queuedCalls + part.callCount > this.options.maxCallsInFlight) {
      part.failed(overloaded('the queue'));
      return;
    }
    this.#queue.push(part);
    this.#queuedCalls += part.callCount;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    const parts = this.#queue;
    this.#queue = [];
    this.#queuedCalls = 0;
    this.#scheduled = false;
    const runs = new Map<RedisNode, RunSet>();
    for (const part of parts) {
      if (!part.wanted()) continue;
      const node = this.#admit(part);
      if (node === undefined) continue;
      let set = runs.get(node);
      if (set === undefined) {
        set = new RunSet(this.router.slotted, this.options.maxCallsPerScript);
        runs.set(node, set);
      }
      set.add(part);
    }
    for (const [node, set] of runs) this.#send(node, set.runs, PLAIN);
  }

  /** The node for a part, or undefined after the part has been settled or parked. */
  #admit(part: ScriptPart): RedisNode | undefined {
    const node = this.router.nodeFor(part);
    if (node === undefined) {
      this.router.suspect();
      part.failed(new TidegateError('TG_STORE_UNAVAILABLE', `no node serves slot ${part.slot}`));
      return undefined;
    }
    if (part.bounded && !node.hasRoomFor(part.callCount)) {
      part.failed(overloaded(`Redis at ${node.name}`));
      return undefined;
    }
    // A node without a connection is refused at once in any case; the breaker is for those that do not answer.
    if (!node.ready) {
      if (!node.park(part, (parked) => parked.forEach((each) => this.enqueue(each)))) {
        part.failed(node.unavailable());
      }
      return undefined;
    }
    if (part.bounded && !this.options.guard.admit(node.name)) {
      part.failed(
        new TidegateError(
          'TG_STORE_BREAKER_OPEN',
          `Redis at ${node.name} failed too often and is left alone`,
        ),
      );
      return undefined;
    }
    return node;
  }

  #send(node: RedisNode, runs: readonly ScriptRun[], mode: SendMode): void {
    const sentMs = performance.now();
    for (const run of runs) {
      this.#callsUnderWay += run.callCount;
      for (const part of run.parts) {
        part.attempts += 1;
        part.sent(node.name);
      }
    }
    let withoutScript: ScriptRun[] = [];
    node.send(runs, mode, (run, error, reply) => {
      this.#callsUnderWay -= run.callCount;
      const inTime = run.parts.some((part) => !part.blamed);
      if (error === undefined) {
        if (inTime) this.options.guard.succeeded(node.name, performance.now() - sentMs);
        run.answered(reply, node.name);
        return;
      }
      const failure = readFailure(error);
      const storeError = toStoreError(error, node.name);
      if (isAnswer(failure, storeError)) {
        if (inTime) this.options.guard.succeeded(node.name, performance.now() - sentMs);
      } else this.options.guard.failed(node.name, storeError);
      if (failure.kind === 'no-script' && !mode.load) {
        // Replies of one batch come together: reload once for all of them.
        if (withoutScript.length === 0) {
          setImmediate(() => {
            const again = withoutScript;
            withoutScript = [];
            this.#send(node, again, { ...mode, load: true });
          });
        }
        withoutScript.push(run);
        return;
      }
      this.#failed(node, run, failure, storeError);
    });
  }

  #failed(node: RedisNode, run: ScriptRun, failure: Failure, storeError: TidegateError): void {
    const wanted = run.parts.filter((part) => part.wanted() && part.attempts < MAX_ATTEMPTS);
    const redirected = wanted.length > 0 && wanted.length === run.parts.length;
    switch (failure.kind) {
      case 'moved':
      case 'ask': {
        const target = redirected ? this.router.nodeAt(failure.address, node) : undefined;
        if (target === undefined) break;
        if (failure.kind === 'moved') this.router.moved(failure.slot, target);
        if (failure.kind === 'ask' && target.ready) this.#send(target, [run], { asking: true, load: false });
        else this.#enqueueAgain(run, target.ready ? 0 : TRY_AGAIN_MS);
        return;
      }
      case 'try-again':
        if (!redirected) break;
        this.#tryAgain(run);
        return;
      case 'cluster-down':
        this.router.suspect();
        break;
      default:
        break;
    }
    run.failed(storeError);
  }

  #enqueueAgain(run: ScriptRun, delayMs: number): void {
    const enqueue = (): void => run.parts.forEach((part) => this.enqueue(part));
    if (delayMs === 0) enqueue();
    else setTimeout(enqueue, delayMs);
  }

  /** Some keys of a run are on two nodes: parts that share no key with others need not wait for that to end. */
  #tryAgain(run: ScriptRun): void {
    if (run.parts.length > 1) {
      for (const part of run.parts) this.#enqueueAlone(part);
      return;
    }
    for (const part of run.parts) {
      setTimeout(() => this.#enqueueAlone(part), TRY_AGAIN_MS * 2 ** (part.attempts - 1));
    }
  }

  /** Sends a part in a run of its own. */
  #enqueueAlone(part: ScriptPart): void {
    if (!part.wanted()) return;
    const node = this.#admit(part);
    if (node === undefined) return;
    const run = new ScriptRun(this.options.maxCallsPerScript);
    run.add(part);
    this.#send(node, [run], PLAIN);
  }
}

/** Runs for one node: one per slot where slots matter, and another whenever one is full. */
class RunSet {
  readonly runs: ScriptRun[] = [];
  readonly #open = new Map<number, ScriptRun>();

  constructor(
    private readonly slotted: boolean,
    private readonly maxCalls: number,
  ) {}

  add(part: ScriptPart): void {
    const slot = this.slotted ? part.slot : 0;
    if (this.#open.get(slot)?.add(part) === true) return;
    const run = new ScriptRun(this.maxCalls);
    run.add(part);
    this.#open.set(slot, run);
    this.runs.push(run);
  }
}

/** Whether an error came from a node that works: a redirection, a missing script, or a complaint about the call. */
function isAnswer(failure: Failure, storeError: TidegateError): boolean {
  if (failure.kind === 'failed')
    return storeError.code === 'TG_STORE_REPLY' || storeError.code === 'TG_STORE_NOT_REPLICATED';
  return failure.kind !== 'cluster-down';
}

function overloaded(what: string): TidegateError {
  return new TidegateError('TG_STORE_UNAVAILABLE', `too many calls wait for ${what}`, {
    remedy: 'raise the bound of calls in flight, or give Redis more room',
  });
}
