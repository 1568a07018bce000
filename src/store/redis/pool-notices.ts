/**
 * A subscription to a channel, on a connection of its own that is made again whenever it breaks: in a cluster to the next
 * of the nodes that the settings name, since each passes on what any of them is told
 * (https://redis.io/docs/latest/develop/pubsub/). Notices can be lost; who listens looks from time to time as well.
 */
import type { Redis } from 'ioredis';
import { connectBySentinel, connectServer } from './client';
import type { RedisSettings } from './options';

const AGAIN_MS = 500;

/** See the file's head. */
export class PoolNotices {
  private client: Redis | undefined;
  private timer: NodeJS.Timeout | undefined;
  private attempts = 0;
  private closed = false;

  /** @param heard told of each notice; with nothing where some may have been missed. Never throws. */
  constructor(
    private readonly settings: RedisSettings,
    private readonly channel: string,
    private readonly heard: (notice: string | undefined) => void,
  ) {}

  start(): void {
    if (!this.closed && this.client === undefined) this.connect();
  }

  /** Asks the server for a sign of life: a connection that gives none is dropped, and made again. */
  probe(): void {
    this.client?.ping().catch(() => undefined);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.client?.disconnect();
    this.client = undefined;
  }

  private connect(): void {
    const { addresses, kind } = this.settings;
    const address = addresses[this.attempts % addresses.length];
    if (address === undefined) return;
    this.attempts += 1;
    const client =
      kind === 'sentinel' ? connectBySentinel(this.settings) : connectServer(this.settings, address);
    this.client = client;
    client.on('error', () => undefined);
    client.on('message', (_channel: string, notice: string) => this.heard(notice));
    client.on('ready', () => {
      client.subscribe(this.channel).then(
        () => this.heard(undefined),
        () => this.again(client),
      );
    });
    client.on('close', () => this.again(client));
    client.connect().catch(() => this.again(client));
  }

  private again(client: Redis): void {
    if (this.closed || this.client !== client) return;
    this.client = undefined;
    client.disconnect();
    this.timer = setTimeout(() => this.connect(), AGAIN_MS * (0.75 + Math.random() / 2));
    this.timer.unref();
  }
}
