/** What all pools of a process stand on: one connection (in a Cluster one a node), and one subscription. */
import { makeRouter } from './make-router';
import { type RedisSettings, type RedisStoreOptions, resolveRedisOptions } from './options';
import { PoolNotices } from './pool-notices';
import type { RedisRouter } from './router';

/** See the file's head. Whoever makes it closes it, after its pools. */
export class PoolConnections {
  readonly settings: RedisSettings;
  readonly router: RedisRouter;
  readonly notices: PoolNotices;

  /** @throws TidegateError TG_SETTINGS_INVALID or TG_SETTINGS_CONFLICT for options that cannot be. */
  constructor(options: RedisStoreOptions) {
    this.settings = resolveRedisOptions(options);
    this.router = makeRouter(this.settings);
    this.notices = new PoolNotices(this.settings);
  }

  close(): void {
    this.notices.close();
    this.router.close();
  }
}
