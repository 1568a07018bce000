/**
 * The figures aimed at, beside the servers that they are ratios of, in one run: every server of a group is up at once, and each
 * round measures all of them in turns. Prints tables of medians (min..max). Needs a build, taskset, redis-server, redis-cli and
 * h2load.
 *
 *   node bench/figures.mjs --reference "COMMAND" --limitador "COMMAND" [--rounds 5] [--seconds 2] [--only GROUP,...] [--json FILE]
 *
 * COMMAND is as for run.mjs's --peer-cmd, with {store} for the Redis of the group; limitador's is of its memory store.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { aimsTable, figuresTable } from './harness/aims.mjs';
import { writeLimits } from './harness/limits.mjs';
import { measureLatency, measureReplay, measureThroughput } from './harness/measure.mjs';
import { killStarted } from './harness/processes.mjs';
import { decidingCommands, startCluster, startRedis } from './harness/redis.mjs';
import { showsThatItLimits, startPeer, startTidegate } from './harness/servers.mjs';
import { requestFor } from './load/keys.mjs';

const FRAMER = fileURLToPath(new URL('floor/framer.mjs', import.meta.url));
const CORES = { server: 0, load: 1, redis: 1 };
const WARMUP_S = 1;
/** For what shows how cost grows rather than a ratio, and for commands, which hardly vary. */
const SWEEP_ROUNDS = 3;

const LEASED = { TIDEGATE_CONSISTENCY: 'leased' };
const UNSEEN = { TIDEGATE_FORECAST_ENABLED: 'false' };
/** Each bucket has a slot of its own, and so a script call. */
const OWN_SLOTS = { TIDEGATE_STORE_HASH_TAGS: '0' };
const SERVERS = {
  leased: { tidegate: LEASED },
  'leased, no forecasts': { tidegate: { ...LEASED, ...UNSEEN } },
  'leased, own slots': { tidegate: { ...LEASED, ...OWN_SLOTS } },
  exact: { tidegate: {} },
  'exact, own slots': { tidegate: OWN_SLOTS },
  memory: { tidegate: {} },
  'memory, no forecasts': { tidegate: UNSEEN },
  reference: { command: 'reference' },
  limitador: { command: 'limitador' },
  framer: { decides: false },
};
const FAR = { limit: 1_000_000_000, unit: 'minute' };
const THOUSAND = { limit: 1_000, unit: 'second' };
const BOTH = ['leased', 'leased, no forecasts'];

/** A load names the servers that it is for, where those are not all of its group. */
const GROUPS = [
  {
    name: 'hot',
    store: 'cluster',
    limits: FAR,
    servers: [...BOTH, 'reference', 'limitador', 'framer'],
    loads: [
      { name: 'one hot key', h2load: true },
      {
        name: 'one hot key, 2,000/s',
        keys: 'hot',
        perS: 2_000,
        servers: [...BOTH, 'reference', 'limitador'],
      },
    ],
  },
  {
    name: 'replay',
    store: 'cluster',
    limits: FAR,
    servers: ['leased', 'framer'],
    loads: [
      { name: 'replayed, 1 descriptor', replay: { fresh: false, descriptors: 1 } },
      { name: 'replayed, 1 descriptor, fresh traces', replay: { fresh: true, descriptors: 1 } },
      ...[2, 4, 8].map((descriptors) => ({
        name: `replayed, ${descriptors} descriptors`,
        replay: { fresh: false, descriptors },
        servers: ['leased'],
        rounds: SWEEP_ROUNDS,
      })),
      ...['hot', 'uniform:100', 'uniform:10000', 'uniform:100000'].map((keys) => ({
        name: `keys ${keys}`,
        keys,
        servers: ['leased'],
        rounds: SWEEP_ROUNDS,
      })),
    ],
  },
  {
    name: 'zipf',
    store: 'cluster',
    limits: THOUSAND,
    servers: [...BOTH, 'leased, own slots', 'reference'],
    loads: [
      { name: '100 k keys, Zipf 1.1, 1,000/s each', keys: 'zipf:1.1:100000' },
      {
        name: 'one hot key of 1,000/s, 900/s asked',
        keys: 'hot',
        perS: 900,
        servers: ['leased', 'reference'],
        rounds: SWEEP_ROUNDS,
      },
    ],
  },
  {
    name: 'exact-redis',
    store: 'redis',
    limits: FAR,
    servers: ['exact', 'reference'],
    loads: [{ name: '10 k keys', keys: 'uniform:10000' }],
  },
  {
    name: 'exact-cluster',
    store: 'cluster',
    limits: FAR,
    servers: ['exact', 'exact, own slots', 'reference'],
    loads: [{ name: '10 k keys', keys: 'uniform:10000' }],
  },
  {
    name: 'memory',
    store: 'memory',
    limits: FAR,
    servers: ['memory', 'memory, no forecasts', 'limitador'],
    loads: [
      { name: 'one hot key', h2load: true },
      { name: '100 k keys, Zipf 1.1', keys: 'zipf:1.1:100000' },
    ],
  },
];

const { values } = parseArgs({
  options: {
    reference: { type: 'string' },
    limitador: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', default: GROUPS.map((group) => group.name).join(',') },
    json: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const options = { connections: 4, streams: 25, seconds: Number(values.seconds), cores: CORES };
const folder = mkdtempSync(join(tmpdir(), 'tidegate-figures-'));
const requestFile = join(folder, 'request.bin');
const say = (text) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);

function startServer(name, group, surroundings) {
  const { tidegate, command, decides } = SERVERS[name];
  if (tidegate !== undefined)
    return startTidegate(group.store, surroundings, { ...options, tidegateEnv: tidegate }, folder, name);
  const given = decides === false ? `${process.execPath} ${FRAMER} {port}` : values[command];
  if (given === undefined) throw new Error(`--${command} is needed for the group '${group.name}'`);
  const stores = { redis: 'REDIS_URL={redis}', cluster: 'REDIS_TYPE=CLUSTER REDIS_URL={cluster}' };
  return startPeer(
    { name, command: given.replace('{store}', stores[group.store]) },
    surroundings,
    options,
    folder,
  );
}

async function measure(server, load, redis, seconds) {
  const timed = { ...options, seconds, ratePerS: load.perS };
  const before = await decidingCommands(redis.addresses);
  const run = () => {
    if (load.h2load) return measureThroughput(server, 'hot', timed, redis.pids, requestFile);
    if (load.replay !== undefined) return measureReplay(server, load.replay, timed, redis.pids);
    const ask = load.perS === undefined ? measureThroughput : measureLatency;
    return ask(server, load.keys, timed, redis.pids, undefined);
  };
  const figures = await run();
  const after = await decidingCommands(redis.addresses);
  const kind = SERVERS[server.name].tidegate === undefined ? 'counters' : 'scripts';
  return { ...figures, commandsPerCall: (after[kind] - before[kind]) / figures.callsTotal };
}

async function runGroup(group) {
  const stops = [];
  try {
    const start = { redis: startRedis, cluster: startCluster }[group.store];
    const redis = (await start?.(folder, CORES.redis)) ?? { addresses: '', pids: [], stop: async () => {} };
    stops.push(redis.stop);
    const surroundings = {
      ...writeLimits(join(folder, group.name), group.limits),
      [group.store]: redis.addresses,
    };
    const servers = [];
    for (const name of group.servers) {
      const server = await startServer(name, group, surroundings);
      stops.push(server.stop);
      servers.push(server);
      if (SERVERS[name].decides !== false && !(await showsThatItLimits(server)))
        throw new Error(`${name} does not limit: its probe was not denied`);
    }
    const rows = [];
    for (const load of group.loads) {
      const asked = servers.filter((server) => load.servers?.includes(server.name) ?? true);
      for (const server of asked) await measure(server, load, redis, WARMUP_S);
      for (let round = 0; round < Math.min(rounds, load.rounds ?? rounds); round += 1) {
        say(`${group.name}: ${load.name}: round ${round + 1} of ${rounds}, load ${loadavg()[0].toFixed(1)}`);
        for (let turn = 0; turn < asked.length; turn += 1) {
          const server = asked[(turn + round) % asked.length];
          const figures = await measure(server, load, redis, options.seconds);
          rows.push({
            group: group.name,
            store: group.store,
            load: load.name,
            server: server.name,
            round,
            figures,
          });
        }
      }
    }
    return rows;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

process.on('exit', () => {
  killStarted();
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
writeFileSync(requestFile, requestFor(0));
const rows = [];
const loadBefore = loadavg()[0];
for (const group of GROUPS.filter(({ name }) => values.only.split(',').includes(name))) {
  rows.push(...(await runGroup(group)));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
}
rows.sort((a, b) => a.round - b.round);
console.log(
  `Load average before: ${loadBefore.toFixed(2)}; median (min..max) of ${rounds} rounds of ${values.seconds} s.\n`,
);
console.log(`${aimsTable(rows)}\n\n${figuresTable(rows)}`);
