/**
 * Levels of token buckets that lie in many slots: a look takes no script, so a node's buckets are read in one pipeline, and
 * worked out here as `levels.lua` does there. What a node does not have, since its slot has moved, is left to the script.
 */
import { evaluateTokenBucket, newTokenBucket } from '../../bucket/token-bucket';
import type { BucketParams } from '../../core/buckets';
import { TidegateError } from '../../core/errors';
import type { BucketLevel } from '../../core/pool-link';
import type { RedisNode } from './redis-node';

/** A bucket to be read, by its key in Redis. */
export interface ReadBucket {
  readonly key: string;
  readonly params: BucketParams;
}

/** What was read of a bucket; undefined where it has to be asked for otherwise. */
export type ReadLevel = BucketLevel | TidegateError | undefined;

const STORED_BYTES = 36;
const [LAST_AT, CAPACITY_AT, RATE_AT, VERSION_AT] = [8, 16, 20, 28] as const;

/**
 * Reads buckets of one node. Rejects where the node cannot say what time it is.
 * @param timeUs the time to go by instead of the node's, for tests; 0 in production.
 */
export async function readLevels(
  node: RedisNode,
  buckets: readonly ReadBucket[],
  timeUs: number,
): Promise<readonly ReadLevel[]> {
  const commands = buckets.map(({ key }): [string, string[]] => ['get', [key]]);
  const [time, ...stored] = await node.askAll([['time', []], ...commands]);
  const nowUs = timeUs > 0 ? timeUs : timeOf(time);
  return buckets.map(({ params }, at) => levelOf(stored[at], params, nowUs));
}

function levelOf(reply: unknown, offered: BucketParams, nowUs: number): ReadLevel {
  if (reply === null) return { tokens: offered.capacity, capacity: offered.capacity };
  if (!Buffer.isBuffer(reply)) return undefined;
  if (reply.length !== STORED_BYTES)
    return new TidegateError('TG_STORE_REPLY', 'a key holds something else than a token bucket');
  const held = {
    ...offered,
    capacity: reply.readUInt32LE(CAPACITY_AT),
    rateUtPerS: reply.readDoubleLE(RATE_AT),
    version: reply.readDoubleLE(VERSION_AT),
  };
  const state = newTokenBucket(held, nowUs);
  state.tokensUt = reply.readDoubleLE(0);
  state.lastUs = reply.readDoubleLE(LAST_AT);
  const { remaining } = evaluateTokenBucket(state, offered, 0, nowUs, 'never');
  return { tokens: remaining, capacity: state.params.capacity };
}

function timeOf(reply: unknown): number {
  const [seconds, us] = Array.isArray(reply) ? (reply as unknown[]).map((part) => Number(String(part))) : [];
  if (seconds !== undefined && us !== undefined && seconds > 0) return seconds * 1_000_000 + us;
  if (reply instanceof Error) throw reply;
  throw new TidegateError('TG_STORE_REPLY', 'Redis does not tell the time');
}
