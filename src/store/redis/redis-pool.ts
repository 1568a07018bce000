/**
 * A pool over Redis: who leads it, what the leader publishes, what people ordered. One slot a pool, so that pools can be
 * led, and kept, apart. All that a process has to know comes with each tick; a notice makes the next one come at once.
 */
import { createHash, randomInt } from 'node:crypto';
import type { ModeOrder, Override, PoolTable } from '../../core/control';
import { TidegateError } from '../../core/errors';
import type { GroupRole } from '../../core/group';
import type { LearningOrder } from '../../core/learning';
import { MAX_OVERRIDES, MAX_TABLE_BYTES, type PoolLink, type PoolOrders } from '../../core/pool-link';
import { hashSlot } from './hash-slot';
import { LeaderLock } from './leader-lock';
import type { RedisStoreOptions } from './options';
import { PoolConnections } from './pool-connections';
import type { TableBody } from './pool-text';
import { LEARNING_FIELD, MODE_FIELD, OVERRIDE_FIELD, PoolView } from './pool-view';
import { loadPoolScript } from './scripts';
import { SharedPart } from './shared-part';
import { SlotCommands } from './slot-commands';

/** What a pool is told. */
export interface RedisPoolOptions extends RedisStoreOptions {
  readonly pool: string;
  /** Names this process among others. */
  readonly source: string;
  /** How long a leader that says nothing stays one, ms. */
  readonly leaderLifeMs: number;
  /** What it shares with the other pools of this process; its own where absent. */
  readonly connections?: PoolConnections;
  /** Pools that this process leads: with each it stands back a little for others. */
  readonly led?: () => number;
  /** How often to look where nobody gives notice, ms; at most 2,000, which contracts need; default 1,500. */
  readonly pollMs?: number;
  /** Whether to listen for notices; default true. */
  readonly listens?: boolean;
  /** Never steps back; for tests. */
  readonly monotonicMs?: () => number;
}

/** What went other than it should, since the start. */
export interface PoolLinkCounts {
  /** Tables that were refused since another leads by now. */
  readonly fenced: number;
  /** Tables that were too large. */
  readonly tooLarge: number;
  /** Tables and orders that could not be read. */
  readonly unreadable: number;
  /** Calls of the store that failed. */
  readonly failures: number;
}

/** Renewals in a lock's life: several may be lost. */
const TICKS_A_LIFE = 5;
const POLL_MS = 1_500;
const AGAIN_MS = 250;
const MAX_CALL_MS = 2_000;
const MAX_RUN = 2 ** 47;
const TABLE_KEPT_MS = 86_400_000;
const MAX_ORDER_BYTES = 16_384;
/** An order's value has the time of its end before its text. */
const END_BYTES = 24;
/** The mode's and learning's orders, and the revision, stand beside the overrides. */
const OTHER_ORDERS = 8;
/** What is read at most, whoever wrote it: bytes of a table, orders, bytes of one. */
const READ_BOUNDS = [MAX_TABLE_BYTES, MAX_OVERRIDES + OTHER_ORDERS, MAX_ORDER_BYTES + END_BYTES].map(String);
/** Notices are followed by a look at most so often, ms: anybody may give them. */
const HASTE_MS = 25;
/** Over so long, at most, processes that would all lead stand one after another. */
const SPREAD_MS = 250;
const BACK_PER_LED_MS = 100;

/** See the file's head. */
export class RedisPool implements PoolLink {
  readonly pool: string;
  private readonly connections: PoolConnections;
  private readonly commands: SlotCommands;
  private readonly part: SharedPart;
  private readonly lock: LeaderLock;
  private readonly view: PoolView;
  private readonly member: string;
  private readonly channel: string;
  private readonly keys: Readonly<Record<'lock' | 'epoch' | 'table' | 'orders', string>>;
  private readonly scripts = {
    tick: loadPoolScript('tick'),
    publish: loadPoolScript('publish'),
    order: loadPoolScript('order'),
    leave: loadPoolScript('leave'),
  };
  private readonly monotonicMs: () => number;
  private readonly listeners: ((table: PoolTable) => void)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private hurry: NodeJS.Timeout | undefined;
  private hastenedMs = -Infinity;
  private last: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  private holdsLock = false;
  private freeSinceMs: number | undefined;
  private started = false;
  private closed = false;
  private readonly counted = { fenced: 0, tooLarge: 0 };

  /** @throws TidegateError TG_SETTINGS_INVALID or TG_SETTINGS_CONFLICT for options that cannot be. */
  constructor(private readonly options: RedisPoolOptions) {
    this.connections = options.connections ?? new PoolConnections(options);
    const { settings, router } = this.connections;
    this.pool = options.pool;
    this.part = new SharedPart('pool', options.pool, options.logger);
    const tag = `${settings.keyPrefix}{pool:${options.pool.replace(/[%{}]/g, encodeURIComponent)}}`;
    const key = (name: string): string => `${tag}/${name}`;
    this.keys = { lock: key('lock'), epoch: key('epoch'), table: key('table'), orders: key('orders') };
    this.channel = key('notices');
    this.member = `${options.source}#${randomInt(1, MAX_RUN).toString(36)}`;
    this.monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.lock = new LeaderLock(options.leaderLifeMs, this.monotonicMs);
    this.view = new PoolView(options.pool);
    const slot = router.slotted ? hashSlot(this.keys.lock) : 0;
    const callMs = Math.min(MAX_CALL_MS, options.leaderLifeMs / 2);
    this.commands = new SlotCommands(router, slot, callMs, 'the pool');
  }

  start(): void {
    if (this.started || this.closed) return;
    this.started = true;
    if (this.options.listens ?? true) {
      this.connections.notices.listen(this.channel, (notice) => {
        if (notice === undefined || !this.view.knows(notice)) this.hasten();
      });
    }
    void this.look();
  }

  role(): GroupRole {
    return this.lock.role();
  }

  async publish(body: TableBody): Promise<PoolTable | undefined> {
    const { leader, epoch } = this.role();
    if (!leader || this.closed) return undefined;
    const text = JSON.stringify(body);
    if (Buffer.byteLength(text) > MAX_TABLE_BYTES) {
      this.counted.tooLarge += 1;
      this.options.logger?.error({ pool: this.pool }, 'the table of a pool is too large to be published');
      return undefined;
    }
    const { publish } = this.scripts;
    const args = [String(epoch), text, String(TABLE_KEPT_MS), this.channel, ...this.view.lastOf(epoch)];
    const reply = await this.part.trying(() =>
      this.commands.run(publish, [this.keys.epoch, this.keys.table], args),
    );
    if (reply === null) {
      this.counted.fenced += 1;
      this.lock.resign();
    }
    if (!Array.isArray(reply)) return undefined;
    const [sequence = NaN, version = NaN] = (reply as unknown[]).map(Number);
    const table: PoolTable = { ...body, pool: this.pool, epoch, sequence, version };
    if (this.view.took(table)) this.tell(table);
    return table;
  }

  table(): PoolTable | undefined {
    return this.view.newest;
  }

  onTable(listener: (table: PoolTable) => void): void {
    this.listeners.push(listener);
  }

  orders(): PoolOrders {
    return this.view.orders(this.monotonicMs());
  }

  /** Its time is counted by Redis's clock from when Redis has it. */
  async putOverride(override: Override): Promise<void> {
    const lifeMs = Math.ceil(override.untilMs - override.setAtMs);
    if (!Number.isSafeInteger(lifeMs) || lifeMs <= 0)
      throw new TidegateError('TG_CONTROL_BAD_OVERRIDE', 'the override ends before it begins');
    await this.order(`${OVERRIDE_FIELD}${override.member}`, String(lifeMs), JSON.stringify(override));
  }

  dropOverride(member: string): Promise<boolean> {
    return this.order(`${OVERRIDE_FIELD}${member}`, '', '');
  }

  async putMode(order: ModeOrder): Promise<void> {
    await this.order(MODE_FIELD, '0', JSON.stringify(order));
  }

  async putLearning(order: LearningOrder): Promise<void> {
    await this.order(LEARNING_FIELD, '0', JSON.stringify(order));
  }

  counts(): PoolLinkCounts {
    return { ...this.counted, failures: this.part.failures, unreadable: this.view.unreadable };
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.hurry);
    this.connections.notices.leave(this.channel);
    this.lock.resign();
    await this.last;
    this.lock.resign();
    if (this.holdsLock)
      await this.part.trying(() =>
        this.commands.run(this.scripts.leave, [this.keys.lock], [this.member, this.channel]),
      );
    if (this.options.connections === undefined) this.connections.close();
  }

  private async order(field: string, lifeMs: string, text: string): Promise<boolean> {
    if (this.closed) throw new TidegateError('TG_CONTROL_UNAVAILABLE', 'the pool is closed');
    if (Buffer.byteLength(field) + Buffer.byteLength(text) > MAX_ORDER_BYTES)
      throw new TidegateError('TG_CONTROL_BAD_OVERRIDE', `an order takes at most ${MAX_ORDER_BYTES} bytes`);
    const args = [this.channel, String(MAX_OVERRIDES), field, lifeMs, text];
    const reply = await this.commands.run(this.scripts.order, [this.keys.orders], args);
    if (reply === -1)
      throw new TidegateError('TG_CONTROL_BAD_OVERRIDE', `the pool has ${MAX_OVERRIDES} overrides`);
    if (reply === 1) await this.look();
    return reply === 1;
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (!this.started || this.closed) return;
    this.timer = setTimeout(() => {
      this.connections.notices.probe();
      void this.look();
    }, this.pauseMs());
    this.timer.unref();
  }

  /** Looks soon, and at once where nothing has been looked at for a moment. */
  private hasten(): void {
    const pauseMs = this.hastenedMs + HASTE_MS - this.monotonicMs();
    if (pauseMs <= 0) {
      this.hastenedMs = this.monotonicMs();
      void this.look();
      return;
    }
    this.hurry ??= setTimeout(() => {
      this.hurry = undefined;
      this.hastenedMs = this.monotonicMs();
      if (!this.closed) void this.look();
    }, pauseMs);
    this.hurry.unref();
  }

  /** Until the next tick: sooner where this process stands for leader next. */
  private pauseMs(): number {
    const { leaderLifeMs, pollMs = POLL_MS } = this.options;
    const calmMs = Math.min(leaderLifeMs / TICKS_A_LIFE, pollMs, this.part.failing ? AGAIN_MS : Infinity);
    if (this.freeSinceMs === undefined) return calmMs;
    return Math.max(1, Math.min(calmMs, this.freeSinceMs + this.standBackMs() - this.monotonicMs()));
  }

  /** How long a pool without a leader is left to others: by chance of the names, and by how much this process leads. */
  private standBackMs(): number {
    const { leaderLifeMs, led } = this.options;
    const chance = createHash('sha1').update(`${this.member} ${this.pool}`).digest().readUInt32BE() / 2 ** 32;
    const spreadMs = Math.min(SPREAD_MS, leaderLifeMs / 4);
    return chance * spreadMs + Math.min(leaderLifeMs, (led?.() ?? 0) * BACK_PER_LED_MS);
  }

  private stands(): boolean {
    if (!this.started || this.closed) return false;
    if (this.holdsLock) return true;
    return this.freeSinceMs !== undefined && this.monotonicMs() - this.freeSinceMs >= this.standBackMs();
  }

  /** A tick that begins from now on; one that has not begun yet serves all who ask. Never rejects. */
  private look(): Promise<void> {
    if (this.next !== undefined) return this.next;
    const tick = this.last.then(async () => {
      this.next = undefined;
      if (!this.closed) await this.tick();
      this.schedule();
    });
    this.next = tick;
    this.last = tick;
    return tick;
  }

  private async tick(): Promise<void> {
    const { lock, epoch, table, orders } = this.keys;
    const askedMs = this.monotonicMs();
    const stands = this.stands() ? '1' : '0';
    const lifeMs = String(Math.ceil(this.options.leaderLifeMs));
    const args = [this.member, lifeMs, stands, ...this.view.known(), ...READ_BOUNDS];
    const reply = await this.part.trying(() =>
      this.commands.run(this.scripts.tick, [lock, epoch, table, orders], args),
    );
    const read = Array.isArray(reply) ? this.view.read(reply as unknown[], this.monotonicMs()) : undefined;
    if (read === undefined) return;
    const before = this.role();
    this.holdsLock = read.leader === this.member;
    this.freeSinceMs = read.leader === '' ? (this.freeSinceMs ?? this.monotonicMs()) : undefined;
    if (!this.closed) this.lock.answered(askedMs, this.holdsLock, read.epoch);
    this.part.tellRole(before, this.role());
    if (read.table !== undefined) this.tell(read.table);
  }

  private tell(table: PoolTable): void {
    for (const listener of this.listeners) listener(table);
  }
}
