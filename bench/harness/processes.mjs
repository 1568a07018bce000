/** Starting servers on a core, stopping them, and reading the CPU time they used. */
import { execFileSync, spawn } from 'node:child_process';
import { openSync, closeSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const STOP_GRACE_MS = 5_000;

const started = new Set();
const ticksPerS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/**
 * Starts a program pinned to one core, its output in a file.
 * @param {{ core: number, argv: string[], env?: Record<string, string>, cwd?: string, logFile: string }} what
 * @returns {{ pid: number, exited: () => boolean, stop: () => Promise<void>, log: () => string }}
 */
export function startPinned({ core, argv, env = {}, cwd, logFile }) {
  const output = openSync(logFile, 'w');
  const child = spawn('taskset', ['-c', String(core), ...argv], {
    env: { ...process.env, ...env },
    stdio: ['ignore', output, output],
    ...(cwd === undefined ? {} : { cwd }),
  });
  closeSync(output);
  started.add(child);
  const gone = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
  const exited = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  return {
    pid: child.pid ?? 0,
    exited,
    log: () => readFileSync(logFile, 'utf8').slice(-2_000),
    async stop() {
      started.delete(child);
      if (exited()) return;
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
      await gone;
      clearTimeout(force);
    },
  };
}

/** Kills what is still running; for the end of the process, whatever ends it. */
export function killStarted() {
  for (const child of started) child.kill('SIGKILL');
}

/** Splits a command as a shell would, as far as quotes go. */
export function splitCommand(command) {
  const words = command.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) =>
    word.replaceAll(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single),
  );
}

/**
 * CPU time of processes, all their threads, user and system: utime and stime of proc(5).
 * @param {number[]} pids
 * @returns {number} seconds
 */
export function cpuSeconds(pids) {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / ticksPerS;
}

/**
 * How long one core has been busy with anything since the machine started, from proc(5)'s `stat`.
 * @returns {number} seconds
 */
export function coreBusySeconds(core) {
  const line = readFileSync('/proc/stat', 'latin1')
    .split('\n')
    .find((text) => text.startsWith(`cpu${core} `));
  if (line === undefined) throw new Error(`there is no core ${core}`);
  const [user, nice, system, , , irq, softirq, steal] = line.split(' ').slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) / ticksPerS;
}

/** @returns {Promise<number[]>} ports of the loopback that are free now, all different */
export async function freePorts(howMany) {
  const servers = await Promise.all(
    Array.from(
      { length: howMany },
      () =>
        new Promise((resolve, reject) => {
          const server = createServer().once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Asks until the answer is truthy; rejects with what `why` says after `timeoutMs`. */
export async function until(ask, timeoutMs, why) {
  const giveUpMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > giveUpMs) throw new Error(why());
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
