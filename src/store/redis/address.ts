/** Where a Redis server listens, as settings write it. */
import { TidegateError } from '../../core/errors';

/** One server's address, with what a URL may say besides. */
export interface RedisAddress {
  /** Empty for a Unix socket. */
  readonly host: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** The Unix socket's path, else empty. */
  readonly path: string;
  /** True for `rediss://`. */
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  /** The database number of a `redis://host/2` URL. */
  readonly database?: number;
}

const DEFAULT_PORT = 6379;
const MAX_PORT = 65_535;

/** `host:port`, or the socket's path: a node's name in logs, metrics and MOVED replies. */
export function addressName(address: RedisAddress): string {
  return address.path === '' ? joinHostPort(address.host, address.port) : address.path;
}

/** `host:port`, with brackets around an IPv6 host. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Splits `host:port`, `[v6]:port` or (as Redis itself writes it) `v6:port`; undefined when it is neither. */
export function splitHostPort(text: string): { host: string; port: number } | undefined {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return undefined;
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
  const digits = text.slice(colon + 1);
  const port = Number(digits);
  if (host.includes('/') || !/^\d{1,5}$/.test(digits) || port < 1 || port > MAX_PORT) return undefined;
  return { host, port };
}

/**
 * Reads one address: `host:port`, `host`, `redis://`, `rediss://`, `unix://` or the absolute path of a Unix socket.
 * @throws TidegateError TG_SETTINGS_INVALID; the text is not repeated when it may hold a password.
 */
export function parseRedisAddress(text: string): RedisAddress {
  const trimmed = text.trim();
  if (trimmed.startsWith('/')) return { host: '', port: 0, path: trimmed, tls: false };
  if (/^[a-z]+:\/\//i.test(trimmed)) return parseUrl(trimmed);
  const pair = splitHostPort(trimmed);
  if (pair !== undefined && pair.host !== '') return { ...pair, path: '', tls: false };
  if (/^[\w.-]+$/.test(trimmed)) return { host: trimmed, port: DEFAULT_PORT, path: '', tls: false };
  throw badAddress(trimmed.includes('@') ? 'an address' : `\`${trimmed}\``);
}

function parseUrl(text: string): RedisAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw badAddress('a URL');
  }
  const scheme = url.protocol.slice(0, -1).toLowerCase();
  const credentials = {
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
  };
  if (scheme === 'unix') return { host: '', port: 0, path: url.pathname, tls: false, ...credentials };
  if (scheme !== 'redis' && scheme !== 'rediss') throw badAddress(`a URL with the scheme \`${scheme}\``);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const database = url.pathname.replace(/^\//, '');
  if (host === '' || !/^\d{0,5}$/.test(database)) throw badAddress('a URL');
  return {
    host,
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    path: '',
    tls: scheme === 'rediss',
    ...credentials,
    ...(database === '' ? {} : { database: Number(database) }),
  };
}

function badAddress(what: string): TidegateError {
  return new TidegateError('TG_SETTINGS_INVALID', `${what} in store.urls is not an address of Redis`, {
    remedy: 'write host:port, redis://host:port, rediss://host:port, or unix:///path',
  });
}
