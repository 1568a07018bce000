/** A real program as a child process of a test: its output kept (bounded), its lines awaited, always stopped. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

const KEPT_LINES = 400;

/** How a child ended: its exit status, or the signal that ended it. */
export type ChildExit = number | NodeJS.Signals;

/** A started program. */
export interface Child {
  /** -1 when it could not be started. */
  readonly pid: number;
  /** Settles when it has ended, however it did. */
  readonly exited: Promise<ChildExit>;
  /** Its last lines on stdout and stderr, to put into a failure's message. */
  output(): string;
  /**
   * The first value that `pick` finds in a line of its output, those already written included.
   * Rejects, with the output, when the child ends first or `timeoutMs` passes.
   */
  waitForLine<T>(what: string, pick: (line: string) => T | undefined, timeoutMs?: number): Promise<T>;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL after `graceMs`; returns when it is gone. May be called again. */
  stop(graceMs?: number): Promise<ChildExit>;
}

/** Where and with what a child starts. */
export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** Starts a program. It gets PATH and `options.env` and nothing else of this process's environment. */
export function startChild(program: string, args: readonly string[], options: ChildOptions = {}): Child {
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  return new SpawnedChild(child, program);
}

class SpawnedChild implements Child {
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  private readonly lines: string[] = [];
  private readonly listeners = new Set<(line: string) => void>();
  private ended = false;

  constructor(
    private readonly child: ChildProcess,
    private readonly program: string,
  ) {
    this.pid = child.pid ?? -1;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.take(line));
    }
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => {
        this.take(String(error));
        this.ended = true;
        resolve(-1);
      });
      child.once('close', (code, signal) => {
        this.ended = true;
        resolve(signal ?? code ?? -1);
      });
    });
  }

  output(): string {
    return this.lines.join('\n');
  }

  async waitForLine<T>(what: string, pick: (line: string) => T | undefined, timeoutMs = 20_000): Promise<T> {
    for (const line of this.lines) {
      const found = pick(line);
      if (found !== undefined) return found;
    }
    return new Promise<T>((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.listeners.delete(listener);
        settle();
      };
      const fail = (why: string): void =>
        finish(() => reject(new Error(`${this.program}: ${why} before ${what}\n${this.output()}`)));
      const listener = (line: string): void => {
        const found = pick(line);
        if (found !== undefined) finish(() => resolve(found));
      };
      const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
      this.listeners.add(listener);
      void this.exited.then((exit) => fail(`ended with ${exit}`));
    });
  }

  signal(name: NodeJS.Signals): void {
    if (!this.ended) this.child.kill(name);
  }

  async stop(graceMs = 10_000): Promise<ChildExit> {
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), graceMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  private take(line: string): void {
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
    for (const listener of [...this.listeners]) listener(line);
  }
}
