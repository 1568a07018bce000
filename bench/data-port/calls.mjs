// What one call costs the data port's HTTP/2 inside this process, without sockets: CPU time, and bytes allocated. The
// handler answers at once, with the same bytes each time.
//
//   npm run build && node --expose-gc --max-semi-space-size=256 bench/data-port/calls.mjs
import { Duplex } from 'node:stream';
import { Http2Server } from '../../dist/transport/http2/index.js';
import { SHOULD_RATE_LIMIT } from '../load/rls-message.mjs';
import { MESSAGE, record } from './recording.mjs';

const CALLS = 20_000;
const OK = new Uint8Array([0x08, 1]);

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

/** One pass over the recording, `batch` calls a read. */
function pass(server, { opening }, reads) {
  const socket = new Sink();
  server.accept(socket);
  socket.emit('data', Buffer.concat([opening, OPEN_WINDOW]));
  globalThis.gc();
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
for (const [headers, fresh, readsTraces] of [
  ['same', false, true],
  ['fresh trace, not read', true, false],
  ['fresh trace, read', true, true],
]) {
  const recording = await record(CALLS, MESSAGE, fresh);
  for (const batch of [1, 25]) {
    const server = new Http2Server({ readsTraces }, new Map([[SHOULD_RATE_LIMIT, () => OK]]));
    const reads = [];
    for (let at = 0; at < CALLS; at += batch)
      reads.push(Buffer.concat(recording.calls.slice(at, at + batch)));
    const passes = Array.from({ length: 15 }, () => pass(server, recording, reads)).slice(5);
    rows.push({
      headers,
      'calls a read': batch,
      'CPU ns/call': Math.round(median(passes.map(({ ns }) => ns))),
      'bytes/call': Math.round(median(passes.map(({ bytes }) => bytes))),
    });
  }
}
console.table(rows);
process.exit();
