/**
 * A process's counts and those of its group on their way into history. Its own are taken at once, so that they go on
 * whatever becomes of the store; they are told to the group, and what comes back of them is passed over. Alone, it leads.
 */
import type { GroupLink } from '../../../core/group';
import type { ObservationBatch } from '../../../core/observation';
import { ClassHolders } from './class-holders';
import { OwnBatches } from './own-batches';

/** What it stands on. */
export interface ExchangeParts {
  /** Undefined for a process that is alone. */
  readonly link: GroupLink | undefined;
  /** Names this process in its group. */
  readonly source: string;
  /** Takes a batch into history. */
  readonly take: (batch: ObservationBatch, nowMs: number) => void;
  /** What history held at the start, Unix ms: what the group keeps of before was taken then. */
  readonly heldUntilMs: number;
  /** How late batches may come and still be taken, ms. */
  readonly lateMs: number;
  /** Told what is wrong with a member's batch that cannot be taken: once a reading at most. */
  readonly onFault?: (thrown: unknown) => void;
}

/** Steps are closed this much after their end, so that all members' counts of them have come. */
const DELAY_MS = 3_000;
/** The group's silence is waited out for as long; then steps go on with what there is. */
const MAX_WAIT_MS = 60_000;
/** Batches may be on their way for this long. */
const TRAVEL_MS = 5_000;
/** A silence of the group after which members tell what they could not tell, which takes a while. */
const LONG_SILENCE_MS = 5_000;
const SETTLE_MS = 10_000;
const MAX_BLIND = 100;
const STEP_MS = 1_000;
const DROP_SILENT_EVERY_MS = 30_000;

/** See the file's head. */
export class GroupExchange {
  private readonly ownHolders = new ClassHolders();
  private readonly holders = new ClassHolders();
  private readonly own: OwnBatches;
  /** When the group's counts were read last. */
  private seenMs: number;
  /** Up to when what all members told has come. */
  private wholeMs: number;
  private settledAtMs = -Infinity;
  private collecting = false;
  private ends = 0;
  private closed = false;
  private droppedSilentMs: number;
  /** Spans of which only own counts are known. */
  private blind: { readonly fromMs: number; readonly toMs: number }[] = [];

  constructor(
    private readonly parts: ExchangeParts,
    nowMs: number,
  ) {
    this.own = new OwnBatches(parts.source);
    this.seenMs = nowMs;
    this.wholeMs = nowMs;
    this.droppedSilentMs = nowMs;
  }

  /** Whether this process forecasts for its group. */
  get leads(): boolean {
    return this.parts.link?.role().leader ?? true;
  }

  /** How long the group has not been heard of, ms; 0 for a process that is alone. */
  silentMs(nowMs: number): number {
    return this.parts.link === undefined ? 0 : Math.max(0, nowMs - this.seenMs);
  }

  /** The time that steps are closed by: what came until then is known of all members. */
  clockMs(nowMs: number): number {
    if (this.parts.link === undefined) return nowMs;
    return Math.max(nowMs - MAX_WAIT_MS, Math.min(nowMs, this.wholeMs) - DELAY_MS);
  }

  /** Whether the group is heard, and has said all that it could not say before. */
  isSettled(nowMs: number): boolean {
    return this.parts.link === undefined || nowMs - this.wholeMs <= LONG_SILENCE_MS;
  }

  /** Whether all members' counts of a span are known, as far as one member can tell. */
  knows(fromMs: number, toMs: number): boolean {
    return !this.blind.some((span) => fromMs < span.toMs && toMs > span.fromMs);
  }

  /** Takes what a process of this host counted. */
  observe(batch: ObservationBatch, nowMs: number): void {
    this.parts.take(this.holders.settle(batch, nowMs), nowMs);
    if (this.parts.link !== undefined) this.own.add(this.ownHolders.settle(batch, nowMs));
  }

  /** Tells and reads what is due; what is read is taken when it comes. Never throws. */
  turn(nowMs: () => number): void {
    const now = nowMs();
    if (Math.abs(now - this.droppedSilentMs) >= DROP_SILENT_EVERY_MS) {
      this.droppedSilentMs = now;
      this.ownHolders.dropSilent(now);
      this.end(this.holders.dropSilent(now), now);
    }
    const { link } = this.parts;
    if (link === undefined || this.closed) return;
    for (const batch of this.own.due(now)) link.publish(batch);
    if (!this.collecting) void this.collect(link, nowMs);
  }

  /** Tells what is left. */
  close(): void {
    this.closed = true;
    for (const batch of this.own.rest()) this.parts.link?.publish(batch);
  }

  private async collect(link: GroupLink, nowMs: () => number): Promise<void> {
    this.collecting = true;
    try {
      const askedMs = nowMs();
      const { failures } = link.counts();
      const batches = await link.collect();
      if (this.closed) return;
      const now = nowMs();
      this.takeOthers(batches, now);
      if (link.counts().failures === failures) this.heard(askedMs);
    } finally {
      this.collecting = false;
    }
  }

  /** Ends classes whose last source fell silent. */
  private end(ended: readonly string[], nowMs: number): void {
    if (ended.length === 0) return;
    const { source, take } = this.parts;
    this.ends += 1;
    const atMs = Math.floor(nowMs / STEP_MS) * STEP_MS;
    const nothing = { added: [], classes: [], counts: new Float64Array(0) };
    take({ source: `${source}/ends`, sequence: this.ends, atMs, stepMs: STEP_MS, ended, ...nothing }, nowMs);
  }

  /** One that cannot be taken is passed over: who sent it must not bring the others down. */
  private takeOthers(batches: readonly ObservationBatch[], nowMs: number): void {
    let told = false;
    for (const batch of batches) {
      try {
        this.takeOther(batch, nowMs);
      } catch (thrown) {
        if (!told) this.parts.onFault?.(thrown);
        told = true;
      }
    }
  }

  private takeOther(batch: ObservationBatch, nowMs: number): void {
    const { source, heldUntilMs, take } = this.parts;
    if (batch.source === source || batch.atMs <= heldUntilMs) return;
    take(this.holders.settle(batch, nowMs), nowMs);
  }

  /** What others told during a long silence came too late, or was dropped: those steps are not known. */
  private heard(atMs: number): void {
    const lostMs = atMs - this.parts.lateMs + TRAVEL_MS;
    if (this.seenMs < lostMs) {
      this.blind.push({ fromMs: this.seenMs - TRAVEL_MS, toMs: lostMs + TRAVEL_MS });
      this.blind.splice(0, this.blind.length - MAX_BLIND);
    }
    if (atMs - this.seenMs > LONG_SILENCE_MS) this.settledAtMs = atMs + SETTLE_MS;
    this.seenMs = atMs;
    // A clock that was set back does not hold the steps up.
    if (atMs >= this.settledAtMs || atMs < this.settledAtMs - SETTLE_MS) this.wholeMs = atMs;
  }
}
