/**
 * Watches limits files and tells when what they say has changed: an edit, an atomic rename, a symlink swap anywhere on
 * the way. File system events make it quick; polling makes it certain, since events get lost, and some file systems
 * have none. A directory that vanishes is reported as an error, and its return as a change.
 */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { TidegateError } from '../core/errors';
import type { Logger } from '../core/ports';
import { DirectoryWatches } from './directory-watches';
import {
  listLimitsFiles,
  readLimitsFiles,
  stampOf,
  type LimitsFile,
  type LimitsSource,
  type ListedFile,
} from './limits-files';
import { addDirectoriesOf, addWatched, type WatchedNames } from './watched-directories';

/** The files, or why they cannot be read. */
export type LimitsOutcome = { readonly files: readonly LimitsFile[] } | { readonly error: TidegateError };

/** How to watch. */
export interface LimitsWatcherOptions {
  readonly source: LimitsSource;
  /** How often to look without having been told, ms. */
  readonly pollIntervalMs: number;
  /** How long to wait after an event for more of them, ms; default 50. */
  readonly debounceMs?: number;
  /** False leaves it to polling; default true. */
  readonly events?: boolean;
  /** Called first by start, then whenever the outcome is another one; never while a call is in progress. */
  readonly onChange: (outcome: LimitsOutcome) => void | Promise<void>;
  /** Hears of what onChange throws after the start. */
  readonly logger: Logger;
}

/**
 * A file that changed this recently may change again without its times showing it, since file systems keep them in
 * steps (up to 2 s on some); its stamp is not trusted.
 */
const SETTLED_MS = 2_500;
/** Symlinked files whose way is watched; polling covers the rest. */
const LINKS_MAX = 256;

function fingerprintOf(outcome: LimitsOutcome): string {
  if ('error' in outcome) return `error ${outcome.error.toString()}`;
  const hash = createHash('sha256');
  for (const { name, path, text } of outcome.files) hash.update(JSON.stringify([name, path, text]));
  return hash.digest('hex');
}

/** See the file's comment. Call start once, then close once. */
export class LimitsWatcher {
  private readonly watches: DirectoryWatches;
  private fingerprint: string | undefined;
  /** What the files' metadata was when they were last read; undefined when it tells nothing. */
  private stamp: string | undefined;
  private pollTimer: NodeJS.Timeout | undefined;
  private eventTimer: NodeJS.Timeout | undefined;
  private checking: Promise<void> | undefined;
  private again = false;
  private closed = false;

  constructor(private readonly options: LimitsWatcherOptions) {
    this.watches = new DirectoryWatches(() => this.onEvent());
  }

  /** Reads the files, gives the first outcome to onChange, and goes on watching. Rejects with what onChange throws. */
  async start(): Promise<void> {
    await this.check();
    this.schedulePoll();
  }

  /** Looks now. Resolves when a change, if there is one, was given to onChange; rejects with what that throws. */
  async check(): Promise<void> {
    this.again = true;
    this.checking ??= this.checkUntilQuiet().finally(() => {
      this.checking = undefined;
    });
    await this.checking;
  }

  /** Stops watching and waits for a check in progress. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.pollTimer);
    clearTimeout(this.eventTimer);
    this.watches.close();
    await this.checking?.catch(() => undefined);
  }

  private async checkUntilQuiet(): Promise<void> {
    while (this.again && !this.closed) {
      this.again = false;
      await this.checkOnce();
    }
  }

  private async checkOnce(): Promise<void> {
    const listing = await listLimitsFiles(this.options.source).catch(() => undefined);
    // Watching comes before reading: a change while reading then leads to another look.
    if (this.options.events !== false) await this.watches.set(await this.wanted(listing ?? []));
    if (listing !== undefined && this.stamp !== undefined && stampOf(listing) === this.stamp) return;
    const outcome = await this.read();
    const fingerprint = fingerprintOf(outcome);
    if (this.closed || fingerprint === this.fingerprint) return;
    this.fingerprint = fingerprint;
    await this.options.onChange(outcome);
  }

  /** Reads the files and keeps the stamp they had before, so that a later change cannot hide behind it. */
  private async read(): Promise<LimitsOutcome> {
    this.stamp = undefined;
    try {
      const listing = await listLimitsFiles(this.options.source);
      const settledMs = Date.now() - SETTLED_MS;
      const files = await readLimitsFiles(this.options.source);
      if (listing.every((file) => file.changedMs < settledMs)) this.stamp = stampOf(listing);
      return { files };
    } catch (thrown) {
      return { error: TidegateError.from(thrown, 'TG_LIMITS_UNREADABLE') };
    }
  }

  private async wanted(listing: readonly ListedFile[]): Promise<WatchedNames> {
    const { path } = this.options.source;
    const wanted: WatchedNames = new Map();
    await addDirectoriesOf(path, wanted);
    const within = listing.filter((file) => file.path !== path);
    for (const parent of new Set(within.map((file) => dirname(file.path))))
      addWatched(wanted, parent, undefined);
    for (const link of within.filter((file) => file.isLink).slice(0, LINKS_MAX))
      await addDirectoriesOf(link.path, wanted);
    return wanted;
  }

  private checkInBackground(): Promise<void> {
    return this.check().catch((thrown: unknown) => {
      this.options.logger.error({ err: thrown }, 'a change of the limits files could not be handled');
    });
  }

  private schedulePoll(): void {
    if (this.closed) return;
    this.pollTimer = setTimeout(() => {
      void this.checkInBackground().then(() => this.schedulePoll());
    }, this.options.pollIntervalMs);
    this.pollTimer.unref();
  }

  private onEvent(): void {
    if (this.closed || this.eventTimer !== undefined) return;
    this.eventTimer = setTimeout(() => {
      this.eventTimer = undefined;
      void this.checkInBackground();
    }, this.options.debounceMs ?? 50);
    this.eventTimer.unref();
  }
}
