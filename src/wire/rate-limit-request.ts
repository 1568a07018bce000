/**
 * `envoy.service.ratelimit.v3.RateLimitRequest` to and from bytes.
 * A field that occurs twice counts as protobuf says: the last scalar wins, messages are merged, lists grow. A known
 * field with another wire type than its own is skipped like an unknown one, as other protobuf decoders do.
 */
import { TidegateError } from '../core/errors';
import type { RlsDescriptor, RlsEntry, RlsLimitOverride, RlsRequest } from '../core/rls';
import { ProtoReader } from './proto-reader';
import { ProtoWriter } from './proto-writer';

/** How much a request may ask for. */
export interface RequestBounds {
  /** The message's length, bytes. */
  readonly maxMessageBytes: number;
  /** Descriptors of one request. */
  readonly maxDescriptors: number;
  /** Entries of one descriptor. */
  readonly maxEntries: number;
}

/** Bounds well above what Envoy's filters send. */
export const DEFAULT_REQUEST_BOUNDS: RequestBounds = {
  maxMessageBytes: 1_048_576,
  maxDescriptors: 1_024,
  maxEntries: 64,
};

/** A field's tag: its number x 8 + its wire type. */
const DOMAIN = (1 << 3) | 2;
const DESCRIPTORS = (2 << 3) | 2;
const HITS_ADDEND = (3 << 3) | 0;
const ENTRIES = (1 << 3) | 2;
const LIMIT = (2 << 3) | 2;
const DESCRIPTOR_HITS_ADDEND = (3 << 3) | 2;
const IS_NEGATIVE_HITS = (4 << 3) | 0;
const ENTRY_KEY = (1 << 3) | 2;
const ENTRY_VALUE = (2 << 3) | 2;
const REQUESTS_PER_UNIT = (1 << 3) | 0;
const UNIT = (2 << 3) | 0;
const WRAPPED_VALUE = (1 << 3) | 0;

/**
 * Reads a request.
 * @throws TidegateError TG_REQUEST_MALFORMED, TG_REQUEST_TOO_LARGE or TG_REQUEST_BAD_UTF8; nothing else.
 */
export function decodeRateLimitRequest(
  bytes: Uint8Array,
  bounds: RequestBounds = DEFAULT_REQUEST_BOUNDS,
): RlsRequest {
  if (bytes.length > bounds.maxMessageBytes) {
    throw tooLarge('the message', bytes.length, bounds.maxMessageBytes, 'bytes');
  }
  const reader = new ProtoReader(bytes);
  const descriptors: RlsDescriptor[] = [];
  let domain = '';
  let hitsAddend = 0;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === DESCRIPTORS) {
      if (descriptors.length === bounds.maxDescriptors) {
        throw tooLarge('the request', bounds.maxDescriptors + 1, bounds.maxDescriptors, 'descriptors');
      }
      descriptors.push(readDescriptor(reader, bounds.maxEntries));
    } else if (tag === DOMAIN) domain = reader.string();
    else if (tag === HITS_ADDEND) hitsAddend = reader.varint32();
    else reader.skip(tag);
  }
  return { domain, descriptors, hitsAddend };
}

/** Writes a request. Numbers are expected in their ranges: 32 bits for `hitsAddend`, 2^53-1 for a descriptor's. */
export function encodeRateLimitRequest(request: RlsRequest): Uint8Array {
  const writer = new ProtoWriter();
  if (request.domain !== '') writer.string(1, request.domain);
  for (const descriptor of request.descriptors) {
    writer.message(2, () => writeDescriptor(writer, descriptor));
  }
  if (request.hitsAddend !== 0) writer.varint(3, request.hitsAddend);
  return writer.finish();
}

function readDescriptor(reader: ProtoReader, maxEntries: number): RlsDescriptor {
  const outerEnd = reader.enter();
  const entries: RlsEntry[] = [];
  let limit: RlsLimitOverride | undefined;
  let hitsAddend: number | undefined;
  let negativeHits = false;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ENTRIES) {
      if (entries.length === maxEntries) {
        throw tooLarge('a descriptor', maxEntries + 1, maxEntries, 'entries');
      }
      entries.push(readEntry(reader));
    } else if (tag === LIMIT) limit = readOverride(reader, limit);
    else if (tag === DESCRIPTOR_HITS_ADDEND) hitsAddend = readWrapped(reader, hitsAddend ?? 0);
    else if (tag === IS_NEGATIVE_HITS) negativeHits = reader.bool();
    else reader.skip(tag);
  }
  reader.leave(outerEnd);
  return {
    entries,
    negativeHits,
    ...(limit !== undefined && { limit }),
    ...(hitsAddend !== undefined && { hitsAddend }),
  };
}

function readEntry(reader: ProtoReader): RlsEntry {
  const outerEnd = reader.enter();
  let key = '';
  let value = '';
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ENTRY_KEY) key = reader.string();
    else if (tag === ENTRY_VALUE) value = reader.string();
    else reader.skip(tag);
  }
  reader.leave(outerEnd);
  return { key, value };
}

function readOverride(reader: ProtoReader, earlier: RlsLimitOverride | undefined): RlsLimitOverride {
  const outerEnd = reader.enter();
  let requestsPerUnit = earlier?.requestsPerUnit ?? 0;
  let unit = earlier?.unit ?? 0;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === REQUESTS_PER_UNIT) requestsPerUnit = reader.varint32();
    else if (tag === UNIT) unit = reader.int32();
    else reader.skip(tag);
  }
  reader.leave(outerEnd);
  return { requestsPerUnit, unit };
}

/** `google.protobuf.UInt64Value`. */
function readWrapped(reader: ProtoReader, earlier: number): number {
  const outerEnd = reader.enter();
  let value = earlier;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === WRAPPED_VALUE) value = reader.uint64();
    else reader.skip(tag);
  }
  reader.leave(outerEnd);
  return value;
}

function writeDescriptor(writer: ProtoWriter, descriptor: RlsDescriptor): void {
  for (const entry of descriptor.entries) {
    writer.message(1, () => {
      if (entry.key !== '') writer.string(1, entry.key);
      if (entry.value !== '') writer.string(2, entry.value);
    });
  }
  const { limit, hitsAddend } = descriptor;
  if (limit !== undefined) {
    writer.message(2, () => {
      if (limit.requestsPerUnit !== 0) writer.varint(1, limit.requestsPerUnit);
      if (limit.unit !== 0) writer.int64(2, limit.unit);
    });
  }
  if (hitsAddend !== undefined) {
    writer.message(3, () => {
      if (hitsAddend !== 0) writer.int64(1, hitsAddend);
    });
  }
  if (descriptor.negativeHits) writer.bool(4, true);
}

/** The error for a part of a request that is over its bound. */
export function tooLarge(what: string, found: number, most: number, unit: string): TidegateError {
  return new TidegateError(
    'TG_REQUEST_TOO_LARGE',
    `${what} has ${found} ${unit} or more; at most ${most} are allowed`,
  );
}
