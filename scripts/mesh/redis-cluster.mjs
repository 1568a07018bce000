// A Redis Cluster of local processes: three masters, three replicas, nothing kept on disk beyond the run.
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Starts the nodes and joins them; returns when every one of them says that the cluster is up. */
export async function startRedisCluster({ processes, folder, server, cli, ports, waitFor }) {
  for (const port of ports) {
    const name = `redis-${port}`;
    const data = path.join(folder, name);
    mkdirSync(data);
    const settings = {
      port,
      bind: '127.0.0.1',
      dir: data,
      'cluster-enabled': 'yes',
      'cluster-config-file': 'nodes.conf',
      'cluster-node-timeout': 2000,
      // A lost master stops its own slots and not every one, until its replica has taken over.
      'cluster-require-full-coverage': 'no',
      save: '',
      appendonly: 'no',
    };
    processes.start(
      name,
      server,
      Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]),
    );
  }
  const ask = async (port, ...command) => (await run(cli, ['-p', String(port), ...command])).stdout;
  for (const port of ports) {
    await waitFor(`redis-${port}`, async () => (await ask(port, 'ping')).trim() === 'PONG');
  }
  const nodes = ports.map((port) => `127.0.0.1:${port}`);
  await run(cli, ['--cluster', 'create', ...nodes, '--cluster-replicas', '1', '--cluster-yes']);
  for (const port of ports) {
    await waitFor(`redis-${port}`, async () =>
      (await ask(port, 'cluster', 'info')).includes('cluster_state:ok'),
    );
  }
  return nodes;
}
