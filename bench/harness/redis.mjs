/** Redis for the measurements: one server, or a Cluster of three masters, in temporary directories on the loopback. */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts, startPinned, until } from './processes.mjs';

const run = promisify(execFile);
const MASTERS = 3;
const START_MS = 20_000;

/** @typedef {{ addresses: string, pids: number[], stop: () => Promise<void> }} RunningRedis */

/** @returns {Promise<RunningRedis>} one Redis without persistence */
export async function startRedis(folder, core) {
  const [port] = await freePorts(1);
  const server = startServer(folder, core, port, []);
  await until(
    () => answers(port, ['ping'], 'PONG'),
    START_MS,
    () => `Redis did not start: ${server.log()}`,
  );
  return { addresses: `127.0.0.1:${port}`, pids: [server.pid], stop: server.stop };
}

/** @returns {Promise<RunningRedis>} a Redis Cluster of three masters that own all slots, on one core */
export async function startCluster(folder, core) {
  const free = await freePorts(MASTERS * 2);
  const ports = free.slice(0, MASTERS);
  const servers = ports.map((port, index) =>
    startServer(folder, core, port, [
      ...['--cluster-enabled', 'yes', '--cluster-port', String(free[MASTERS + index])],
      ...['--cluster-config-file', 'nodes.conf', '--cluster-require-full-coverage', 'yes'],
    ]),
  );
  const log = () => servers.map((server) => server.log()).join('\n');
  for (const port of ports) {
    await until(
      () => answers(port, ['ping'], 'PONG'),
      START_MS,
      () => `Redis did not start: ${log()}`,
    );
  }
  const nodes = ports.map((port) => `127.0.0.1:${port}`);
  await run('redis-cli', ['--cluster', 'create', ...nodes, '--cluster-yes']);
  for (const port of ports) {
    const formed = () => answers(port, ['cluster', 'info'], 'cluster_state:ok');
    await until(formed, START_MS, () => `the Redis Cluster did not form: ${log()}`);
  }
  return {
    addresses: nodes.join(','),
    pids: servers.map((server) => server.pid),
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  };
}

/**
 * Commands that clients sent to decide: script calls where there are scripts (what they run is not counted again), else all but
 * questions about the server itself.
 * @param {string} addresses host:port, comma-separated
 */
export async function decidingCommands(addresses) {
  const calls = new Map();
  for (const address of addresses.split(',').filter(Boolean)) {
    const port = address.slice(address.lastIndexOf(':') + 1);
    const { stdout } = await run('redis-cli', ['-p', port, 'info', 'commandstats']);
    for (const [, name, count] of stdout.matchAll(/cmdstat_([^:]+):calls=(\d+)/g))
      calls.set(name, (calls.get(name) ?? 0) + Number(count));
  }
  const sum = (names) => names.reduce((total, name) => total + (calls.get(name) ?? 0), 0);
  return { scripts: sum(['evalsha', 'eval', 'fcall']), counters: sum(['incrby', 'expire']) };
}

function startServer(folder, core, port, extra) {
  const dir = join(folder, `redis-${port}`);
  mkdirSync(dir, { recursive: true });
  return startPinned({
    core,
    argv: [
      ...['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--dir', dir],
      ...['--save', '', '--appendonly', 'no', ...extra],
    ],
    logFile: join(dir, 'redis.log'),
  });
}

async function answers(port, args, wanted) {
  try {
    return (await run('redis-cli', ['-p', String(port), ...args])).stdout.includes(wanted);
  } catch {
    return false;
  }
}
