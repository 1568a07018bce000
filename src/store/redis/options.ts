/** What a {@link RedisStore} can be told, and the checked, complete form of it. */
import { TidegateError } from '../../core/errors';
import type { Logger } from '../../core/ports';
import { parseRedisAddress, type RedisAddress } from './address';
import type { NodeGuard } from './node-guard';
import { SlotTags } from './slot-tags';

/** The kinds of Redis installation. */
export const REDIS_KINDS = ['redis', 'sentinel', 'cluster'] as const;
/** One of {@link REDIS_KINDS}. */
export type RedisKind = (typeof REDIS_KINDS)[number];

/** A user (empty for the default user) and a password (empty for none). */
export interface RedisCredentials {
  readonly username: string;
  readonly password: string;
}

/** TLS towards Redis; all of it PEM text. An empty object is TLS with the system's authorities. */
export interface RedisTls {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** Accept a certificate of another host; its chain is checked all the same. */
  readonly skipHostnameVerification?: boolean;
}

/** How to reach Redis, and the bounds within which to use it. */
export interface RedisStoreOptions {
  readonly kind: RedisKind;
  /** `host:port`, `redis://`, `rediss://` or `unix://`: the server, the Sentinels, or some nodes of the cluster. */
  readonly urls: readonly string[];
  readonly username?: string;
  readonly password?: string;
  /**
   * Read anew at every connection, so that a password can be rotated; wins over `username` and `password`. Should it
   * throw, the last ones stay in use; at construction the store's constructor throws it on.
   */
  readonly credentials?: () => RedisCredentials;
  readonly tls?: RedisTls;
  /** The group's name for kind `sentinel`. */
  readonly sentinelName?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** TLS towards the Sentinels. */
  readonly sentinelTls?: RedisTls;
  /** Before every key; must not contain a brace. */
  readonly keyPrefix?: string;
  /** In a cluster: how many hash tags buckets share; 0, the default, gives each bucket its own. At most 1,024. */
  readonly slotTags?: number;
  /** How long a connection may take to come up; ms. */
  readonly connectTimeoutMs?: number;
  /** A connection that owes replies and is silent for this long is dropped; ms. */
  readonly stallTimeoutMs?: number;
  /**
   * How long a node may take to answer before that is its failure, whatever deadlines callers set; ms. Absent: 0, so
   * that every deadline that passes is one. A caller in a hurry then cannot make a breaker open for all others.
   */
  readonly patienceMs?: number;
  /** Up to this much is added at random to a key's time to live, so that keys do not expire all at once; s. */
  readonly expiryJitterS?: number;
  /** Bucket calls that may wait for replies of one node, and that may wait to be sent. */
  readonly maxCallsInFlight?: number;
  /** Bucket calls that one script run carries at most; bounds how long Redis is busy with it. */
  readonly maxCallsPerScript?: number;
  /** Asked before a node is used and told how it went; absent means every node is always tried. */
  readonly guard?: NodeGuard;
  /** Told of each decision: how long it took, and the errors among its results. */
  readonly onDecided?: DecisionWatch;
  readonly logger?: Logger;
  /** Replicas that must confirm a take before it counts, by Redis's WAIT, and for how long; ms. Absent, or 0: none. */
  readonly waitReplicas?: number;
  readonly waitTimeoutMs?: number;
  /** The time that scripts go by instead of Redis TIME, us; for tests. Keys then outlive their use by all the jitter. */
  readonly timeUs?: () => number;
}

/** {@link RedisStoreOptions}, checked and with every default filled in. */
export interface RedisSettings {
  readonly kind: RedisKind;
  readonly addresses: readonly RedisAddress[];
  readonly credentials: () => RedisCredentials;
  readonly tls: RedisTls | undefined;
  readonly sentinelName: string;
  readonly sentinelCredentials: RedisCredentials;
  readonly sentinelTls: RedisTls | undefined;
  readonly keyPrefix: string;
  readonly slotTags: SlotTags | undefined;
  readonly connectTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly patienceMs: number;
  readonly expiryJitterMs: number;
  readonly maxCallsInFlight: number;
  readonly maxCallsPerScript: number;
  readonly guard: NodeGuard;
  readonly onDecided: DecisionWatch;
  readonly logger: Logger | undefined;
  /** Undefined: a take counts when the primary has it. */
  readonly wait: { readonly replicas: number; readonly timeoutMs: number } | undefined;
  /** Undefined for Redis TIME. */
  readonly timeUs: (() => number) | undefined;
}

/** Told of a decision: how long it took, ms, and the errors among its results. */
export type DecisionWatch = (latencyMs: number, errors: readonly TidegateError[]) => void;

const ALWAYS: NodeGuard = { admit: () => true, succeeded: () => undefined, failed: () => undefined };

/** Credentials that stay as they were when they cannot be read anew; the first reading throws what it throws. */
function steady(read: () => RedisCredentials, logger: Logger | undefined): () => RedisCredentials {
  let last = read();
  return () => {
    try {
      last = read();
    } catch (thrown) {
      const error = TidegateError.from(thrown);
      logger?.error({ code: error.code, error: error.message }, 'the credentials for Redis cannot be read');
    }
    return last;
  };
}

/** Figures with their defaults and ranges. */
const FIGURES = {
  connectTimeoutMs: { value: 2_000, min: 1, max: 600_000 },
  stallTimeoutMs: { value: 3_000, min: 10, max: 600_000 },
  patienceMs: { value: 0, min: 0, max: 600_000 },
  slotTags: { value: 0, min: 0, max: 1_024 },
  expiryJitterS: { value: 0, min: 0, max: 86_400 },
  maxCallsInFlight: { value: 20_000, min: 1, max: 10_000_000 },
  waitReplicas: { value: 0, min: 0, max: 100 },
  waitTimeoutMs: { value: 10, min: 1, max: 60_000 },
  maxCallsPerScript: { value: 128, min: 1, max: 2_000 },
} as const;

/**
 * Checks and completes the options.
 * @throws TidegateError TG_SETTINGS_INVALID or TG_SETTINGS_CONFLICT.
 */
export function resolveRedisOptions(options: RedisStoreOptions): RedisSettings {
  const addresses = options.urls.map(parseRedisAddress);
  const [first] = addresses;
  if (first === undefined) throw invalid('store.urls', 'names no server');
  if (options.kind === 'redis' && addresses.length > 1) {
    throw new TidegateError('TG_SETTINGS_CONFLICT', `store.urls names ${addresses.length} servers`, {
      remedy: 'name one, or set store.kind to sentinel or cluster',
    });
  }
  if (
    options.kind === 'cluster' &&
    addresses.some((each) => each.path !== '' || (each.database ?? 0) !== 0)
  ) {
    throw new TidegateError(
      'TG_SETTINGS_CONFLICT',
      'a Redis Cluster has neither Unix sockets nor databases other than 0',
      { remedy: 'write host:port for every node in store.urls' },
    );
  }
  if (options.kind === 'sentinel' && (options.sentinelName ?? '') === '') {
    throw invalid('store.sentinel.name', 'must name the group that the Sentinels watch');
  }
  const keyPrefix = options.keyPrefix ?? '';
  if (/[{}]/.test(keyPrefix)) throw invalid('store.key_prefix', 'must not contain a brace');
  const waitReplicas = figure('waitReplicas', options.waitReplicas);
  const wait = { replicas: waitReplicas, timeoutMs: figure('waitTimeoutMs', options.waitTimeoutMs) };
  const slotTags = options.kind === 'cluster' ? figure('slotTags', options.slotTags) : 0;
  const fixed: RedisCredentials = {
    username: options.username ?? first.username ?? '',
    password: options.password ?? first.password ?? '',
  };
  return {
    kind: options.kind,
    addresses,
    credentials: steady(options.credentials ?? (() => fixed), options.logger),
    tls: options.tls ?? (addresses.some((each) => each.tls) ? {} : undefined),
    sentinelName: options.sentinelName ?? '',
    sentinelCredentials: {
      username: options.sentinelUsername ?? '',
      password: options.sentinelPassword ?? '',
    },
    sentinelTls: options.sentinelTls,
    keyPrefix,
    slotTags: slotTags === 0 ? undefined : new SlotTags(slotTags),
    connectTimeoutMs: figure('connectTimeoutMs', options.connectTimeoutMs),
    stallTimeoutMs: figure('stallTimeoutMs', options.stallTimeoutMs),
    patienceMs: figure('patienceMs', options.patienceMs),
    expiryJitterMs: figure('expiryJitterS', options.expiryJitterS) * 1_000,
    maxCallsInFlight: figure('maxCallsInFlight', options.maxCallsInFlight),
    maxCallsPerScript: figure('maxCallsPerScript', options.maxCallsPerScript),
    guard: options.guard ?? ALWAYS,
    onDecided: options.onDecided ?? (() => undefined),
    logger: options.logger,
    wait: waitReplicas === 0 ? undefined : wait,
    timeUs: options.timeUs,
  };
}

function figure(name: keyof typeof FIGURES, given: number | undefined): number {
  const { value, min, max } = FIGURES[name];
  const figureUsed = given ?? value;
  if (!(figureUsed >= min && figureUsed <= max)) {
    throw invalid(name, `must be ${min} to ${max}, not ${figureUsed}`);
  }
  return figureUsed;
}

function invalid(key: string, what: string): TidegateError {
  return new TidegateError('TG_SETTINGS_INVALID', `${key} ${what}`);
}
