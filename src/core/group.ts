/** Sidecars that share a store as a group: one leads, all tell what they saw, all read what the leader foresees. */
import type { ObservationBatch } from './observation';

/** Whether this process leads. */
export interface GroupRole {
  readonly leader: boolean;
  /** Counts up from leader to leader; while this one leads, its own. What carries an older one is refused. 0: not known. */
  readonly epoch: number;
}

/** A member that was heard of lately. */
export interface GroupMember {
  readonly source: string;
  /** How long ago it was heard of, ms. */
  readonly silentMs: number;
}

/** What the leader published last, for all. */
export interface GroupBoard {
  /** Of the leader who published it. */
  readonly epoch: number;
  readonly bytes: Uint8Array;
}

/** What went other than it should, since the start. */
export interface GroupCounts {
  /** Batches of ours that were dropped, since the store did not take them for too long. */
  readonly dropped: number;
  /** Batches that came twice. */
  readonly doubled: number;
  /** Batches of others that never came. */
  readonly missing: number;
  /** Batches, and rows of batches, that could not be read. */
  readonly unreadable: number;
  /** Boards that were refused since another leads by now. */
  readonly fenced: number;
  /** Calls of the store that failed. */
  readonly failures: number;
}

/** The most a board may hold, bytes. */
export const MAX_BOARD_BYTES = 4_194_304;

/** A process's place in its group. Nothing here throws or rejects for what the store does: it is counted, and tried again. */
export interface GroupLink {
  /** Begins to be a member and to stand for leader. */
  start(): void;
  /** Who leads, as far as this process may believe: a leader that cannot renew stops believing before others may begin. */
  role(): GroupRole;
  members(): readonly GroupMember[];
  /** Tells the group what was seen; kept for a while when the store does not take it. In the order of its sequence. */
  publish(batch: ObservationBatch): void;
  /**
   * What all members told since the last call, own batches included, each batch once: at first as far back as the group
   * keeps. Whoever reads all along is ready to lead at once.
   */
  collect(): Promise<readonly ObservationBatch[]>;
  /** The leader shows something to all. @returns false when it leads no more, or the store did not take it. */
  show(bytes: Uint8Array): Promise<boolean>;
  /** What the leader showed last; undefined when there is nothing, or the store cannot tell. */
  board(): Promise<GroupBoard | undefined>;
  counts(): GroupCounts;
  /** Leaves the group, so that another can lead at once. Never rejects. */
  close(): Promise<void>;
}
