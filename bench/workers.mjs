/**
 * What a second worker costs: CPU time a decision over all processes of one Tidegate, with one worker and with two, at full
 * load and at a fixed rate, after one round that is not counted; the server on one core, the load on the other. Needs a
 * build (`npm run build`).
 *
 *   node bench/workers.mjs [--rounds 5] [--s 3]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuSeconds, freePorts, killStarted, startPinned, until } from './harness/processes.mjs';
import { formatSpread, ratioOf, spreadOf } from './harness/statistics.mjs';
import { DOMAIN, ENTRY_KEY } from './load/keys.mjs';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, s: { type: 'string', default: '3' } },
});
const WORKERS = [1, 2];
const LOADS = [
  { name: 'one hot key, 4 connections x 25 calls', args: ['--keys', 'hot'] },
  { name: '100,000 keys (Zipf 1.1), 4 connections x 25 calls', args: ['--keys', 'zipf:1.1:100000'] },
  { name: '10,000 keys evenly, 4 connections x 25 calls', args: ['--keys', 'uniform:10000'] },
  { name: 'one hot key, 4,000 calls a second', args: ['--keys', 'hot', '--rate', '4000'] },
];
const folder = mkdtempSync(join(tmpdir(), 'tidegate-workers-'));
const limits = join(folder, 'limits.yaml');
const rule = `{unit: second, requests_per_unit: 1000000000, consistency: leased}`;
writeFileSync(limits, `domain: ${DOMAIN}\ndescriptors:\n  - key: ${ENTRY_KEY}\n    rate_limit: ${rule}\n`);

async function startServer(workers) {
  const [data, admin, control] = await freePorts(3);
  const logFile = join(folder, `${workers}.log`);
  const server = startPinned({
    core: 0,
    argv: [process.execPath, 'dist/main.js', 'serve', '--limits', limits],
    env: {
      TIDEGATE_WORKERS: String(workers),
      TIDEGATE_DATA_PORT: String(data),
      TIDEGATE_ADMIN_PORT: String(admin),
      TIDEGATE_CONTROL_PORT: String(control),
    },
    logFile,
  });
  const lines = () => readFileSync(logFile, 'utf8').trim().split('\n').filter(Boolean);
  await until(
    () => lines().some((line) => line.includes('"msg":"ready"')),
    30_000,
    () => `no server:\n${lines().join('\n')}`,
  );
  const pids = lines()
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => msg === 'worker serves')
    .map(({ pid }) => pid);
  return { workers, target: `127.0.0.1:${data}`, pids: [server.child?.pid ?? server.pid, ...pids] };
}

/** @returns microseconds of CPU a call, and calls a second. */
function measure(server, args) {
  const before = cpuSeconds(server.pids);
  const command = ['-c', '1', process.execPath, 'bench/load/main.mjs', '--target', server.target];
  const output = execFileSync('taskset', [...command, ...args, '--duration-s', values.s], {
    encoding: 'utf8',
  });
  const { callsTotal, callsPerS } = JSON.parse(output);
  return { us: ((cpuSeconds(server.pids) - before) / callsTotal) * 1e6, callsPerS };
}

try {
  const servers = [];
  for (const workers of WORKERS) servers.push(await startServer(workers));
  console.log('| load | workers | us of CPU a call, median (min..max) | of one worker | calls/s |');
  console.log('| --- | --- | --- | --- | --- |');
  for (const { name, args } of LOADS) {
    const figures = servers.map(() => []);
    // What the engine spends on learning what is hot is no cost of a decision.
    for (const server of servers) measure(server, args);
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (let i = 0; i < servers.length; i += 1) {
        const at = (i + round) % servers.length;
        figures[at].push(measure(servers[at], args));
      }
    }
    servers.forEach(({ workers }, at) => {
      const us = figures[at].map((figure) => figure.us);
      const ratio = ratioOf(
        us,
        figures[0].map((figure) => figure.us),
      );
      const rate = spreadOf(figures[at].map((figure) => figure.callsPerS));
      const two = (figure) => figure.toFixed(2);
      const cells = [name, workers, formatSpread(spreadOf(us), two), formatSpread(ratio, two)];
      console.log(`| ${[...cells, formatSpread(rate, (figure) => figure.toFixed(0))].join(' | ')} |`);
    });
  }
} finally {
  killStarted();
  rmSync(folder, { recursive: true, force: true });
}
