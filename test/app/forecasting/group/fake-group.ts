/** A group in memory: a log, a board and a role that tests give; and a store that can fail. */
import type { GroupBoard, GroupCounts, GroupLink, GroupRole } from '../../../../src/core/group';
import type { ObservationBatch } from '../../../../src/core/observation';

/** What members share. */
export class FakeStore {
  readonly log: ObservationBatch[] = [];
  shown: GroupBoard | undefined;
  leader = '';
  epoch = 0;
  down = false;

  /** Another member leads from now on. */
  elect(source: string): void {
    this.leader = source;
    this.epoch += 1;
  }
}

/** One member's link. */
export class FakeLink implements GroupLink {
  started = false;
  closed = false;
  private position = 0;
  private failures = 0;
  private waiting: ObservationBatch[] = [];

  constructor(
    private readonly store: FakeStore,
    private readonly source: string,
  ) {}

  start(): void {
    this.started = true;
  }

  role(): GroupRole {
    const { down, leader, epoch } = this.store;
    return { leader: !down && leader === this.source, epoch };
  }

  members() {
    return [{ source: this.source, silentMs: 0 }];
  }

  publish(batch: ObservationBatch): void {
    this.waiting.push(batch);
    this.send();
  }

  async collect(): Promise<readonly ObservationBatch[]> {
    if (this.store.down) {
      this.failures += 1;
      return [];
    }
    this.send();
    const fresh = this.store.log.slice(this.position);
    this.position = this.store.log.length;
    return fresh;
  }

  async show(bytes: Uint8Array): Promise<boolean> {
    if (!this.role().leader) return false;
    this.store.shown = { epoch: this.store.epoch, bytes };
    return true;
  }

  async board(): Promise<GroupBoard | undefined> {
    return this.store.down ? undefined : this.store.shown;
  }

  counts(): GroupCounts {
    return { dropped: 0, doubled: 0, missing: 0, unreadable: 0, fenced: 0, failures: this.failures };
  }

  async close(): Promise<void> {
    this.send();
    this.closed = true;
  }

  private send(): void {
    if (this.store.down) return;
    this.store.log.push(...this.waiting);
    this.waiting = [];
  }
}
