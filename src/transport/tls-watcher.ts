/**
 * Notices when certificate files change: written in place, replaced, or swapped through a symlink as a mounted
 * Kubernetes Secret is. It looks at what the paths lead to, at intervals, since a watch on a file misses such swaps.
 * A change is taken up when the files have stood still for one interval, so a half-written set is seldom seen.
 */
import { stat } from 'node:fs/promises';
import type { SecureContextOptions } from 'node:tls';
import { TidegateError } from '../core/errors';
import { loadTlsFiles, type TlsFiles } from './tls-files';

/** Who is told what became of a change. */
export interface TlsWatcherEvents {
  /** The new files are good: use them from now on. */
  readonly changed: (options: SecureContextOptions) => void;
  /** The new files are no good: go on with the old. Called once a change. */
  readonly kept: (error: TidegateError) => void;
}

/** Watches the files until it is stopped; its timer keeps no process alive. */
export class TlsWatcher {
  readonly #files: TlsFiles;
  readonly #paths: readonly string[];
  readonly #events: TlsWatcherEvents;
  readonly #timer: NodeJS.Timeout;
  #looking = false;
  #stopped = false;
  #seen: string | undefined;
  #settled: string | undefined;

  /**
   * @param signature what {@link signatureOf} said before the files in use were read.
   * @param intervalMs how often to look.
   */
  constructor(files: TlsFiles, signature: string, intervalMs: number, events: TlsWatcherEvents) {
    this.#files = files;
    this.#paths = pathsOf(files);
    this.#events = events;
    this.#seen = signature;
    this.#settled = signature;
    this.#timer = setInterval(() => void this.#look(), intervalMs);
    this.#timer.unref();
  }

  /** No event comes after this. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const signature = await signatureOf(this.#paths);
      const stoodStill = signature === this.#seen;
      this.#seen = signature;
      if (stoodStill && signature !== this.#settled) {
        this.#settled = signature;
        await this.#reload();
      }
    } finally {
      this.#looking = false;
    }
  }

  async #reload(): Promise<void> {
    let options: SecureContextOptions;
    try {
      options = await loadTlsFiles(this.#files);
    } catch (thrown) {
      if (!this.#stopped) this.#events.kept(TidegateError.from(thrown, 'TG_TLS'));
      return;
    }
    if (!this.#stopped) this.#events.changed(options);
  }
}

/** The paths that a server's TLS is read from. */
export function pathsOf(files: TlsFiles): readonly string[] {
  return [files.certFile, files.keyFile, ...(files.clientCaFile === undefined ? [] : [files.clientCaFile])];
}

/** What tells one state of the files from another: which files the paths lead to, their sizes and times. */
export async function signatureOf(paths: readonly string[]): Promise<string> {
  const parts = paths.map(async (path) => {
    try {
      const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
      return `${dev}:${ino}:${size}:${mtimeNs}`;
    } catch {
      return 'unreadable';
    }
  });
  return (await Promise.all(parts)).join(' ');
}
