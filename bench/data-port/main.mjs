// CPU of the data port per call, our HTTP/2 against grpc-js, in one run: real clients' bytes replayed, the same headers
// with every call and then a fresh trace with every call.
//
//   npm run build && taskset -c 1 node bench/data-port/main.mjs [calls [connections [streams [rounds]]]]
//
// The servers are pinned to core 0.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { MESSAGE, record } from './recording.mjs';

const [calls = 400_000, connections = 4, streams = 25, rounds = 5] = process.argv.slice(2).map(Number);
const RECORDED = 20_000;
const SERVER = fileURLToPath(new URL('server.mjs', import.meta.url));
const [DATA, HEADERS] = [0, 1];

async function startServer(kind, options) {
  const child = fork(SERVER, [kind, JSON.stringify(options)], {
    execPath: 'taskset',
    execArgv: ['-c', '0', process.execPath],
  });
  const [{ port }] = await once(child, 'message');
  return {
    port,
    usage: async () => {
      child.send('usage');
      return (await once(child, 'message'))[0];
    },
    stop: () => child.disconnect(),
  };
}

/** Replays a recording on one connection, `streams` calls at a time. */
function replay(port, { opening, calls: frames }, count) {
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
        if (data > 30_000) {
          const update = Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
          update.writeUInt32BE(data, 9);
          data = 0;
          batch.unshift(update);
        }
        socket.write(Buffer.concat(batch));
      }
    };
    socket.on('error', reject).on('data', (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      for (; at + 9 <= rest.length;) {
        const length = (rest[at] << 16) | (rest[at + 1] << 8) | rest[at + 2];
        if (at + 9 + length > rest.length) break;
        const type = rest[at + 3];
        if (type === DATA) data += length;
        if (type === HEADERS && rest[at + 4] & 1) answered += 1;
        if (type === 3 || type === 7) reject(new Error(`the server refused, frame ${type}`));
        at += 9 + length;
      }
      rest = rest.subarray(at);
      if (answered === sent) send();
    });
    setTimeout(send, 50);
  });
}

async function measure(kind, options, recording) {
  const server = await startServer(kind, options);
  const share = Math.ceil(calls / connections);
  const run = async (count) => {
    for (let left = count; left > 0; left -= RECORDED) {
      await Promise.all(
        Array.from({ length: connections }, () => replay(server.port, recording, Math.min(left, RECORDED))),
      );
    }
  };
  await run(Math.min(share, RECORDED));
  const before = await server.usage();
  await run(share);
  const after = await server.usage();
  server.stop();
  return { cpuUs: (after.cpuUs - before.cpuUs) / (share * connections) };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const VARIANTS = [
  { headers: 'same', fresh: false, kinds: { fast: {}, 'grpc-js': {} } },
  { headers: 'fresh trace, not read', fresh: true, kinds: { fast: { readsTraces: false } } },
  { headers: 'fresh trace', fresh: true, kinds: { fast: {}, 'grpc-js': {} } },
];

const recordings = {
  false: await record(RECORDED, MESSAGE, false),
  true: await record(RECORDED, MESSAGE, true),
};
const results = new Map();
for (let round = 0; round < rounds; round += 1) {
  for (const { headers, fresh, kinds } of VARIANTS) {
    for (const [kind, options] of Object.entries(kinds)) {
      const key = `${kind}, ${headers}`;
      results.set(key, [...(results.get(key) ?? []), await measure(kind, options, recordings[fresh])]);
    }
  }
}
console.table(
  [...results].map(([key, all]) => ({
    'server, headers': key,
    'CPU us/call': Number(median(all.map(({ cpuUs }) => cpuUs)).toFixed(2)),
    'least to most': [Math.min, Math.max]
      .map((of) => of(...all.map(({ cpuUs }) => cpuUs)).toFixed(2))
      .join(' - '),
  })),
);
