/** The reference's names for its Redis: several variables that together say where buckets live. */
import type { Environment } from './environment';
import { ReferenceLayer, readServerNames, type ParsedReference } from './reference-environment';
import { parseList } from './text-values';

/** Where the reference looks for Redis when it is not told. */
const DEFAULT_SOCKET = '/var/run/nutcracker/ratelimit.sock';

const KINDS: Readonly<Record<string, string>> = { single: 'redis', sentinel: 'sentinel', cluster: 'cluster' };

/** Writes one address of REDIS_URL as store.urls takes it. */
function address(url: string, socketType: string | undefined): string {
  if (url.includes('://')) return url;
  return socketType === 'unix' || (socketType === undefined && url.startsWith('/')) ? `unix://${url}` : url;
}

/** `user:password`, or a password alone. */
function readAuth(into: ReferenceLayer, name: string, userPath: string, passwordPath: string): void {
  const auth = into.get(name);
  if (auth === undefined) return;
  const colon = auth.indexOf(':');
  if (colon > 0) into.set(name, userPath, auth.slice(0, colon));
  into.set(name, passwordPath, colon < 0 ? auth : auth.slice(colon + 1));
}

function readKind(into: ReferenceLayer): string | undefined {
  const backend = into.get('BACKEND_TYPE')?.toLowerCase();
  const type = into.get('REDIS_TYPE')?.toLowerCase() ?? 'single';
  if (backend === 'memcache') {
    into.warn('BACKEND_TYPE', 'memcache is not served; use Redis, with store.kind and store.urls');
    if (into.get('REDIS_URL') === undefined) return undefined;
  } else if (backend !== undefined && backend !== 'redis') into.refuse('BACKEND_TYPE', 'redis');
  const named = ['REDIS_URL', 'REDIS_TYPE', 'REDIS_SOCKET_TYPE', 'BACKEND_TYPE'].find((name) =>
    into.get(name),
  );
  if (named === undefined) return undefined;
  const kind = KINDS[type];
  if (kind === undefined) into.refuse('REDIS_TYPE', 'SINGLE, SENTINEL or CLUSTER');
  else into.set(type === 'single' ? named : 'REDIS_TYPE', 'store.kind', kind);
  return kind;
}

function readUrls(into: ReferenceLayer, kind: string): void {
  const socketType = into.get('REDIS_SOCKET_TYPE')?.toLowerCase();
  if (socketType !== undefined && !['tcp', 'tcp4', 'tcp6', 'unix'].includes(socketType))
    into.refuse('REDIS_SOCKET_TYPE', 'tcp or unix');
  const url = into.get('REDIS_URL');
  if (url === undefined) {
    if (kind === 'redis' && (socketType ?? 'unix') === 'unix')
      into.set('REDIS_URL', 'store.urls', [DEFAULT_SOCKET]);
    else into.refuse('REDIS_URL', 'the address of Redis, since another REDIS_ name is set');
    return;
  }
  const items = parseList(url);
  if (kind === 'sentinel') {
    const [name, ...sentinels] = items;
    if (name === undefined || sentinels.length === 0) {
      into.refuse('REDIS_URL', 'the name of the master and then its Sentinels: name,host:port,host:port');
      return;
    }
    into.set('REDIS_URL', 'store.sentinel_name', name);
    into.set('REDIS_URL', 'store.urls', sentinels);
  } else {
    // Only a single Redis can be a socket; REDIS_SOCKET_TYPE means nothing to the others.
    into.set(
      'REDIS_URL',
      'store.urls',
      kind === 'redis' ? items.map((item) => address(item, socketType)) : items,
    );
  }
}

function readPrefix(into: ReferenceLayer): void {
  const prefix = into.get('CACHE_KEY_PREFIX');
  if (prefix === undefined) return;
  const bare = prefix.replace(/[{}]/g, '');
  if (bare !== prefix)
    into.warn('CACHE_KEY_PREFIX', `used without its braces, since the hash tag is the bucket's`);
  into.set('CACHE_KEY_PREFIX', 'store.key_prefix', bare);
}

/** Reads every name of the reference's list into a layer. Any Redis that is named makes the store a Redis store. */
export function parseReferenceEnvironment(env: Environment): ParsedReference {
  const into = new ReferenceLayer(env);
  readServerNames(into);
  const kind = readKind(into);
  if (kind !== undefined) readUrls(into, kind);
  readAuth(into, 'REDIS_AUTH', 'store.username', 'store.password');
  readAuth(into, 'REDIS_SENTINEL_AUTH', 'store.sentinel_username', 'store.sentinel_password');
  readPrefix(into);
  return into;
}
