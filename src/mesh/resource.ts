/** Resources: what users write, validated and encoded, with a version that is a hash of the content. */
import { createHash } from 'node:crypto';
import { TidegateError } from '../core/errors';
import { definitions, TYPE_URL_PREFIX, type PlainMessage } from './definitions';
import { messageFromJson } from './message-from-json';
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, RUNTIME_TYPE, WARMED_BY } from './resource-types';

/** One encoded resource. */
export interface MeshResource {
  readonly typeUrl: string;
  readonly name: string;
  /** A hash of type, name, content and time to live: replicas with the same content agree. */
  readonly version: string;
  /** The encoded message. */
  readonly body: Uint8Array;
  /** After so long without a word from us the client drops it. Runtime layers only. */
  readonly ttlMs?: number;
  /** Names of the resources that this one waits for when it changes: endpoints of a cluster, routes of a listener. */
  readonly waitsFor: readonly string[];
}

/** What may be said beside a resource. */
export interface ResourceOptions {
  /** Where it stands in the user's input, such as `clusters[0]`. */
  readonly path?: string;
  /** At least {@link MIN_TTL_MS}; runtime layers only. */
  readonly ttlMs?: number;
}

/** The shortest time to live, milliseconds: heartbeats must arrive well within it. */
export const MIN_TTL_MS = 3_000;

/** The hexadecimal digits of a SHA-256 that are kept: 128 bits. */
const VERSION_DIGITS = 32;

const NAME_FIELDS: ReadonlyMap<string, string> = new Map([[ENDPOINT_TYPE, 'cluster_name']]);

/**
 * Validates and encodes a resource as a user writes it, in JSON names or proto names.
 * Throws `TG_MESH_UNKNOWN_TYPE`, `TG_MESH_UNKNOWN_FIELD`, `TG_MESH_WRONG_VALUE`, `TG_MESH_NO_NAME` or `TG_MESH_TTL`.
 */
export function resourceFromJson(
  typeUrl: string,
  value: unknown,
  options: ResourceOptions = {},
): MeshResource {
  const path = options.path ?? '';
  const known = definitions();
  const { '@type': stated, ...content } = plainObject(value, path);
  if (stated !== undefined && stated !== typeUrl) {
    throw new TidegateError('TG_MESH_WRONG_VALUE', `expected ${typeUrl}`, { at: { key: `${path}.@type` } });
  }
  const fullName = typeUrl.startsWith(TYPE_URL_PREFIX) ? typeUrl.slice(TYPE_URL_PREFIX.length) : '';
  const message = messageFromJson(known, fullName, content, path);
  const name = message[NAME_FIELDS.get(typeUrl) ?? 'name'];
  if (typeof name !== 'string' || name === '' || name === '*') {
    throw new TidegateError('TG_MESH_NO_NAME', 'a resource needs a name, and * is none', {
      at: { key: path },
    });
  }
  checkTtl(typeUrl, options.ttlMs, path);
  const body = known.encode(fullName, message);
  return {
    typeUrl,
    name,
    body,
    version: contentHash([typeUrl, name, body, String(options.ttlMs ?? '')]),
    waitsFor: WARMED_BY.has(typeUrl) ? waitedFor(typeUrl, name, message, content) : [],
    ...(options.ttlMs === undefined ? {} : { ttlMs: options.ttlMs }),
  };
}

/** A resource with another content of the same name, of which it waits for the same. */
export function withBody(resource: MeshResource, body: Uint8Array): MeshResource {
  const { typeUrl, name, ttlMs } = resource;
  return { ...resource, body, version: contentHash([typeUrl, name, body, String(ttlMs ?? '')]) };
}

/** A version of several parts, in their order; each part counts with its length, so that none runs into the next. */
export function contentHash(parts: Iterable<string | Uint8Array>): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    hash.update(`${typeof part === 'string' ? Buffer.byteLength(part) : part.length}:`).update(part);
  }
  return hash.digest('hex').slice(0, VERSION_DIGITS);
}

function plainObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new TidegateError('TG_MESH_WRONG_VALUE', 'expected an object', { at: { key: path } });
}

function checkTtl(typeUrl: string, ttlMs: number | undefined, path: string): void {
  if (ttlMs === undefined) return;
  if (typeUrl !== RUNTIME_TYPE) {
    throw new TidegateError('TG_MESH_TTL', 'only a runtime layer may have a time to live', {
      at: { key: path },
    });
  }
  if (!Number.isSafeInteger(ttlMs) || ttlMs < MIN_TTL_MS) {
    throw new TidegateError('TG_MESH_TTL', `a time to live is at least ${MIN_TTL_MS} ms`, {
      at: { key: path },
    });
  }
}

function waitedFor(typeUrl: string, name: string, message: PlainMessage, content: unknown): string[] {
  if (typeUrl === LISTENER_TYPE) return [...routesIn(content)];
  const eds = message['eds_cluster_config'] as PlainMessage | undefined;
  if (typeUrl !== CLUSTER_TYPE || eds === undefined) return [];
  const service = eds['service_name'];
  return [typeof service === 'string' && service !== '' ? service : name];
}

/** The route configurations that a listener's connection managers ask for, wherever they nest. */
function routesIn(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return found;
  for (const [key, one] of Object.entries(value)) {
    if ((key === 'route_config_name' || key === 'routeConfigName') && typeof one === 'string') found.add(one);
    else routesIn(one, found);
  }
  return found;
}
