/** One measurement: a load from a pinned process, and the CPU time that the server and Redis used for it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SHOULD_RATE_LIMIT } from '../load/rls-message.mjs';
import { coreBusySeconds, cpuSeconds } from './processes.mjs';

const LOAD_CLIENT = fileURLToPath(new URL('../load/main.mjs', import.meta.url));
const REPLAY_CLIENT = fileURLToPath(new URL('../load/replay.mjs', import.meta.url));
const GIVE_UP_MS = 120_000;
const WARMUP_S = 0.5;

/**
 * @typedef {object} Measurement
 * @property {number} callsPerS answered calls a second
 * @property {number} failed calls that failed or were lost
 * @property {number} overLimit
 * @property {number | undefined} cpuPerMillionS CPU seconds of the server per million calls
 * @property {number | undefined} redisCpuPerMillionS the same of Redis, where there is one
 * @property {number} othersShare part of the server's core that went to anything but the server
 * @property {number} loadCoreShare part of the load generator's core that was used, by Redis too where it shares it
 * @property {number | undefined} generatorShare part of its core that the load generator used
 * @property {object | undefined} latencyUs
 * @property {object | undefined} sendLagUs how late the open loop sent, which its latencies include
 * @property {Record<string, number> | undefined} failures
 */

/** Throughput: `connections` x `streams` calls always going on. */
export function measureThroughput(server, keys, options, redisPids, requestFile) {
  const { connections, streams, seconds } = options;
  if (requestFile !== undefined) {
    const argv = [
      ...['h2load', '-D', String(seconds), '-c', String(connections), '-m', String(streams), '-t', '1'],
      ...['-d', requestFile, '-H', 'content-type: application/grpc', '-H', 'te: trailers'],
      `http://${server.address}${SHOULD_RATE_LIMIT}`,
    ];
    return measured(server, redisPids, options, argv, readH2load);
  }
  return loadClient(server, keys, options, redisPids, ['--streams', String(streams)]);
}

/** Latency: `ratePerS` calls a second, whatever the server does. */
export function measureLatency(server, keys, options, redisPids) {
  return loadClient(server, keys, options, redisPids, ['--rate', String(options.ratePerS)]);
}

/**
 * What Envoy sends, replayed: its headers, HEADERS followed by DATA, `streams` calls at a time on each connection.
 * @param {{ fresh: boolean, descriptors: number }} calls whether each has a trace of its own, and how many descriptors it has
 */
export function measureReplay(server, { fresh, descriptors }, options, redisPids) {
  const { connections, streams, seconds } = options;
  const argv = [
    ...[process.execPath, REPLAY_CLIENT, '--target', server.address, '--connections', String(connections)],
    ...['--streams', String(streams), '--duration-s', String(seconds), '--descriptors', String(descriptors)],
    ...(fresh ? ['--fresh'] : []),
  ];
  return measured(server, redisPids, options, argv, JSON.parse);
}

function loadClient(server, keys, options, redisPids, loop) {
  const argv = [
    ...[process.execPath, LOAD_CLIENT, '--target', server.address, '--keys', keys],
    ...['--connections', String(options.connections), '--warmup-s', String(WARMUP_S)],
    ...['--duration-s', String(options.seconds), ...loop],
  ];
  return measured(server, redisPids, options, argv, JSON.parse);
}

async function measured(server, redisPids, options, argv, read) {
  const take = () => ({
    atMs: performance.now(),
    server: cpuSeconds(server.pids),
    redis: cpuSeconds(redisPids),
    core: coreBusySeconds(options.cores.server),
    loadCore: coreBusySeconds(options.cores.load),
  });
  const before = take();
  const output = await runPinned(options.cores.load, argv);
  const after = take();
  const result = read(output);
  const used = (name) => after[name] - before[name];
  const elapsedS = (after.atMs - before.atMs) / 1_000;
  const perMillion = (name, pids) => (pids.length === 0 ? undefined : (used(name) / result.callsTotal) * 1e6);
  return {
    ...result,
    failed: result.failed + result.lost,
    cpuPerMillionS: perMillion('server', server.pids),
    redisCpuPerMillionS: perMillion('redis', redisPids),
    othersShare: server.pids.length === 0 ? 0 : (used('core') - used('server')) / elapsedS,
    loadCoreShare: used('loadCore') / elapsedS,
  };
}

/** The load client exits with 1 when calls failed, and says so in its output; only a missing output is an error. */
function runPinned(core, argv) {
  return new Promise((resolve, reject) => {
    const limits = { timeout: GIVE_UP_MS, maxBuffer: 1 << 24, encoding: 'utf8' };
    execFile('taskset', ['-c', String(core), ...argv], limits, (error, stdout, stderr) => {
      if (stdout.trim() === '') reject(new Error(`${argv[0]} failed: ${stderr || error?.message}`));
      else resolve(stdout);
    });
  });
}

/** h2load does not look into answers: it counts HTTP statuses. That the server answers right is checked before. */
function readH2load(output) {
  const figure = (pattern) => {
    const match = pattern.exec(output);
    if (match === null) throw new Error(`h2load printed something unexpected: ${output}`);
    return Number(match[1]);
  };
  const done = figure(/requests: .*?(\d+) done/);
  const succeeded = figure(/(\d+) succeeded/);
  const with2xx = figure(/status codes: (\d+) 2xx/);
  return {
    callsTotal: done,
    ok: with2xx,
    overLimit: 0,
    lost: 0,
    failed: done - Math.min(succeeded, with2xx) + figure(/(\d+) errored/) + figure(/(\d+) timeout/),
    callsPerS: figure(/finished in [\d.]+\w+, ([\d.]+) req\/s/),
  };
}
