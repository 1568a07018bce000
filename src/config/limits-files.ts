/**
 * Reads limits files: one file, or the files of a directory. What is read belongs together: when the directory changes
 * underneath (a ConfigMap is swapped, say), it is read again, so that files of two versions are not mixed.
 */
import { constants } from 'node:fs';
import { opendir, open, realpath, stat, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TidegateError } from '../core/errors';

/** Where limits files are and which of a directory's files count. */
export interface LimitsSource {
  /** A file or a directory. */
  readonly path: string;
  /** Endings of a directory's files, with their dot; empty takes every file. A file that is named itself always counts. */
  readonly extensions: readonly string[];
  /** Whether directories beneath it are read too. */
  readonly recursive: boolean;
  /** What a file's dotted path beneath the directory must begin with. */
  readonly prefix: string;
  readonly ignoreDotFiles: boolean;
  readonly maxFiles: number;
  readonly maxFileBytes: number;
}

/** One limits file. */
export interface LimitsFile {
  /** Its path beneath the directory with slashes, or its own name. */
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

/** A file that counts, and what tells whether it changed. */
export interface ListedFile {
  readonly name: string;
  readonly path: string;
  /** Changes when the file is written, replaced, or reached through another symlink. */
  readonly stamp: string;
  /** When it last changed, ms since the epoch, by the file system's clock. */
  readonly changedMs: number;
  readonly isLink: boolean;
}

/** Opening a named pipe must fail rather than wait for its writer. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;
/** Directories beneath directories that are followed, so that a loop of symlinks ends. */
const DEPTH_MAX = 8;
/** How often files that change while they are read are read again. */
const ATTEMPTS_MAX = 5;
/** Entries of all directories together that are looked at, for each file that may count. */
const ENTRIES_PER_FILE = 10;

function unreadable(path: string, thrown: unknown): TidegateError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new TidegateError('TG_LIMITS_UNREADABLE', message, { at: { file: path }, cause: thrown });
}

async function listed(name: string, path: string, isLink: boolean): Promise<ListedFile> {
  const info = await stat(path, { bigint: true });
  const real = await realpath(path);
  const stamp = `${real}|${info.dev}|${info.ino}|${info.size}|${info.mtimeNs}|${info.ctimeNs}`;
  const changedMs = Math.max(Number(info.mtimeMs), Number(info.ctimeMs));
  return { name, path, stamp, changedMs, isLink };
}

/** Walks a directory, gathering the files that count. */
class Listing {
  readonly files: ListedFile[] = [];
  private entries = 0;

  constructor(private readonly source: LimitsSource) {}

  /** Whether an entry's name hides it. `..data` and `..2024_01_01` are how Kubernetes keeps the versions of a volume. */
  private hidden(name: string): boolean {
    return name.startsWith('..') || (this.source.ignoreDotFiles && name.startsWith('.'));
  }

  private bound(path: string): void {
    this.entries += 1;
    const { maxFiles } = this.source;
    if (this.files.length <= maxFiles && this.entries <= maxFiles * ENTRIES_PER_FILE + 1_000) return;
    throw new TidegateError('TG_LIMITS_TOO_LARGE', `the directory has more than ${maxFiles} limits files`, {
      at: { file: path },
      remedy: 'name a directory with fewer files, or raise limits.max_files',
    });
  }

  async walk(directory: string, parents: readonly string[]): Promise<void> {
    for await (const entry of await opendir(directory)) {
      const { name } = entry;
      this.bound(directory);
      if (this.hidden(name)) continue;
      const path = join(directory, name);
      const keys = [...parents, name];
      const info = await stat(path).catch((thrown: unknown) => {
        throw unreadable(path, thrown);
      });
      if (info.isDirectory()) {
        if (this.source.recursive && keys.length < DEPTH_MAX && this.mayHold(keys))
          await this.walk(path, keys);
      } else if (info.isFile() && this.counts(keys))
        this.files.push(await listed(keys.join('/'), path, entry.isSymbolicLink()));
    }
  }

  private counts(keys: readonly string[]): boolean {
    const { extensions, prefix } = this.source;
    const name = keys.at(-1) ?? '';
    const known = extensions.length === 0 || extensions.some((ending) => name.endsWith(ending));
    return known && keys.join('.').startsWith(prefix);
  }

  private mayHold(keys: readonly string[]): boolean {
    const dotted = `${keys.join('.')}.`;
    return dotted.startsWith(this.source.prefix) || this.source.prefix.startsWith(dotted);
  }
}

/**
 * Lists the files that count, by name, without reading them.
 * Rejects with TG_LIMITS_UNREADABLE or TG_LIMITS_TOO_LARGE.
 */
export async function listLimitsFiles(source: LimitsSource): Promise<readonly ListedFile[]> {
  try {
    const info = await stat(source.path);
    if (!info.isDirectory() && !info.isFile()) throw new Error('neither a file nor a directory');
    if (info.isFile()) return [await listed(basename(source.path), source.path, false)];
    const listing = new Listing(source);
    await listing.walk(source.path, []);
    return listing.files.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  } catch (thrown) {
    throw thrown instanceof TidegateError ? thrown : unreadable(source.path, thrown);
  }
}

/** Reads at most `maxBytes` and one more, so that a file that grows meanwhile cannot fill the memory. */
async function readBounded(handle: FileHandle, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  while (total <= maxBytes) {
    const chunk = Buffer.allocUnsafe(Math.min(65_536, maxBytes + 1 - total));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
    if (bytesRead === 0) break;
    chunks.push(chunk.subarray(0, bytesRead));
    total += bytesRead;
  }
  return Buffer.concat(chunks, total);
}

/** The line of the first byte that is not UTF-8. */
function badLine(bytes: Buffer): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    start = end + 1;
  }
  return line;
}

async function readOne(file: ListedFile, maxFileBytes: number): Promise<LimitsFile> {
  let bytes: Buffer;
  try {
    const handle = await open(file.path, READ);
    try {
      if (!(await handle.stat()).isFile()) throw new Error('not a regular file');
      bytes = await readBounded(handle, maxFileBytes);
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    throw unreadable(file.path, thrown);
  }
  if (bytes.length > maxFileBytes)
    throw new TidegateError('TG_LIMITS_TOO_LARGE', `the file is longer than ${maxFileBytes} bytes`, {
      at: { file: file.path },
      remedy: 'split the file, or raise limits.max_file_bytes',
    });
  try {
    return {
      name: file.name,
      path: file.path,
      text: new TextDecoder('utf-8', { fatal: true }).decode(bytes),
    };
  } catch (thrown) {
    throw new TidegateError('TG_LIMITS_SYNTAX', 'the file is not UTF-8', {
      at: { file: file.path, line: badLine(bytes) },
      remedy: 'save the file as UTF-8',
      cause: thrown,
    });
  }
}

async function readAll(
  source: LimitsSource,
): Promise<{ files: LimitsFile[]; before: readonly ListedFile[] }> {
  const before = await listLimitsFiles(source);
  const files: LimitsFile[] = [];
  for (const file of before) files.push(await readOne(file, source.maxFileBytes));
  return { files, before };
}

/** What tells whether any of the files changed. */
export function stampOf(files: readonly ListedFile[]): string {
  return files.map((file) => `${file.name}|${file.path}|${file.stamp}`).join('\n');
}

/**
 * Reads the files that count, sorted by name, symlinks followed. A directory without any yields an empty list.
 * Rejects with TG_LIMITS_UNREADABLE, TG_LIMITS_TOO_LARGE or, for what is not UTF-8, TG_LIMITS_SYNTAX.
 */
export async function readLimitsFiles(source: LimitsSource): Promise<readonly LimitsFile[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { files, before } = await readAll(source);
      if (attempt === ATTEMPTS_MAX || stampOf(await listLimitsFiles(source)) === stampOf(before))
        return files;
    } catch (thrown) {
      // A file that goes away between being listed and being read is a change like any other.
      const gone = thrown instanceof TidegateError && thrown.code === 'TG_LIMITS_UNREADABLE';
      if (!gone || attempt === ATTEMPTS_MAX) throw thrown;
    }
  }
}
