/** `envoy.service.ratelimit.v3.RateLimitResponse` to and from bytes. */
import {
  MAX_UINT32,
  RlsCode,
  type JsonObject,
  type RlsCurrentLimit,
  type RlsHeader,
  type RlsResponse,
  type RlsStatus,
} from '../core/rls';
import { ProtoReader } from './proto-reader';
import { ProtoWriter } from './proto-writer';
import { readStruct, writeStruct } from './struct';

/** The longest `google.protobuf.Duration`, about 10,000 years; seconds. */
const MAX_DURATION_S = 315_576_000_000;

// One for all answers: writing is over when the function returns, and a buffer a call is a third of its cost.
const shared = new ProtoWriter();

/** Writes a response, into bytes of its own. Figures outside their field's range are clamped to it. */
export function encodeRateLimitResponse(response: RlsResponse): Uint8Array {
  const writer = shared.reset();
  writeResponse(writer, response);
  return writer.finish();
}

/** Writes a response's fields. */
export function writeResponse(writer: ProtoWriter, response: RlsResponse): void {
  if (response.overallCode !== 0) writer.varint(1, response.overallCode);
  for (const status of response.statuses) {
    const start = writer.begin(2);
    writeStatus(writer, status);
    writer.end(start);
  }
  for (const header of response.responseHeadersToAdd) {
    const start = writer.begin(3);
    if (header.key !== '') writer.string(1, header.key);
    if (header.value !== '') writer.string(2, header.value);
    writer.end(start);
  }
  if (response.dynamicMetadata !== undefined) {
    const start = writer.begin(6);
    writeStruct(writer, response.dynamicMetadata);
    writer.end(start);
  }
}

function writeStatus(writer: ProtoWriter, status: RlsStatus): void {
  if (status.code !== 0) writer.varint(1, status.code);
  const limit = status.currentLimit;
  if (limit !== undefined) {
    writeLimit(writer, limit);
  }
  const remaining = clampToUint32(status.limitRemaining);
  if (remaining !== 0) writer.varint(3, remaining);
  if (status.durationUntilResetS !== undefined) {
    const start = writer.begin(4);
    const seconds = clampDurationS(status.durationUntilResetS);
    if (seconds !== 0) writer.int64(1, seconds);
    writer.end(start);
  }
}

/** Writes the limit of a status, as its field 2. */
export function writeLimit(writer: ProtoWriter, limit: RlsCurrentLimit): void {
  const start = writer.begin(2);
  if (limit.requestsPerUnit !== 0) writer.varint(1, clampToUint32(limit.requestsPerUnit));
  if (limit.unit !== 0) writer.int64(2, limit.unit);
  if (limit.name !== '') writer.string(3, limit.name);
  writer.end(start);
}

/** The nearest whole number from 0 to 2^32-1. */
export function clampToUint32(value: number): number {
  return value >= MAX_UINT32 ? MAX_UINT32 : value > 0 ? Math.floor(value) : 0;
}

/** The nearest whole number of seconds, 0 or more, that a Duration carries. */
export function clampDurationS(seconds: number): number {
  return seconds >= MAX_DURATION_S ? MAX_DURATION_S : seconds > 0 ? Math.floor(seconds) : 0;
}

/**
 * Reads a response, for clients of the service: tests and benchmarks. Parts of a second in a duration are dropped,
 * and of a singular message that occurs twice the last one counts.
 * @throws TidegateError TG_REQUEST_MALFORMED or TG_REQUEST_BAD_UTF8.
 */
export function decodeRateLimitResponse(bytes: Uint8Array): RlsResponse {
  const reader = new ProtoReader(bytes);
  const statuses: RlsStatus[] = [];
  const responseHeadersToAdd: RlsHeader[] = [];
  let overallCode: RlsCode = RlsCode.UNKNOWN;
  let dynamicMetadata: JsonObject | undefined;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 0)) overallCode = codeOf(reader.int32());
    else if (tag === ((2 << 3) | 2)) statuses.push(readStatus(reader));
    else if (tag === ((3 << 3) | 2)) responseHeadersToAdd.push(readHeader(reader));
    else if (tag === ((6 << 3) | 2)) dynamicMetadata = readStruct(reader);
    else reader.skip(tag);
  }
  return {
    overallCode,
    statuses,
    responseHeadersToAdd,
    ...(dynamicMetadata !== undefined && { dynamicMetadata }),
  };
}

const codeOf = (number: number): RlsCode =>
  number === RlsCode.OK || number === RlsCode.OVER_LIMIT ? number : RlsCode.UNKNOWN;

function readStatus(reader: ProtoReader): RlsStatus {
  const outerEnd = reader.enter();
  let code: RlsCode = RlsCode.UNKNOWN;
  let currentLimit: RlsCurrentLimit | undefined;
  let limitRemaining = 0;
  let durationUntilResetS: number | undefined;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 0)) code = codeOf(reader.int32());
    else if (tag === ((2 << 3) | 2)) currentLimit = readLimit(reader);
    else if (tag === ((3 << 3) | 0)) limitRemaining = reader.varint32();
    else if (tag === ((4 << 3) | 2)) durationUntilResetS = readDurationS(reader);
    else reader.skip(tag);
  }
  reader.leave(outerEnd);
  return {
    code,
    limitRemaining,
    ...(currentLimit !== undefined && { currentLimit }),
    ...(durationUntilResetS !== undefined && { durationUntilResetS }),
  };
}

function readLimit(reader: ProtoReader): RlsCurrentLimit {
  const outerEnd = reader.enter();
  let requestsPerUnit = 0;
  let unit = 0;
  let name = '';
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 0)) requestsPerUnit = reader.varint32();
    else if (tag === ((2 << 3) | 0)) unit = reader.int32();
    else if (tag === ((3 << 3) | 2)) name = reader.string();
    else reader.skip(tag);
  }
  reader.leave(outerEnd);
  return { name, requestsPerUnit, unit };
}

function readDurationS(reader: ProtoReader): number {
  const outerEnd = reader.enter();
  let seconds = 0;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 0)) seconds = reader.int64();
    else reader.skip(tag);
  }
  reader.leave(outerEnd);
  return seconds;
}

function readHeader(reader: ProtoReader): RlsHeader {
  const outerEnd = reader.enter();
  let key = '';
  let value = '';
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 2)) key = reader.string();
    else if (tag === ((2 << 3) | 2)) value = reader.string();
    else reader.skip(tag);
  }
  reader.leave(outerEnd);
  return { key, value };
}
