/**
 * Scalars and well-known types of proto3 as JSON has them.
 * Source: protobuf.dev, "ProtoJSON Format".
 */
import { TidegateError } from '../core/errors';
import type { PlainMessage } from './definitions';

/** Refuses a value. Throws `TG_MESH_WRONG_VALUE` with the path. */
export function refuse(path: string, expected: string, value: unknown): never {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : kindOf(value);
  throw new TidegateError('TG_MESH_WRONG_VALUE', `expected ${expected}, got ${shown}`, { at: { key: path } });
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object'
    ? 'an object'
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : typeof value;
}

const INTEGER_BOUNDS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  sint32: [-(2n ** 31n), 2n ** 31n - 1n],
  sfixed32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  fixed32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  sint64: [-(2n ** 63n), 2n ** 63n - 1n],
  sfixed64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  fixed64: [0n, 2n ** 64n - 1n],
};
const MAX_FLOAT = 3.4028234663852886e38;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** A scalar of a field's type; 64-bit numbers as decimal text, which the encoder takes. */
export function scalarFromJson(kind: string, value: unknown, path: string): unknown {
  const bounds = INTEGER_BOUNDS[kind];
  if (bounds !== undefined) return integer(kind, bounds, value, path);
  switch (kind) {
    case 'bool':
      return typeof value === 'boolean' ? value : refuse(path, 'true or false', value);
    case 'string':
      return typeof value === 'string' ? value : refuse(path, 'text', value);
    case 'bytes':
      return typeof value === 'string' && BASE64.test(value)
        ? new Uint8Array(Buffer.from(value, 'base64'))
        : refuse(path, 'bytes as base64', value);
    default:
      return real(kind, value, path);
  }
}

function integer(
  kind: string,
  [least, most]: readonly [bigint, bigint],
  value: unknown,
  path: string,
): unknown {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string' || !/^-?\d{1,20}$/.test(text))
    return refuse(path, `a whole number (${kind})`, value);
  const exact = BigInt(text);
  if (exact < least || exact > most) return refuse(path, `a number from ${least} to ${most}`, value);
  return kind.endsWith('64') ? longOf(exact) : Number(exact);
}

/** What the encoder takes as 64 bits: two halves. */
function longOf(value: bigint): PlainMessage {
  const bits = BigInt.asUintN(64, value);
  return { low: Number(bits & 0xffffffffn) | 0, high: Number(bits >> 32n) | 0, unsigned: value >= 0n };
}

function real(kind: string, value: unknown, path: string): number {
  const named = value === 'NaN' || value === 'Infinity' || value === '-Infinity';
  const digits = typeof value === 'string' && /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(value);
  const number =
    typeof value === 'number' || named || digits ? Number(value) : refuse(path, 'a number', value);
  if (kind === 'float' && Number.isFinite(number) && Math.abs(number) > MAX_FLOAT) {
    return refuse(path, 'a number of 32 bits', value);
  }
  return number;
}

/** `5s`, `0.25s` as google.protobuf.Duration. */
export function durationFromJson(value: unknown, path: string): PlainMessage {
  const match = typeof value === 'string' ? /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(value) : null;
  if (match === null) return refuse(path, 'a duration in seconds such as "0.25s"', value);
  const sign = match[1] === '-' ? -1 : 1;
  const seconds = BigInt(match[2] ?? '0') * BigInt(sign);
  return { seconds: longOf(seconds), nanos: sign * Number((match[3] ?? '').padEnd(9, '0')) };
}

/** RFC 3339 text as google.protobuf.Timestamp. */
export function timestampFromJson(value: unknown, path: string): PlainMessage {
  const match =
    typeof value === 'string'
      ? /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(value)
      : null;
  const ms = match === null ? NaN : Date.parse(`${match[1]}${match[3]}`);
  if (match === null || Number.isNaN(ms)) return refuse(path, 'a time such as "2020-01-02T03:04:05Z"', value);
  return { seconds: longOf(BigInt(ms / 1_000)), nanos: Number((match[2] ?? '').padEnd(9, '0')) };
}

/** Any JSON as google.protobuf.Value; keys in order, so that equal content encodes equally. */
export function valueFromJson(value: unknown, path: string, depth = 0): PlainMessage {
  if (depth > 64) return refuse(path, 'at most 64 levels', value);
  if (value === null || value === undefined) return { null_value: 0 };
  if (typeof value === 'number') return { number_value: value };
  if (typeof value === 'string') return { string_value: value };
  if (typeof value === 'boolean') return { bool_value: value };
  if (Array.isArray(value)) return { list_value: listFromJson(value, path, depth) };
  if (typeof value === 'object') return { struct_value: structFromJson(value, path, depth) };
  return refuse(path, 'JSON', value);
}

/** An object as google.protobuf.Struct. */
export function structFromJson(value: unknown, path: string, depth = 0): PlainMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(path, 'an object', value);
  const fields: PlainMessage = Object.create(null) as PlainMessage;
  for (const [key, one] of sortedEntries(value))
    fields[key] = valueFromJson(one, `${path}.${key}`, depth + 1);
  return { fields };
}

/** A list as google.protobuf.ListValue. */
export function listFromJson(value: unknown, path: string, depth = 0): PlainMessage {
  if (!Array.isArray(value)) return refuse(path, 'a list', value);
  return { values: value.map((one, index) => valueFromJson(one, `${path}[${index}]`, depth + 1)) };
}

/** An object's entries by key, in code units' order. */
export function sortedEntries(value: object): [string, unknown][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
