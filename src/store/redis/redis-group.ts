/** A group over Redis: membership, leadership, the exchange of what was seen, and the leader's board. One slot. */
import { randomInt } from 'node:crypto';
import {
  MAX_BOARD_BYTES,
  type GroupBoard,
  type GroupCounts,
  type GroupLink,
  type GroupMember,
  type GroupRole,
} from '../../core/group';
import type { ObservationBatch } from '../../core/observation';
import { hashSlot } from './hash-slot';
import { LeaderLock } from './leader-lock';
import { makeRouter } from './make-router';
import { ObservationExchange } from './observation-exchange';
import { type RedisStoreOptions, resolveRedisOptions } from './options';
import type { RedisRouter } from './router';
import { loadGroupScript } from './scripts';
import { SharedPart } from './shared-part';
import { SlotCommands } from './slot-commands';

/** What a group is told. */
export interface RedisGroupOptions extends RedisStoreOptions {
  /** The group's name; sidecars of other names share nothing. */
  readonly group: string;
  /** Names this process among its members. */
  readonly source: string;
  /** How long a leader that says nothing stays one, ms. */
  readonly leaderLifeMs: number;
  /** Whether to stand for leader; default true. */
  readonly stands?: boolean;
  /** The log's bound, bytes; default 64 MiB. */
  readonly maxLogBytes?: number;
  /** How long what was seen is kept for who comes later, ms; default 2 minutes. */
  readonly keepMs?: number;
  /** Never steps back; for tests. */
  readonly monotonicMs?: () => number;
}

/** Renewals in a lock's life: several may be lost. */
const TICKS_A_LIFE = 5;
const MAX_CALL_MS = 2_000;
const MIB = 1_048_576;
const MAX_RUN = 2 ** 47;
const BOARD_KEPT_MS = 86_400_000;

/** See the file's head. */
export class RedisGroup implements GroupLink {
  private readonly router: RedisRouter;
  private readonly commands: SlotCommands;
  private readonly exchange: ObservationExchange;
  private readonly lock: LeaderLock;
  private readonly part: SharedPart;
  private readonly member: string;
  private readonly keys: Readonly<Record<'lock' | 'epoch' | 'members' | 'log' | 'size' | 'board', string>>;
  private readonly scripts = {
    tick: loadGroupScript('tick'),
    leave: loadGroupScript('leave'),
    show: loadGroupScript('show'),
  };
  private readonly monotonicMs: () => number;
  private heard: readonly GroupMember[] = [];
  private timer: NodeJS.Timeout | undefined;
  private ticking: Promise<void> = Promise.resolve();
  private reading: Promise<unknown> = Promise.resolve();
  private started = false;
  private closed = false;
  private fenced = 0;

  /** @throws TidegateError TG_SETTINGS_INVALID or TG_SETTINGS_CONFLICT for options that cannot be. */
  constructor(private readonly options: RedisGroupOptions) {
    const settings = resolveRedisOptions(options);
    this.part = new SharedPart('group', options.group, options.logger);
    const tag = `${settings.keyPrefix}{group:${options.group.replace(/[%{}]/g, encodeURIComponent)}}`;
    const key = (name: string): string => `${tag}/${name}`;
    this.keys = {
      lock: key('lock'),
      epoch: key('epoch'),
      members: key('members'),
      log: key('log'),
      size: key('size'),
      board: key('board'),
    };
    this.monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.lock = new LeaderLock(options.leaderLifeMs, this.monotonicMs);
    this.router = makeRouter(settings);
    const slot = this.router.slotted ? hashSlot(this.keys.lock) : 0;
    this.commands = new SlotCommands(this.router, slot, Math.min(MAX_CALL_MS, options.leaderLifeMs / 2));
    const run = randomInt(1, MAX_RUN);
    this.member = `${options.source}#${run.toString(36)}`;
    this.exchange = new ObservationExchange(this.commands, this.keys, loadGroupScript('publish'), {
      run,
      maxLogBytes: options.maxLogBytes ?? 64 * MIB,
      keepMs: options.keepMs ?? 120_000,
    });
  }

  start(): void {
    if (this.started || this.closed) return;
    this.started = true;
    this.beginTick();
  }

  role(): GroupRole {
    return this.lock.role();
  }

  members(): readonly GroupMember[] {
    return this.heard;
  }

  publish(batch: ObservationBatch): void {
    if (this.closed) return;
    this.exchange.publish(batch);
    void this.part.trying(() => this.exchange.send());
  }

  collect(): Promise<readonly ObservationBatch[]> {
    const read = this.reading.then(async () => {
      const batches: ObservationBatch[] = [];
      if (!this.closed) await this.part.trying(() => this.exchange.read(batches));
      return batches;
    });
    this.reading = read;
    return read;
  }

  async show(bytes: Uint8Array): Promise<boolean> {
    const { leader, epoch } = this.role();
    if (!leader || this.closed || bytes.length > MAX_BOARD_BYTES) return false;
    const shown = await this.part.trying(() =>
      this.commands.run(
        this.scripts.show,
        [this.keys.epoch, this.keys.board],
        [String(epoch), Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), String(BOARD_KEPT_MS)],
      ),
    );
    if (shown === 0) {
      this.fenced += 1;
      this.lock.resign();
    }
    return shown === 1;
  }

  async board(): Promise<GroupBoard | undefined> {
    const reply = await this.part.trying(() => this.commands.send('hmget', [this.keys.board, 'e', 'b']));
    const [epochText, bytes] = Array.isArray(reply) ? (reply as unknown[]) : [];
    const epoch = Buffer.isBuffer(epochText) ? Number(epochText.toString('latin1')) : NaN;
    if (!Number.isSafeInteger(epoch) || !Buffer.isBuffer(bytes) || bytes.length > MAX_BOARD_BYTES)
      return undefined;
    return { epoch, bytes };
  }

  counts(): GroupCounts {
    return { ...this.exchange.counts, fenced: this.fenced, failures: this.part.failures };
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timer);
    this.lock.resign();
    await this.ticking;
    this.lock.resign();
    await this.part.trying(() => this.exchange.send());
    if (this.started) {
      await this.part.trying(() =>
        this.commands.run(this.scripts.leave, [this.keys.lock, this.keys.members], [this.member]),
      );
    }
    this.router.close();
  }

  private beginTick(): void {
    const startedMs = this.monotonicMs();
    this.ticking = this.tick().finally(() => {
      if (this.closed) return;
      const periodMs = this.options.leaderLifeMs / TICKS_A_LIFE;
      this.timer = setTimeout(() => this.beginTick(), Math.max(0, startedMs + periodMs - this.monotonicMs()));
      this.timer.unref();
    });
  }

  private async tick(): Promise<void> {
    const { leaderLifeMs, stands = true } = this.options;
    const askedMs = this.monotonicMs();
    const reply = await this.part.trying(() =>
      this.commands.run(
        this.scripts.tick,
        [this.keys.lock, this.keys.epoch, this.keys.members],
        [this.member, String(Math.ceil(leaderLifeMs)), stands ? '1' : '0'],
      ),
    );
    if (!Array.isArray(reply)) return;
    const [leader = '', epochText, ...silences] = (reply as unknown[]).map(String);
    const epoch = Number(epochText);
    if (!Number.isSafeInteger(epoch)) return;
    const before = this.role();
    if (!this.closed) this.lock.answered(askedMs, leader === this.member, epoch);
    // Whoever leads now may know nothing of our classes.
    if (before.epoch !== this.role().epoch) this.exchange.sayAllNext();
    this.heard = membersOf(silences);
    this.part.tellRole(before, this.role());
    await this.part.trying(() => this.exchange.send());
  }
}

/** Each member and its silence, ms. */
function membersOf(pairs: readonly string[]): readonly GroupMember[] {
  const members: GroupMember[] = [];
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const member = pairs[at] ?? '';
    members.push({ source: member.slice(0, member.lastIndexOf('#')), silentMs: Number(pairs[at + 1]) });
  }
  return members.sort((a, b) => (a.source < b.source ? -1 : 1));
}
