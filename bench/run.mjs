/** Measures Tidegate and its peers side by side; see bench/README.md, or --help. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { requestFor } from './load/keys.mjs';
import { writeLimits } from './harness/limits.mjs';
import { measureLatency, measureThroughput } from './harness/measure.mjs';
import { readOptions, USAGE } from './harness/options.mjs';
import { killStarted } from './harness/processes.mjs';
import { startCluster, startRedis } from './harness/redis.mjs';
import { formatReport } from './harness/report.mjs';
import { showsThatItLimits, startPeer, startTidegate } from './harness/servers.mjs';

const say = (text) => process.stderr.write(`${text}\n`);

/** Runs one store's case: every server is up at once, and each round measures all of them in turns. */
async function runCase(store, options, folder, limits) {
  const stops = [];
  try {
    const peers = options.peers.filter((peer) => peer.cases.includes(store));
    const redis = await redisFor(store, peers, options, folder, stops);
    const surroundings = { ...limits, ...redis.addresses };
    const servers = [];
    const add = (server) => {
      stops.push(server.stop);
      servers.push(server);
    };
    if (options.tidegate) add(await startTidegate(store, surroundings, options, folder));
    for (const peer of peers) add(await startPeer(peer, surroundings, options, folder));
    for (const server of servers) {
      if (!(await showsThatItLimits(server)))
        throw new Error(`${server.name} does not limit: its probe was not denied`);
    }
    return await measureRounds(store, servers, redis.pids, options, folder);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** The Redis servers that Tidegate or a peer of this case asks for, started unless their addresses were given. */
async function redisFor(store, peers, options, folder, stops) {
  const wanted = (kind) =>
    (options.tidegate && store === kind) || peers.some((peer) => peer.command?.includes(`{${kind}}`));
  const addresses = {};
  const pids = [];
  for (const [kind, start] of [
    ['redis', startRedis],
    ['cluster', startCluster],
  ]) {
    if (!wanted(kind)) continue;
    const running = options[kind] ?? (await start(folder, options.cores.redis));
    if (running.stop !== undefined) stops.push(running.stop);
    addresses[kind] = running.addresses;
    pids.push(...running.pids);
  }
  return { addresses, pids };
}

async function measureRounds(store, servers, redisPids, options, folder) {
  const requestFile = join(folder, 'request.bin');
  writeFileSync(requestFile, requestFor(0));
  const rows = [];
  for (const keys of options.keys) {
    const file = options.h2load && keys === 'hot' ? requestFile : undefined;
    for (const server of servers)
      await measureThroughput(server, keys, { ...options, seconds: 2 }, redisPids, undefined);
    for (let round = 0; round < options.rounds; round += 1) {
      say(`${store}, ${keys}: round ${round + 1} of ${options.rounds}`);
      for (let turn = 0; turn < servers.length; turn += 1) {
        const server = servers[(turn + round) % servers.length];
        const throughput = await measureThroughput(server, keys, options, redisPids, file);
        const latency = await measureLatency(server, keys, options, redisPids);
        rows.push({ store, keys, server: server.name, round, throughput, latency });
      }
    }
  }
  return inOrder(rows, servers, options.keys);
}

/** Servers of the same keys stand together in the tables, each with its rounds in order, whatever the turns were. */
function inOrder(rows, servers, keys) {
  const names = servers.map((server) => server.name);
  const place = (row) => [keys.indexOf(row.keys), names.indexOf(row.server), row.round];
  return [...rows].sort((a, b) => {
    const theirs = place(b);
    return place(a).reduce((found, mine, index) => found || mine - theirs[index], 0);
  });
}

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) {
    console.log(USAGE);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
  process.on('exit', () => {
    killStarted();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
  const limits = writeLimits(folder);
  const rows = [];
  const loadAtStart = loadavg()[0];
  for (const store of options.cases) rows.push(...(await runCase(store, options, folder, limits)));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, undefined, 2)}\n`);
  console.log(formatReport(rows, options));
  console.log(
    `\nLoad average before: ${loadAtStart.toFixed(2)}. Cores: server ${options.cores.server}, load ${options.cores.load}, Redis ${options.cores.redis}.`,
  );
}

try {
  await main();
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
