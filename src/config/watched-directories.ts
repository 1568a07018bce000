/**
 * Which directories to watch to notice every way a path can come to mean something else: the directory of each symlink
 * on the way, so that swapping one is seen, and where the path ends, so that a rename or an edit is.
 */
import { lstat, readlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** Symlinks that are followed, as Linux does. */
const HOPS_MAX = 40;

/** Directories, each with the names in it that matter; undefined when all do. */
export type WatchedNames = Map<string, Set<string> | undefined>;

/** Adds a name, or with undefined all names, of a directory. */
export function addWatched(into: WatchedNames, directory: string, name: string | undefined): void {
  const names = into.get(directory);
  if (name === undefined || (names === undefined && into.has(directory))) into.set(directory, undefined);
  else into.set(directory, (names ?? new Set<string>()).add(name));
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/**
 * Adds the directories that decide what `path` means. Where the path breaks off, the last directory that exists is
 * added, so that its return is noticed.
 */
export async function addDirectoriesOf(path: string, into: WatchedNames): Promise<void> {
  let pending = partsOf(resolve(path));
  let current = '/';
  let hops = 0;
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    const next = join(current, part);
    const info = await lstat(next).catch(() => undefined);
    if (info === undefined || info.isSymbolicLink()) addWatched(into, current, part);
    if (info === undefined) return;
    if (info.isSymbolicLink()) {
      hops += 1;
      const target = await readlink(next).catch(() => undefined);
      if (target === undefined || hops > HOPS_MAX) return;
      pending = [...partsOf(target), ...pending];
      if (target.startsWith('/')) current = '/';
    } else current = next;
  }
  addWatched(into, dirname(current), basename(current));
  const info = await lstat(current).catch(() => undefined);
  if (info?.isDirectory() === true) addWatched(into, current, undefined);
}
