/** Tables and orders as JSON text in Redis, read with doubt: others write there too. */
import {
  POOL_MODES,
  type ModeOrder,
  type Override,
  type PoolTable,
  type TunedBucket,
} from '../../core/control';
import { LEARNING_ORDERS, type LearningOrder } from '../../core/learning';
import { PRIORITIES } from '../../core/priority';

/** A table but for what the store gives it. */
export type TableBody = Omit<PoolTable, 'pool' | 'epoch' | 'sequence' | 'version'>;

/** Buckets of a table, and lenders of a bucket, that are read. */
const MAX_BUCKETS = 20_000;
const MAX_LENDERS = 16;

type Fields = Readonly<Record<string, unknown>>;

/** @returns undefined for what is no table; buckets that are none are left out. */
export function readTableBody(text: string): TableBody | undefined {
  const fields = readFields(text);
  if (fields === undefined) return undefined;
  const { madeAtMs, lifeMs, decayMs, buckets, state } = fields;
  const mode = POOL_MODES.find((known) => known === fields['mode']);
  if (!isFigure(madeAtMs) || !isFigure(lifeMs) || !isFigure(decayMs) || mode === undefined) return undefined;
  if (!Array.isArray(buckets) || typeof state !== 'string') return undefined;
  return {
    madeAtMs,
    lifeMs,
    decayMs,
    mode,
    buckets: buckets.slice(0, MAX_BUCKETS).flatMap(readBucket),
    state,
  };
}

/** @returns undefined for what is no override. */
export function readOverride(pool: string, text: string): Override | undefined {
  const fields = readFields(text);
  if (fields === undefined) return undefined;
  const { member, ratePerS, capacity, lending, untilMs, author, reason, setAtMs } = fields;
  const priority = PRIORITIES.find((known) => known === fields['priority']);
  if (typeof member !== 'string' || typeof author !== 'string' || typeof reason !== 'string')
    return undefined;
  if (!isFigure(untilMs) || !isFigure(setAtMs)) return undefined;
  return {
    pool,
    member,
    ...(isFigure(ratePerS) ? { ratePerS } : {}),
    ...(isFigure(capacity) ? { capacity } : {}),
    ...(typeof lending === 'boolean' ? { lending } : {}),
    ...(priority === undefined ? {} : { priority }),
    untilMs,
    author,
    reason,
    setAtMs,
  };
}

/** @returns undefined for what is no order for a mode. */
export function readModeOrder(pool: string, text: string): ModeOrder | undefined {
  const fields = readFields(text);
  if (fields === undefined) return undefined;
  const { author, reason, setAtMs } = fields;
  const mode = POOL_MODES.find((known) => known === fields['mode']);
  if (mode === undefined || typeof author !== 'string' || typeof reason !== 'string' || !isFigure(setAtMs))
    return undefined;
  return { pool, mode, author, reason, setAtMs };
}

/** @returns undefined for what is no order about learning. */
export function readLearningOrder(pool: string, text: string): LearningOrder | undefined {
  const fields = readFields(text);
  if (fields === undefined) return undefined;
  const { author, reason, setAtMs } = fields;
  const mode = LEARNING_ORDERS.find((known) => known === fields['mode']);
  if (mode === undefined || typeof author !== 'string' || typeof reason !== 'string' || !isFigure(setAtMs))
    return undefined;
  return { pool, mode, author, reason, setAtMs };
}

function readBucket(row: unknown): TunedBucket[] {
  if (!isFields(row)) return [];
  const { id, ruleId, bucketKey, ratePerS, capacity, lenders } = row;
  if (typeof id !== 'string' || typeof ruleId !== 'string' || typeof bucketKey !== 'string') return [];
  if (!isFigure(ratePerS) || !isFigure(capacity) || !Array.isArray(lenders)) return [];
  return [
    { id, ruleId, bucketKey, ratePerS, capacity, lenders: lenders.slice(0, MAX_LENDERS).flatMap(readLender) },
  ];
}

function readLender(row: unknown): TunedBucket['lenders'][number][] {
  if (!isFields(row)) return [];
  const { bucketKey, keep } = row;
  return typeof bucketKey === 'string' && isFigure(keep) ? [{ bucketKey, keep }] : [];
}

function readFields(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function isFigure(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
