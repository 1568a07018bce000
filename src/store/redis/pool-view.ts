/** What one process knows of a pool in Redis: the newest table, and people's orders by Redis's clock. */
import type { ModeOrder, Override, PoolTable } from '../../core/control';
import type { LearningOrder } from '../../core/learning';
import type { PoolOrders } from '../../core/pool-link';
import { readLearningOrder, readModeOrder, readOverride, readTableBody } from './pool-text';

/** An order's field in Redis: of a member, the mode's, or learning's. */
export const MODE_FIELD = 'm';
/** See {@link MODE_FIELD}. */
export const LEARNING_FIELD = 'l';
/** Before the member in an override's field. */
export const OVERRIDE_FIELD = 'o:';

/** What `pool-tick.lua` told of the lock. */
export interface TickReply {
  /** Empty for none. */
  readonly leader: string;
  /** The highest that was given. */
  readonly epoch: number;
  /** A table that was not known, unless its time was over long ago. */
  readonly table: PoolTable | undefined;
}

const HEAD = 9;

/** See the file's head. */
export class PoolView {
  /** The newest table, also one whose time is over: a leader goes on from it. */
  newest: PoolTable | undefined;
  /** Tables and orders that could not be read. */
  unreadable = 0;
  /** Of the newest table, also where it could not be read. */
  private epoch = 0;
  private sequence = 0;
  private revision = '';
  private overrides: readonly { readonly untilMs: number; readonly override: Override }[] = [];
  private mode: ModeOrder | undefined;
  private learning: LearningOrder | undefined;
  /** Redis's time less the monotonic clock's. */
  private clockOffsetMs = 0;

  constructor(private readonly pool: string) {}

  /** What is known, as `pool-tick.lua` takes it. */
  known(): [epoch: string, sequence: string, revision: string] {
    return [String(this.epoch), String(this.sequence), this.revision];
  }

  /** The last sequence of an epoch, and the last version, as `pool-publish.lua` takes them. */
  lastOf(epoch: number): [sequence: string, version: string] {
    return [String(epoch === this.epoch ? this.sequence : 0), String(this.newest?.version ?? 0)];
  }

  /** Whether a notice tells nothing new. */
  knows(notice: string): boolean {
    return notice === `table ${this.epoch} ${this.sequence}` || notice === `orders ${this.revision}`;
  }

  /** Takes a table that is newer than what is known. @returns whether it is. */
  took(table: PoolTable): boolean {
    if (!this.isNewer(table.epoch, table.sequence)) return false;
    this.epoch = table.epoch;
    this.sequence = table.sequence;
    this.newest = table;
    return true;
  }

  /** @param nowMs monotonic. @returns undefined for what is no reply. */
  read(reply: readonly unknown[], nowMs: number): TickReply | undefined {
    const texts = reply.map(String);
    const [leader = '', epoch, now, tableEpoch, sequence, version, age, body = '', revision = ''] = texts;
    const figures = [epoch, now, tableEpoch, sequence, version, age].map(Number);
    if (texts.length < HEAD || !figures.every((figure) => Number.isSafeInteger(figure))) return undefined;
    this.clockOffsetMs = Number(now) - nowMs;
    if (revision !== this.revision) this.readOrders(revision, texts.slice(HEAD));
    const place = { epoch: Number(tableEpoch), sequence: Number(sequence), version: Number(version) };
    const table = body === '' ? undefined : this.readTable(place, body);
    const over = table !== undefined && Number(age) > table.lifeMs + table.decayMs;
    return { leader, epoch: Number(epoch), table: over ? undefined : table };
  }

  /** Orders that hold. @param nowMs monotonic. */
  orders(nowMs: number): PoolOrders {
    const redisMs = nowMs + this.clockOffsetMs;
    const holding = this.overrides.filter(({ untilMs }) => untilMs > redisMs);
    const { mode, learning } = this;
    return {
      overrides: holding.map(({ override }) => override),
      mode,
      ...(learning === undefined ? {} : { learning }),
    };
  }

  private readTable(
    place: { readonly epoch: number; readonly sequence: number; readonly version: number },
    text: string,
  ): PoolTable | undefined {
    if (!this.isNewer(place.epoch, place.sequence)) return undefined;
    const body = readTableBody(text);
    if (body === undefined) {
      // Not asked for again until there is a newer one.
      this.epoch = place.epoch;
      this.sequence = place.sequence;
      this.unreadable += 1;
      return undefined;
    }
    const table: PoolTable = { ...body, pool: this.pool, ...place };
    this.took(table);
    return table;
  }

  private isNewer(epoch: number, sequence: number): boolean {
    return epoch > this.epoch || (epoch === this.epoch && sequence > this.sequence);
  }

  private readOrders(revision: string, parts: readonly string[]): void {
    this.revision = revision;
    this.mode = undefined;
    this.learning = undefined;
    if (parts.length % 2 === 1) this.unreadable += 1;
    const overrides: { untilMs: number; override: Override }[] = [];
    for (let at = 0; at + 1 < parts.length; at += 2) {
      const field = parts[at] ?? '';
      const value = parts[at + 1] ?? '';
      const untilMs = parseInt(value, 10);
      const text = value.slice(value.indexOf(' ') + 1);
      if (field === MODE_FIELD) {
        this.mode = readModeOrder(this.pool, text);
        if (this.mode === undefined) this.unreadable += 1;
      } else if (field === LEARNING_FIELD) {
        this.learning = readLearningOrder(this.pool, text);
        if (this.learning === undefined) this.unreadable += 1;
      } else if (field.startsWith(OVERRIDE_FIELD)) {
        const override = readOverride(this.pool, text);
        if (override === undefined || !Number.isSafeInteger(untilMs)) this.unreadable += 1;
        else overrides.push({ untilMs, override });
      }
    }
    this.overrides = overrides;
  }
}
