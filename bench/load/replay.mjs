/**
 * The replay client: what Node's own client (nghttp2, as in Envoy) sends for a call with Envoy's headers, HEADERS followed by
 * DATA, recorded once and played for a while. It checks no answers beyond their end, so check the server before. Prints one
 * line of JSON.
 *
 *   node bench/load/replay.mjs --target 127.0.0.1:8081 [--connections 4] [--streams 25] [--duration-s 3] [--descriptors 1] [--fresh]
 *
 * `--fresh` gives each recorded call a `traceparent` and an `x-request-id` of its own; `--streams`, at most 95, are in flight
 * on each connection; each of the `--descriptors` asks for a bucket of its own.
 */
import { parseArgs } from 'node:util';
import { record } from '../data-port/recording.mjs';
import { replay } from '../data-port/replay.mjs';
import { DOMAIN, ENTRY_KEY } from './keys.mjs';
import { encodeRequest } from './rls-message.mjs';

const GRPC_PREFIX_BYTES = 5;
const RECORDED = 20_000;

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    connections: { type: 'string', default: '4' },
    streams: { type: 'string', default: '25' },
    'duration-s': { type: 'string', default: '3' },
    descriptors: { type: 'string', default: '1' },
    fresh: { type: 'boolean', default: false },
  },
});
const port = Number(values.target?.slice(values.target.lastIndexOf(':') + 1));
const descriptors = Array.from({ length: Number(values.descriptors) }, (_, index) => [
  [ENTRY_KEY, `u${String(index).padStart(7, '0')}`],
]);
const message = encodeRequest(DOMAIN, descriptors).subarray(GRPC_PREFIX_BYTES);
const recording = await record(RECORDED, message, values.fresh);
const streams = Number(values.streams);
const before = process.cpuUsage();
const startMs = performance.now();
const untilMs = startMs + Number(values['duration-s']) * 1_000;
let calls = 0;
const lane = async () => {
  for (let size = 1_000; performance.now() < untilMs; size = RECORDED) {
    await replay(port, recording, size, streams);
    calls += size;
  }
};
await Promise.all(Array.from({ length: Number(values.connections) }, lane));
const elapsedMs = performance.now() - startMs;
const cpu = process.cpuUsage(before);
console.log(
  JSON.stringify({
    callsTotal: calls,
    ok: calls,
    overLimit: 0,
    failed: 0,
    lost: 0,
    callsPerS: (calls / elapsedMs) * 1_000,
    generatorShare: (cpu.user + cpu.system) / 1_000 / elapsedMs,
  }),
);
