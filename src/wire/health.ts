/** gRPC's health messages to and from bytes. Source: grpc/health/v1/health.proto. */
import { TidegateError } from '../core/errors';
import { ProtoReader } from './proto-reader';
import { ProtoWriter } from './proto-writer';

/** `HealthCheckResponse.ServingStatus`, the two values that a check answers with. */
export const ServingStatus = { SERVING: 1, NOT_SERVING: 2 } as const;

/** A health check asks in a few bytes; more is not a health check. */
const MAX_REQUEST_BYTES = 4_096;

/**
 * Reads a HealthCheckRequest.
 * @returns the service asked about; empty for the server as a whole.
 * @throws TidegateError TG_REQUEST_MALFORMED, TG_REQUEST_TOO_LARGE or TG_REQUEST_BAD_UTF8.
 */
export function decodeHealthCheckRequest(bytes: Uint8Array): string {
  if (bytes.length > MAX_REQUEST_BYTES) {
    throw new TidegateError(
      'TG_REQUEST_TOO_LARGE',
      `the health check has ${bytes.length} bytes; at most ${MAX_REQUEST_BYTES} are allowed`,
      { remedy: "check the service's name only" },
    );
  }
  const reader = new ProtoReader(bytes);
  let service = '';
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 2)) service = reader.string();
    else reader.skip(tag);
  }
  return service;
}

/** Writes a HealthCheckRequest. */
export function encodeHealthCheckRequest(service: string): Uint8Array {
  const writer = new ProtoWriter();
  if (service !== '') writer.string(1, service);
  return writer.finish();
}

/** Writes a HealthCheckResponse. */
export function encodeHealthCheckResponse(serving: boolean): Uint8Array {
  const writer = new ProtoWriter();
  writer.varint(1, serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
  return writer.finish();
}

/** Reads a HealthCheckResponse. @returns the ServingStatus's number. */
export function decodeHealthCheckResponse(bytes: Uint8Array): number {
  const reader = new ProtoReader(bytes);
  let status = 0;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 0)) status = reader.int32();
    else reader.skip(tag);
  }
  return status;
}
