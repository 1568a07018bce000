// CPU of the data port per call, our HTTP/2 against grpc-js, in one run: real clients' bytes replayed, the same headers
// with every call and then a fresh trace with every call.
//
//   npm run build && taskset -c 1 node bench/data-port/main.mjs [calls [connections [streams [rounds]]]]
//
// The servers are pinned to core 0.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { MESSAGE, record } from './recording.mjs';
import { replay } from './replay.mjs';

const [calls = 400_000, connections = 4, streams = 25, rounds = 5] = process.argv.slice(2).map(Number);
const RECORDED = 20_000;
const SERVER = fileURLToPath(new URL('server.mjs', import.meta.url));

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

async function measure(kind, options, recording) {
  const server = await startServer(kind, options);
  const share = Math.ceil(calls / connections);
  const run = async (count) => {
    for (let left = count; left > 0; left -= RECORDED) {
      await Promise.all(
        Array.from({ length: connections }, () =>
          replay(server.port, recording, Math.min(left, RECORDED), streams),
        ),
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
