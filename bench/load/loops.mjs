/** The two ways to load a server: as fast as its answers come (closed), and at a rate whatever it does (open). */
import { Worker } from 'node:worker_threads';
import { Connection, OUTCOME } from './connection.mjs';
import { Histogram } from './histogram.mjs';

const DRAIN_MS = 5_000;
const TICK_MS = 0.1;

/**
 * @typedef {object} LoadOptions
 * @property {string} host
 * @property {number} port
 * @property {number} connections
 * @property {import('./keys.mjs').KeyPlan} keys
 * @property {number} warmupMs calls that end (closed) or were due (open) in this time are not counted
 * @property {number} durationMs
 */

/** Keeps `streams` calls going on every connection. Latency is that of the loaded server, from sending. */
export async function closedLoop(options, streams) {
  const run = new Run(options);
  const connections = await run.connect((connection, nowMs) => {
    if (nowMs < run.endMs) connection.call(run.nextRequest(), nowMs);
  });
  run.begin();
  const nowMs = performance.now();
  for (const connection of connections) {
    for (let stream = 0; stream < streams; stream += 1) connection.call(run.nextRequest(), nowMs);
    connection.flush();
  }
  await sleep(options.warmupMs + options.durationMs);
  return run.finish();
}

/**
 * Starts `ratePerS` calls a second, evenly spaced, round robin over the connections. A call's latency counts from the
 * time it was due, so a server that stalls is charged for every call that it kept waiting (no coordinated omission).
 */
export async function openLoop(options, ratePerS) {
  const run = new Run(options);
  run.fromDueTime = true;
  const connections = await run.connect(() => {});
  const lag = new Histogram();
  const flag = new Int32Array(new SharedArrayBuffer(8));
  const pacer = new Worker(new URL('./pacer.mjs', import.meta.url), {
    workerData: { intervalMs: TICK_MS, flag },
  });
  const started = new Promise((resolve) => pacer.once('message', resolve));
  await started;
  run.begin();
  const intervalMs = 1_000 / ratePerS;
  const total = Math.round((options.warmupMs + options.durationMs) / intervalMs);
  let sent = 0;
  await new Promise((resolve) => {
    const tick = () => {
      Atomics.store(flag, 1, 0);
      const nowMs = performance.now();
      for (; sent < total; sent += 1) {
        const dueMs = run.startMs + sent * intervalMs;
        if (dueMs > nowMs) break;
        lag.add((nowMs - dueMs) * 1_000);
        connections[sent % connections.length].call(run.nextRequest(), dueMs);
      }
      for (const connection of connections) connection.flush();
      if (sent === total) resolve();
    };
    pacer.on('message', tick);
    tick();
  });
  Atomics.store(flag, 0, 1);
  const result = await run.finish();
  await pacer.terminate();
  return { ...result, sendLagUs: lag.summary() };
}

class Run {
  fromDueTime = false;
  startMs = 0;
  countFromMs = 0;
  endMs = Number.POSITIVE_INFINITY;

  #options;
  #connections = [];
  #latency = new Histogram();
  #next = 0;
  #done = 0;
  #counted = { ok: 0, overLimit: 0, failed: 0 };
  #cpuAtStart = { user: 0, system: 0 };

  constructor(options) {
    this.#options = options;
  }

  nextRequest() {
    const { requests, sequence } = this.#options.keys;
    const request = requests[sequence[this.#next]];
    this.#next = this.#next + 1 === sequence.length ? 0 : this.#next + 1;
    return request;
  }

  async connect(onAnswer) {
    const { host, port, connections } = this.#options;
    for (let index = 0; index < connections; index += 1) {
      const connection = new Connection(host, port, (startMs, outcome) => {
        const nowMs = performance.now();
        this.#answered(startMs, nowMs, outcome);
        if (outcome !== OUTCOME.FAILED) onAnswer(connection, nowMs);
      });
      this.#connections.push(connection);
    }
    await Promise.all(this.#connections.map((connection) => connection.ready()));
    return this.#connections;
  }

  begin() {
    const { warmupMs, durationMs } = this.#options;
    this.startMs = performance.now();
    this.countFromMs = this.startMs + warmupMs;
    this.endMs = this.countFromMs + durationMs;
    this.#cpuAtStart = process.cpuUsage();
  }

  async finish() {
    const cpu = process.cpuUsage(this.#cpuAtStart);
    const elapsedMs = performance.now() - this.startMs;
    const giveUpMs = performance.now() + DRAIN_MS;
    const pending = () => this.#connections.reduce((sum, connection) => sum + connection.pending, 0);
    while (pending() > 0 && performance.now() < giveUpMs) await sleep(5);
    const lost = pending();
    for (const connection of this.#connections) connection.close();
    return {
      callsTotal: this.#done + lost,
      ...this.#counted,
      lost,
      durationMs: this.#options.durationMs,
      callsPerS: ((this.#counted.ok + this.#counted.overLimit) / this.#options.durationMs) * 1_000,
      latencyUs: this.#latency.summary(),
      generatorShare: (cpu.user + cpu.system) / 1_000 / elapsedMs,
      failures: this.#failures(),
    };
  }

  #answered(startMs, nowMs, outcome) {
    this.#done += 1;
    if (outcome === OUTCOME.FAILED) {
      this.#counted.failed += 1;
      return;
    }
    const atMs = this.fromDueTime ? startMs : nowMs;
    if (atMs < this.countFromMs || atMs >= this.endMs) return;
    this.#latency.add((nowMs - startMs) * 1_000);
    if (outcome === OUTCOME.OK) this.#counted.ok += 1;
    else this.#counted.overLimit += 1;
  }

  #failures() {
    const all = {};
    for (const connection of this.#connections) {
      for (const [reason, count] of connection.failures) all[reason] = (all[reason] ?? 0) + count;
    }
    return all;
  }
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
