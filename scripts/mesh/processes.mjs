// Starts the mesh's processes, writes what each says to a log file, and stops them all, the last started first.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

const STOP_GRACE_MS = 8_000;
const TAIL_LINES = 15;

export class Processes {
  #folder;
  #started = [];
  #onFailure;
  #stopping = false;

  /** `onFailure(message)` is called once a process ends that was not told to. */
  constructor(folder, onFailure) {
    this.#folder = folder;
    this.#onFailure = onFailure;
    // The last resort: whatever way this process ends, its children do not outlive it.
    process.once('exit', () => {
      for (const { child } of this.#started) child.kill('SIGKILL');
    });
  }

  start(name, program, args, env = {}) {
    const log = path.join(this.#folder, `${name}.log`);
    const out = openSync(log, 'a');
    const child = spawn(program, args, {
      // A group of its own: Ctrl-C reaches this process only, which then stops the rest in order.
      detached: true,
      env: { PATH: process.env.PATH, HOME: this.#folder, ...env },
      stdio: ['ignore', out, out],
    });
    closeSync(out);
    const ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `status ${code}`));
    });
    this.#started.push({ name, child, ended });
    void ended.then((how) => {
      if (!this.#stopping) this.#onFailure(`${name} ended with ${how}:\n${tail(log)}`);
    });
  }

  /** The last lines that a process wrote. */
  tail(name) {
    return tail(path.join(this.#folder, `${name}.log`));
  }

  /** SIGTERM to one after the other, SIGKILL to what is not gone in time. */
  async stopAll() {
    this.#stopping = true;
    for (const { child, ended } of this.#started.reverse()) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
      await ended;
      clearTimeout(timer);
    }
    this.#started = [];
  }
}

function tail(file) {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}
