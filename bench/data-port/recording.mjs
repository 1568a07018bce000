// What a real HTTP/2 client (Node's, which is nghttp2 as in Envoy and h2load) sends for many calls: recorded once, so
// that replaying it costs the load generator next to nothing.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:http2';
import { createServer } from 'node:net';
import { SHOULD_RATE_LIMIT } from '../load/rls-message.mjs';

const FRAME_HEAD_BYTES = 9;
const PREFACE_BYTES = 24;
const [DATA, HEADERS, SETTINGS] = [0, 1, 4];
const END_STREAM = 1;

/** A RateLimitRequest: domain `d`, one descriptor with the entry remote_address=127.0.0.1. */
export const MESSAGE = Buffer.from(
  '0a0164121d0a1b0a0e72656d6f74655f6164647265737312093132372e302e302e31',
  'hex',
);

/** Envoy's headers of a ShouldRateLimit call; `fresh` gives each call a trace and a request id of its own. */
function headers(fresh) {
  return {
    ':method': 'POST',
    ':path': SHOULD_RATE_LIMIT,
    te: 'trailers',
    'grpc-timeout': '20m',
    'content-type': 'application/grpc',
    'x-envoy-internal': 'true',
    'x-forwarded-for': '10.0.0.7',
    ...(fresh && {
      traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
      'x-request-id': randomBytes(16).toString('hex'),
    }),
  };
}

/**
 * Records the bytes of `count` calls.
 * @returns the connection's opening, and the calls' frames, each call's in one piece: HEADERS, then DATA.
 */
export async function record(count, message, fresh) {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  const body = Buffer.concat([prefix, message]);
  const chunks = [];
  const server = createServer((socket) => {
    const settings = Buffer.from([
      0,
      0,
      12,
      SETTINGS,
      0,
      0,
      0,
      0,
      0,
      0,
      3,
      0,
      15,
      66,
      64,
      0,
      4,
      0x7f,
      255,
      255,
      255,
    ]);
    const window = Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0, 0, 0]);
    socket.write(Buffer.concat([settings, window]));
    socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const session = connect(`http://127.0.0.1:${server.address().port}`);
  session.on('error', () => undefined);
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  for (let call = 0; call < count; call += 1) {
    const stream = session.request(headers(fresh));
    stream.on('error', () => undefined).end(body);
  }
  let parsed = parse(Buffer.concat(chunks));
  while (parsed.calls.length < count) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    parsed = parse(Buffer.concat(chunks));
  }
  session.destroy();
  server.close();
  return parsed;
}

function parse(bytes) {
  const opening = [bytes.subarray(0, PREFACE_BYTES)];
  const heads = [];
  const bodies = new Map();
  const ended = new Set();
  for (let at = PREFACE_BYTES; at + FRAME_HEAD_BYTES <= bytes.length;) {
    const end = at + FRAME_HEAD_BYTES + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    const type = bytes[at + 3];
    const stream = bytes.readUInt32BE(at + 5);
    const frame = bytes.subarray(at, end);
    if (type === HEADERS) heads.push([stream, frame]);
    else if (type === DATA) {
      bodies.set(stream, Buffer.concat([bodies.get(stream) ?? Buffer.alloc(0), frame]));
      if (frame[4] & END_STREAM) ended.add(stream);
    } else if (stream === 0) opening.push(frame);
    at = end;
  }
  const whole = heads.filter(([stream]) => ended.has(stream));
  return {
    opening: Buffer.concat(opening),
    calls: whole.map(([stream, head]) => Buffer.concat([head, bodies.get(stream)])),
  };
}
