/** The group of a process that shares nothing: it is alone, and leads. */
import {
  MAX_BOARD_BYTES,
  type GroupBoard,
  type GroupCounts,
  type GroupLink,
  type GroupMember,
  type GroupRole,
} from '../../core/group';
import type { ObservationBatch } from '../../core/observation';

/** There is only ever one leader. */
const EPOCH = 1;
/** A batch a second: whoever reads later than this misses some. */
const MAX_BATCHES = 120;

/** See the file's head. */
export class MemoryGroup implements GroupLink {
  private batches: ObservationBatch[] = [];
  private lastSequence = 0;
  private shown: GroupBoard | undefined;
  private open = false;
  private dropped = 0;
  private doubled = 0;

  /** @param source names this process. */
  constructor(private readonly source: string) {}

  start(): void {
    this.open = true;
  }

  role(): GroupRole {
    return { leader: this.open, epoch: this.open ? EPOCH : 0 };
  }

  members(): readonly GroupMember[] {
    return this.open ? [{ source: this.source, silentMs: 0 }] : [];
  }

  publish(batch: ObservationBatch): void {
    if (batch.sequence <= this.lastSequence) {
      this.doubled += 1;
      return;
    }
    this.lastSequence = batch.sequence;
    this.batches.push(batch);
    if (this.batches.length <= MAX_BATCHES) return;
    this.batches.shift();
    this.dropped += 1;
  }

  collect(): Promise<readonly ObservationBatch[]> {
    const { batches } = this;
    this.batches = [];
    return Promise.resolve(batches);
  }

  show(bytes: Uint8Array): Promise<boolean> {
    if (!this.open || bytes.length > MAX_BOARD_BYTES) return Promise.resolve(false);
    this.shown = { epoch: EPOCH, bytes: bytes.slice() };
    return Promise.resolve(true);
  }

  board(): Promise<GroupBoard | undefined> {
    return Promise.resolve(this.shown);
  }

  counts(): GroupCounts {
    const { dropped, doubled } = this;
    return { dropped, doubled, missing: 0, unreadable: 0, fenced: 0, failures: 0 };
  }

  close(): Promise<void> {
    this.open = false;
    return Promise.resolve();
  }
}
