/** A changing set of directories under watch, each replaced when the directory itself was replaced. */
import { watch, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { WatchedNames } from './watched-directories';

/** Directories watched at most; the caller's polling covers the rest. */
const WATCHED_MAX = 256;

interface Watched {
  readonly watcher: FSWatcher;
  /** Device and inode: a directory that was replaced needs a new watch. */
  readonly identity: string;
  names: ReadonlySet<string> | undefined;
}

async function identityOf(directory: string): Promise<string | undefined> {
  const info = await stat(directory, { bigint: true }).catch(() => undefined);
  return info === undefined ? undefined : `${info.dev}:${info.ino}`;
}

/** Calls `onEvent` for what happens to the names that matter. Watches that cannot be had are left out silently. */
export class DirectoryWatches {
  private readonly watched = new Map<string, Watched>();
  private closed = false;

  constructor(private readonly onEvent: () => void) {}

  /** Watches these directories and no others. Calls must not overlap. */
  async set(wanted: WatchedNames): Promise<void> {
    for (const [directory, entry] of this.watched) {
      if (wanted.has(directory) && (await identityOf(directory)) === entry.identity) continue;
      entry.watcher.close();
      this.watched.delete(directory);
    }
    for (const [directory, names] of [...wanted].slice(0, WATCHED_MAX)) {
      const entry = this.watched.get(directory) ?? (await this.add(directory));
      if (entry !== undefined) entry.names = names;
    }
  }

  /** Ends all watches. */
  close(): void {
    this.closed = true;
    for (const { watcher } of this.watched.values()) watcher.close();
    this.watched.clear();
  }

  private async add(directory: string): Promise<Watched | undefined> {
    const identity = await identityOf(directory);
    if (this.closed || identity === undefined) return undefined;
    try {
      const watcher = watch(directory, { persistent: false }, (_, name) => {
        const names = this.watched.get(directory)?.names;
        if (names === undefined || name === null || names.has(name)) this.onEvent();
      });
      watcher.on('error', () => {
        watcher.close();
        if (this.watched.get(directory)?.watcher === watcher) this.watched.delete(directory);
      });
      const entry: Watched = { watcher, identity, names: undefined };
      this.watched.set(directory, entry);
      return entry;
    } catch {
      // The system's bound on watches is reached, or the directory just went: polling sees the change.
      return undefined;
    }
  }
}
