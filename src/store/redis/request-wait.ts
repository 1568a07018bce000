/** What requests that wait for Redis have in common: the services that they need, and how a node that owes a reply is blamed. */
import type { BucketParams, BucketResult } from '../../core/buckets';
import { TidegateError } from '../../core/errors';
import type { Expiring } from './deadline-timer';
import type { Take } from './script-reply';
import type { StoragePlace } from './storage-place';

/** What requests stand on. */
export interface RequestServices {
  /** A caller may wait for less than this; only a node that took longer is late, ms. */
  readonly patienceMs: number;
  /** Takes a call back, exactly once for each take given. */
  undo(place: StoragePlace, params: BucketParams, take: Take): void;
  /** Told which node let a part wait for too long. */
  late(node: string, error: TidegateError): void;
  /** Expires an entry in `delayMs`, unless it is over by then. */
  recheck(entry: Expiring, delayMs: number): void;
  /** A request that began at `sinceMs` is over, with that result or those: lets go of its deadline, and takes note. */
  finished(entry: Expiring, sinceMs: number, results: readonly BucketResult[]): void;
}

/** A part that a node may owe a reply to. */
export interface OwedPart {
  /** The node that owes the reply; undefined when it is not sent or has ended. */
  readonly waitingFor: string | undefined;
  blamed: boolean;
}

/** The caller's time is over: tells who is to blame now, or once the node's time is over too. @returns the caller's error. */
export function expireParts(
  parts: readonly OwedPart[],
  deadlineMs: number,
  services: RequestServices,
): TidegateError {
  const error = timeout(deadlineMs);
  const moreMs = services.patienceMs - deadlineMs;
  if (moreMs > 0) services.recheck(new Overdue(parts, services), moreMs);
  else blame(parts, services, error);
  return error;
}

/** Parts whose caller left before their node could be called late. */
class Overdue implements Expiring {
  constructor(
    private readonly parts: readonly OwedPart[],
    private readonly services: RequestServices,
  ) {}

  get over(): boolean {
    return this.parts.every((part) => part.waitingFor === undefined);
  }

  expire(): void {
    blame(this.parts, this.services, timeout(this.services.patienceMs));
  }
}

/** Tells once of each node that owes a reply to any of the parts. */
function blame(parts: readonly OwedPart[], services: RequestServices, error: TidegateError): void {
  const nodes = new Set<string>();
  for (const part of parts) {
    if (part.waitingFor === undefined) continue;
    nodes.add(part.waitingFor);
    part.blamed = true;
  }
  for (const node of nodes) services.late(node, error);
}

function timeout(afterMs: number): TidegateError {
  const ms = Math.round(afterMs * 1_000) / 1_000;
  return new TidegateError('TG_STORE_TIMEOUT', `Redis did not answer within ${ms} ms`);
}
