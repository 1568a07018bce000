/**
 * The little of protobuf that the load needs: RateLimitRequest out, RateLimitResponse.overall_code in.
 * Field numbers from envoy/service/ratelimit/v3/rls.proto and envoy/extensions/common/ratelimit/v3/ratelimit.proto.
 */

/** The full method path of the call that is measured. */
export const SHOULD_RATE_LIMIT = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';

const GRPC_PREFIX_BYTES = 5;

/**
 * Encodes a request and gRPC's length prefix before it.
 * @param {string} domain
 * @param {ReadonlyArray<ReadonlyArray<[string, string]>>} descriptors entries of each descriptor, outermost key first
 * @returns {Buffer}
 */
export function encodeRequest(domain, descriptors) {
  const message = Buffer.concat([
    bytesField(1, Buffer.from(domain)),
    ...descriptors.map((entries) => bytesField(2, Buffer.concat(entries.map(encodeEntry)))),
  ]);
  const prefix = Buffer.alloc(GRPC_PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function encodeEntry([key, value]) {
  return bytesField(1, Buffer.concat([bytesField(1, Buffer.from(key)), bytesField(2, Buffer.from(value))]));
}

function bytesField(number, bytes) {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

/**
 * Reads the verdict from the bytes of a DATA frame that holds a whole response.
 * @param {Uint8Array} bytes prefix and message
 * @param {number} start
 * @param {number} end
 * @returns {number} 1 OK, 2 OVER_LIMIT, 0 when absent or UNKNOWN, -1 when these bytes are not a response
 */
export function readOverallCode(bytes, start, end) {
  let at = start + GRPC_PREFIX_BYTES;
  if (at > end || bytes[start] !== 0) return -1;
  const length =
    bytes[start + 1] * 2 ** 24 + (bytes[start + 2] << 16) + (bytes[start + 3] << 8) + bytes[start + 4];
  if (at + length !== end) return -1;
  while (at < end) {
    const tag = bytes[at];
    if (tag === 0x08) return bytes[at + 1] ?? -1;
    const next = skipField(bytes, at, end);
    if (next < 0) return -1;
    at = next;
  }
  return 0;
}

function skipField(bytes, at, end) {
  const wireType = bytes[at] & 7;
  let next = at;
  while (bytes[next] >= 0x80 && next < end) next += 1;
  next += 1;
  let value = 0;
  for (let scale = 1; next < end; scale *= 128) {
    value += (bytes[next] & 0x7f) * scale;
    next += 1;
    if (bytes[next - 1] < 0x80) break;
  }
  if (wireType === 0) return next;
  return wireType === 2 ? next + value : -1;
}
