/** Addresses of Redis: `host:port`, a socket's path or `unix:///path`, and redis:// or rediss:// URLs with credentials. */

import { resolve } from 'node:path';

/** Where one Redis listens. */
export type StoreEndpoint = { readonly host: string; readonly port: number } | { readonly path: string };

/** What one address says. */
export interface StoreAddress {
  readonly endpoint: StoreEndpoint;
  readonly username?: string;
  readonly password?: string;
  readonly database?: number;
  /** True for rediss://. */
  readonly tls?: boolean;
}

/** `[v6]:port`, `host:port` or `host`. */
const HOST_PORT = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:/@[\]]+))(?::(\d{1,5}))?$/;

function hostPort(text: string, defaultPort: number): StoreEndpoint | undefined {
  const match = HOST_PORT.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Splits `redis[s]://[user[:password]@]host[:port][/database]` by hand, since passwords often hold raw reserved characters. */
function parseUrl(scheme: string, rest: string, defaultPort: number): StoreAddress | undefined {
  const at = rest.lastIndexOf('@');
  const [place = '', database = '', ...more] = rest.slice(at + 1).split('/');
  const endpoint = hostPort(place, defaultPort);
  if (endpoint === undefined || more.length > 0 || !/^\d{0,5}$/.test(database)) return undefined;
  const info = at < 0 ? '' : rest.slice(0, at);
  const colon = info.indexOf(':');
  const username = decoded(colon < 0 ? info : info.slice(0, colon));
  const password = decoded(colon < 0 ? '' : info.slice(colon + 1));
  if (username === undefined || password === undefined) return undefined;
  return {
    endpoint,
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(database === '' ? {} : { database: Number(database) }),
    ...(scheme === 'rediss' ? { tls: true } : {}),
  };
}

/** Reads one address; undefined when it is none. */
export function parseStoreAddress(text: string, defaultPort: number): StoreAddress | undefined {
  const url = /^(rediss?):\/\/(.*)$/i.exec(text);
  if (url !== null) return parseUrl((url[1] ?? '').toLowerCase(), url[2] ?? '', defaultPort);
  const socket = /^unix:(?:\/\/)?(.+)$/i.exec(text)?.[1] ?? (text.startsWith('/') ? text : undefined);
  if (socket !== undefined) return { endpoint: { path: socket } };
  const endpoint = hostPort(text, defaultPort);
  return endpoint === undefined ? undefined : { endpoint };
}

/** Writes an endpoint as `store.urls` holds it after loading: `host:port`, `[v6]:port` or the absolute path of a socket. */
export function formatStoreEndpoint(endpoint: StoreEndpoint): string {
  if ('path' in endpoint) return resolve(endpoint.path);
  return endpoint.host.includes(':')
    ? `[${endpoint.host}]:${endpoint.port}`
    : `${endpoint.host}:${endpoint.port}`;
}
