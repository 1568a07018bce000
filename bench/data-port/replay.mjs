// Plays a recording to a server: what it costs the load generator is a few writes and the walk over the answers' frames.
import { connect } from 'node:net';

const [DATA, HEADERS, RST_STREAM, GOAWAY] = [0, 1, 3, 7];
const FRAME_HEAD_BYTES = 9;
const END_STREAM = 1;
/** Answers taken before the server is given the window back. */
const WINDOW_BYTES = 30_000;
const SETTLE_MS = 50;

/** Replays the first `count` calls of a recording on a connection of their own, `streams` of them at a time. */
export function replay(port, { opening, calls: frames }, count, streams) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(opening));
    socket.setNoDelay(true);
    let sent = 0;
    let answered = 0;
    let rest = Buffer.alloc(0);
    let data = 0;
    const send = () => {
      if (answered === count) {
        socket.destroy();
        resolve();
      } else if (answered === sent) {
        const batch = frames.slice(sent, Math.min(count, sent + streams));
        sent += batch.length;
        if (data > WINDOW_BYTES) {
          const update = Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
          update.writeUInt32BE(data, FRAME_HEAD_BYTES);
          data = 0;
          batch.unshift(update);
        }
        socket.write(Buffer.concat(batch));
      }
    };
    socket.on('error', reject).on('data', (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      for (; at + FRAME_HEAD_BYTES <= rest.length;) {
        const length = (rest[at] << 16) | (rest[at + 1] << 8) | rest[at + 2];
        if (at + FRAME_HEAD_BYTES + length > rest.length) break;
        const type = rest[at + 3];
        if (type === DATA) data += length;
        if (type === HEADERS && rest[at + 4] & END_STREAM) answered += 1;
        if (type === RST_STREAM || type === GOAWAY) reject(new Error(`the server refused, frame ${type}`));
        at += FRAME_HEAD_BYTES + length;
      }
      rest = rest.subarray(at);
      if (answered === sent) send();
    });
    setTimeout(send, SETTLE_MS);
  });
}
