/**
 * A subscription to the channels of pools, on a connection of its own that is made again whenever it breaks: in a cluster
 * to the next of the nodes that the settings name, since each passes on what any of them is told
 * (https://redis.io/docs/latest/develop/pubsub/). Notices can be lost; who listens looks from time to time as well.
 */
import type { Redis } from 'ioredis';
import { connectBySentinel, connectServer } from './client';
import type { RedisSettings } from './options';

/** Told of each notice; with nothing where some may have been missed. Never throws. */
export type NoticeListener = (notice: string | undefined) => void;

interface Channel {
  readonly heard: NoticeListener;
  /** The connection that it was asked for on last. */
  on: Redis | undefined;
}

const AGAIN_MS = 500;
/** However many pools ask, the server is asked for a sign of life no more often. */
const PROBE_MS = 1_000;

/** See the file's head. */
export class PoolNotices {
  private readonly channels = new Map<string, Channel>();
  private client: Redis | undefined;
  private timer: NodeJS.Timeout | undefined;
  private attempts = 0;
  private probedMs = -Infinity;
  private closed = false;

  constructor(private readonly settings: RedisSettings) {}

  /** Listens to a channel; one listener each. */
  listen(channel: string, heard: NoticeListener): void {
    if (this.closed) return;
    this.channels.set(channel, { heard, on: undefined });
    if (this.client === undefined) {
      if (this.timer === undefined) this.connect();
    } else this.subscribe(this.client);
  }

  /** Listens to a channel no more. */
  leave(channel: string): void {
    if (!this.channels.delete(channel)) return;
    this.client?.unsubscribe(channel).catch(() => undefined);
  }

  /** Asks the server for a sign of life: a connection that gives none is dropped, and made again. */
  probe(): void {
    const nowMs = performance.now();
    if (this.client === undefined || nowMs < this.probedMs + PROBE_MS) return;
    this.probedMs = nowMs;
    this.client.ping().catch(() => undefined);
    this.subscribe(this.client);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.client?.disconnect();
    this.client = undefined;
    this.channels.clear();
  }

  private connect(): void {
    this.timer = undefined;
    const { addresses, kind } = this.settings;
    const address = addresses[this.attempts % addresses.length];
    if (address === undefined) return;
    this.attempts += 1;
    const client =
      kind === 'sentinel' ? connectBySentinel(this.settings) : connectServer(this.settings, address);
    this.client = client;
    client.on('error', () => undefined);
    client.on('message', (channel: string, notice: string) => this.channels.get(channel)?.heard(notice));
    client.on('ready', () => this.subscribe(client));
    client.on('close', () => this.again(client));
    client.connect().catch(() => this.again(client));
  }

  /** Asks for each channel that was not asked for on this connection yet; one that is refused is asked for again. */
  private subscribe(client: Redis): void {
    if (client.status !== 'ready') return;
    for (const [name, channel] of this.channels) {
      if (channel.on === client) continue;
      channel.on = client;
      client.subscribe(name).then(
        () => channel.heard(undefined),
        () => (channel.on = undefined),
      );
    }
  }

  private again(client: Redis): void {
    if (this.closed || this.client !== client) return;
    this.client = undefined;
    client.disconnect();
    this.timer = setTimeout(() => this.connect(), AGAIN_MS * (0.75 + Math.random() / 2));
    this.timer.unref();
  }
}
