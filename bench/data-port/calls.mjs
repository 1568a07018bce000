// What one call costs the data port's HTTP/2 inside this process, without sockets: CPU time, and bytes allocated. The
// handler answers at once: with the same bytes each time, or with a decision from a lease or a bucket in memory, one hot key.
//
//   npm run build && node --expose-gc --max-semi-space-size=256 bench/data-port/calls.mjs
import { Duplex } from 'node:stream';
import { Http2Server } from '../../dist/transport/http2/index.js';
import { SHOULD_RATE_LIMIT } from '../load/rls-message.mjs';
import { buildHandler } from '../harness/handler.mjs';
import { planKeys } from '../load/keys.mjs';
import { record } from './recording.mjs';

const CALLS = 20_000;
/** Half of them to warm up. */
const PASSES = 40;
const WEIGHED = 5;
const OK = new Uint8Array([0x08, 1]);
const GRPC_PREFIX_BYTES = 5;
const [request] = planKeys('hot').requests;
const message = request.subarray(GRPC_PREFIX_BYTES);
const constant = Object.assign(() => OK, { inPlace: () => OK });
const HANDLERS = {
  constant: { methods: new Map([[SHOULD_RATE_LIMIT, constant]]) },
  leased: buildHandler({ consistency: 'leased', observed: true, keys: 'hot' }),
  memory: buildHandler({ consistency: 'exact', observed: true, keys: 'hot' }),
};

/** Answers never wait. */
const OPEN_WINDOW = Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0, 0, 0]);

/** A socket that takes all it is given at once. */
class Sink extends Duplex {
  bytes = 0;
  _read() {}
  _write(chunk, _encoding, done) {
    this.bytes += chunk.length;
    done();
  }
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** One pass over the recording. A collection before it takes CPU time during it, in other threads: either time or bytes are right. */
function pass(server, { opening }, reads, weighs) {
  const socket = new Sink();
  server.accept(socket);
  socket.emit('data', Buffer.concat([opening, OPEN_WINDOW]));
  if (weighs) globalThis.gc();
  const heapBefore = process.memoryUsage().heapUsed;
  const before = process.cpuUsage();
  for (const read of reads) socket.emit('data', read);
  const { user, system } = process.cpuUsage(before);
  const ns = ((user + system) * 1_000) / CALLS;
  const bytes = (process.memoryUsage().heapUsed - heapBefore) / CALLS;
  if (socket.bytes < CALLS * 30) throw new Error(`only ${socket.bytes} bytes came back`);
  socket.destroy();
  return { ns, bytes };
}

const rows = [];
for (const [headers, fresh, readsTraces, handlers] of [
  ['same', false, true, ['constant', 'leased', 'memory']],
  ['fresh trace, not read', true, false, ['constant']],
  ['fresh trace, read', true, true, ['constant']],
]) {
  const recording = await record(CALLS, message, fresh);
  for (const handler of handlers) {
    const { methods, turns } = HANDLERS[handler];
    for (const batch of [1, 25]) {
      const server = new Http2Server({ readsTraces, ...(turns && { turns }) }, methods);
      const reads = [];
      for (let at = 0; at < CALLS; at += batch)
        reads.push(Buffer.concat(recording.calls.slice(at, at + batch)));
      const timed = Array.from({ length: PASSES }, () => pass(server, recording, reads, false));
      const weighed = Array.from({ length: WEIGHED }, () => pass(server, recording, reads, true));
      rows.push({
        headers,
        handler,
        'calls a read': batch,
        'CPU ns/call': Math.round(median(timed.slice(PASSES / 2).map(({ ns }) => ns))),
        'bytes/call': Math.round(median(weighed.map(({ bytes }) => bytes))),
      });
    }
  }
}
console.table(rows);
process.exit();
