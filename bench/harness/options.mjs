/** The harness's command line. */
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { planKeys } from '../load/keys.mjs';

/** The stores that can be measured. */
export const CASES = ['memory', 'redis', 'cluster'];

export const USAGE = `npm run bench -- [options]

Measures Tidegate and its peers in one run, round by round in turns, and prints tables of medians (min..max).

  --peer NAME[@CASES]=HOST:PORT    a server of RateLimitService that runs already; its limits must have domain 'bench'
                                   with keys 'user' (far above the load) and 'probe' (5 an hour)
  --peer-pid NAME=PID              its process, to count its CPU time
  --peer-cmd NAME[@CASES]=COMMAND  a server to start, pinned, and to stop; in COMMAND these are replaced:
                                   {port} {port2} {port3} {port4} free ports, the first is where it must serve;
                                   {redis} host:port of the single Redis; {cluster} host:port,... of the Cluster;
                                   {root} a directory whose ratelimit/config/ holds the limits in the reference's
                                   dialect; {limitador} a limits file in limitador's dialect
                                   CASES is a comma-separated part of: ${CASES.join(',')} (default: all)
  --no-tidegate                    measure the peers only
  --tidegate-env NAME=VALUE        a setting for Tidegate, beside TIDEGATE_ON_ERROR=error, TIDEGATE_STORE_DEADLINE=1s
  --cases ${CASES.join(',')}       which stores (default: all)
  --keys hot,uniform:10000,zipf:1.1:100000
                                   which keys are asked for (default: these three)
  --rounds 5                       rounds; a round measures everything once
  --seconds 3                      length of each measurement
  --rate 2000                      calls a second of the open loop, for latency
  --connections 4 --streams 25     concurrency of the closed loop, for throughput
  --server-core 0 --load-core 1 --redis-core N
                                   cores to pin to (Redis: the first core free of the others, else the load's)
  --generator auto|h2load|own      what measures the throughput of one hot key (auto: h2load where installed)
  --redis HOST:PORT --redis-pid PID[,PID]       a Redis that runs already, instead of one started here
  --redis-cluster HOST:PORT,... --cluster-pid PID,...  the same for a Redis Cluster
  --json FILE                      write every measurement there too
`;

/**
 * @param {string[]} args
 * @returns {object | undefined} the options, checked; undefined when help was asked for. Throws an Error that says what is wrong.
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      peer: { type: 'string', multiple: true, default: [] },
      'peer-pid': { type: 'string', multiple: true, default: [] },
      'peer-cmd': { type: 'string', multiple: true, default: [] },
      'no-tidegate': { type: 'boolean', default: false },
      'tidegate-env': { type: 'string', multiple: true, default: [] },
      cases: { type: 'string', default: CASES.join(',') },
      keys: { type: 'string', default: 'hot,uniform:10000,zipf:1.1:100000' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      rate: { type: 'string', default: '2000' },
      connections: { type: 'string', default: '4' },
      streams: { type: 'string', default: '25' },
      'server-core': { type: 'string', default: '0' },
      'load-core': { type: 'string', default: '1' },
      'redis-core': { type: 'string' },
      generator: { type: 'string', default: 'auto' },
      redis: { type: 'string' },
      'redis-pid': { type: 'string' },
      'redis-cluster': { type: 'string' },
      'cluster-pid': { type: 'string' },
      json: { type: 'string' },
    },
  });
  if (values.help) return undefined;
  const keys = values.keys.split(',');
  keys.forEach(planKeys);
  const cores = readCores(values);
  const pids = new Map(values['peer-pid'].map((text) => pair(text, '--peer-pid')));
  return {
    cases: readCases(values.cases, '--cases'),
    keys,
    rounds: count(values.rounds, '--rounds'),
    seconds: count(values.seconds, '--seconds'),
    ratePerS: count(values.rate, '--rate'),
    connections: count(values.connections, '--connections'),
    streams: count(values.streams, '--streams'),
    cores,
    tidegate: !values['no-tidegate'],
    tidegateEnv: Object.fromEntries(values['tidegate-env'].map((text) => pair(text, '--tidegate-env'))),
    peers: [
      ...values.peer.map((text) =>
        readPeer(text, '--peer', (address, name) => ({ address, pid: pids.get(name) })),
      ),
      ...values['peer-cmd'].map((text) => readPeer(text, '--peer-cmd', (command) => ({ command }))),
    ],
    h2load: readGenerator(values.generator),
    redis: readStore(values.redis, values['redis-pid']),
    cluster: readStore(values['redis-cluster'], values['cluster-pid']),
    json: values.json,
  };
}

function readCores(values) {
  const server = Number(values['server-core']);
  const load = Number(values['load-core']);
  const free = cpus().findIndex((_, core) => core !== server && core !== load);
  return { server, load, redis: Number(values['redis-core'] ?? (free < 0 ? load : free)) };
}

function readPeer(text, option, target) {
  const [left, right] = pair(text, option);
  const [name, cases] = left.split('@');
  return { name, cases: cases === undefined ? CASES : readCases(cases, option), ...target(right, name) };
}

function readCases(text, option) {
  const cases = text.split(',');
  for (const name of cases) {
    if (!CASES.includes(name)) throw new Error(`${option}: '${name}' is none of ${CASES.join(', ')}`);
  }
  return cases;
}

function readStore(addresses, pids) {
  if (addresses === undefined) return undefined;
  return { addresses, pids: (pids ?? '').split(',').filter(Boolean).map(Number) };
}

function readGenerator(choice) {
  const installed = onPath('h2load');
  if (choice === 'own') return false;
  if (choice === 'h2load' && !installed) throw new Error('--generator h2load: h2load is not on PATH');
  if (!['auto', 'h2load'].includes(choice))
    throw new Error(`--generator: '${choice}' is none of auto, h2load, own`);
  return installed;
}

function onPath(program) {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

function pair(text, option) {
  const at = text.indexOf('=');
  if (at < 1) throw new Error(`${option}: '${text}' is not NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function count(text, option) {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${option}: '${text}' is not a positive number`);
  return value;
}
