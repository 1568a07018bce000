/** The router and its connections for a kind of Redis. */
import { TidegateError } from '../../core/errors';
import { addressName, parseRedisAddress } from './address';
import { connectBySentinel, connectServer } from './client';
import { ClusterRouter } from './cluster-router';
import type { RedisSettings } from './options';
import { type NodeContext, RedisNode } from './redis-node';
import { type RedisRouter, SingleRouter } from './router';
import { loadDecideScript } from './scripts';

/** Makes the router; connections come up in the background. @throws TidegateError TG_SETTINGS_INVALID. */
export function makeRouter(settings: RedisSettings): RedisRouter {
  const context: NodeContext = {
    script: loadDecideScript(),
    maxCallsInFlight: settings.maxCallsInFlight,
    timeUs: settings.timeUs ?? (() => 0),
    expiryExtraMs:
      settings.timeUs === undefined
        ? () => Math.floor(Math.random() * settings.expiryJitterMs)
        : () => settings.expiryJitterMs,
    wait: settings.wait,
    logger: settings.logger,
  };
  if (settings.kind === 'cluster') {
    const seeds = settings.addresses.map(addressName);
    const router: ClusterRouter = new ClusterRouter(
      seeds,
      (name) =>
        new RedisNode(name, connectServer(settings, parseRedisAddress(name)), context, () =>
          router.suspect(),
        ),
    );
    return router;
  }
  const [address] = settings.addresses;
  if (address === undefined) throw new TidegateError('TG_SETTINGS_INVALID', 'store.urls names no server');
  const ignore = (): void => undefined;
  return new SingleRouter(
    settings.kind === 'sentinel'
      ? new RedisNode(`sentinel:${settings.sentinelName}`, connectBySentinel(settings), context, ignore)
      : new RedisNode(addressName(address), connectServer(settings, address), context, ignore),
  );
}
