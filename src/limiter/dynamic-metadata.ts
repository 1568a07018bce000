/** The dynamic metadata of an answer: what was asked, and the merged metadata of the rules that let it pass. */
import { UNITS, type JsonObject, type JsonValue, type RlsDescriptor, type RlsRequest } from '../core/rls';
import type { PlanItem } from './plan';

/** @param passed indices of the descriptors that passed. */
export function dynamicMetadata(
  request: RlsRequest,
  items: readonly PlanItem[],
  passed: readonly number[],
): JsonObject {
  const merged: Record<string, JsonValue> = {};
  for (const index of passed) {
    const item = items[index];
    if (item?.kind === 'limited' && item.metadata !== undefined) mergeFirstWins(merged, item.metadata);
  }
  return {
    domain: request.domain,
    descriptors: request.descriptors.map(describe),
    ...(request.hitsAddend === 0 ? {} : { hitsAddend: request.hitsAddend }),
    ...(Object.keys(merged).length === 0 ? {} : { metadata: merged }),
  };
}

function describe(descriptor: RlsDescriptor): JsonObject {
  const { limit, hitsAddend } = descriptor;
  return {
    entries: descriptor.entries.map((entry) => `${entry.key}=${entry.value}`),
    ...(limit === undefined ? {} : { limit: describeLimit(limit.requestsPerUnit, limit.unit) }),
    ...(hitsAddend === undefined ? {} : { hitsAddend }),
  };
}

/** The names of `envoy.type.v3.RateLimitUnit`, which an override is given in; unlike answers, it knows no week. */
const OVERRIDE_UNITS = UNITS.filter((unit) => unit.name !== 'WEEK');

/** Protobuf text form, as the reference prints an override. */
function describeLimit(requestsPerUnit: number, unit: number): string {
  const name = OVERRIDE_UNITS.find((known) => known.number === unit)?.name ?? String(unit);
  return [
    requestsPerUnit === 0 ? '' : `requests_per_unit:${requestsPerUnit}`,
    unit === 0 ? '' : `unit:${name}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** Copies what is new; where both have a mapping, its members likewise. */
function mergeFirstWins(into: Record<string, JsonValue>, from: JsonObject): void {
  for (const [key, value] of Object.entries(from)) {
    const present = Object.hasOwn(into, key) ? into[key] : undefined;
    if (present === undefined) {
      define(into, key, isObject(value) ? copyOf(value) : value);
    } else if (isObject(present) && isObject(value)) {
      mergeFirstWins(present, value);
    }
  }
}

function copyOf(object: JsonObject): JsonObject {
  const copy: Record<string, JsonValue> = {};
  mergeFirstWins(copy, object);
  return copy;
}

/** Assigns without touching a prototype, whatever the key is. */
function define(object: Record<string, JsonValue>, key: string, value: JsonValue): void {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
