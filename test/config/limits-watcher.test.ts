import {
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  LimitsWatcher,
  type LimitsOutcome,
  type LimitsWatcherOptions,
} from '../../src/config/limits-watcher';
import type { LimitsSource } from '../../src/config/limits-files';
import { ConfigMapVolume, sourceOf, temporaryDirectory, write } from './temporary-directory';

/** A poll that never comes within a test: what is seen was seen by events. */
const NEVER_MS = 3_600_000;

let directory = '';
let watcher: LimitsWatcher | undefined;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(async () => {
  await watcher?.close();
  rmSync(directory, { recursive: true });
});

function textOf(outcome: LimitsOutcome): string {
  return 'error' in outcome ? outcome.error.code : outcome.files.map((file) => file.text).join('+');
}

/** What the watcher told, with a way to wait for it. */
class Told {
  readonly texts: string[] = [];
  readonly faults: unknown[] = [];
  private waiting: (() => void)[] = [];

  add(outcome: LimitsOutcome): void {
    this.texts.push(textOf(outcome));
    this.wake();
  }

  wake(): void {
    for (const resume of this.waiting.splice(0)) resume();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resume) => this.waiting.push(resume));
  }

  async last(text: string): Promise<void> {
    await this.until(() => this.texts.at(-1) === text);
  }
}

async function watching(source: LimitsSource, more: Partial<LimitsWatcherOptions> = {}): Promise<Told> {
  const told = new Told();
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  const error = (fields: object): void => {
    told.faults.push(fields);
    told.wake();
  };
  watcher = new LimitsWatcher({
    source,
    pollIntervalMs: NEVER_MS,
    debounceMs: 5,
    onChange: (outcome) => told.add(outcome),
    logger: { ...quiet, error },
    ...more,
  });
  await watcher.start();
  return told;
}

describe.each([
  ['events', { pollIntervalMs: NEVER_MS }],
  ['polling alone', { pollIntervalMs: 20, events: false }],
])('watching limits by %s', (_, how) => {
  it('tells the first outcome before the start resolves', async () => {
    write(directory, { 'a.yaml': '1' });
    expect((await watching(sourceOf(directory), how)).texts).toEqual(['1']);
  });

  it('sees an edit in place, a new file and a removed one', async () => {
    write(directory, { 'a.yaml': '1' });
    const told = await watching(sourceOf(directory), how);
    write(directory, { 'a.yaml': '2' });
    await told.last('2');
    write(directory, { 'b.yaml': '3' });
    await told.last('2+3');
    unlinkSync(join(directory, 'a.yaml'));
    await told.last('3');
  });

  it('sees an edit of the same length within one tick of the file system', async () => {
    write(directory, { 'a.yaml': '1' });
    const told = await watching(sourceOf(directory), how);
    const { atime, mtime } = statSync(join(directory, 'a.yaml'));
    write(directory, { 'a.yaml': '2' });
    utimesSync(join(directory, 'a.yaml'), atime, mtime);
    await told.last('2');
  });

  it('sees the atomic rename of one watched file', async () => {
    write(directory, { 'limits.yaml': '1' });
    const told = await watching(sourceOf(join(directory, 'limits.yaml')), how);
    for (const text of ['2', '3']) {
      write(directory, { 'limits.yaml.tmp': text });
      renameSync(join(directory, 'limits.yaml.tmp'), join(directory, 'limits.yaml'));
      await told.last(text);
    }
  });

  it.each([
    ['the volume', ''],
    ['one file of it', 'a.yaml'],
  ])('sees the swap of a ConfigMap: %s', async (__, name) => {
    const volume = new ConfigMapVolume(join(directory, 'volume'));
    volume.publish({ 'a.yaml': '1' });
    const told = await watching(sourceOf(join(volume.path, name)), how);
    for (const text of ['2', '3', '4']) {
      volume.publish({ 'a.yaml': text });
      await told.last(text);
    }
    expect(told.texts.filter((text) => text !== 'TG_LIMITS_UNREADABLE')).toEqual(['1', '2', '3', '4']);
  });

  it('sees a parent that is a symlink point elsewhere, as RUNTIME_ROOT does', async () => {
    write(directory, { 'v1/limits/config/a.yaml': '1', 'v2/limits/config/a.yaml': '2' });
    symlinkSync('v1', join(directory, 'current'));
    const source = sourceOf(join(directory, 'current/limits'), { recursive: true, prefix: 'config.' });
    const told = await watching(source, how);
    symlinkSync('v2', join(directory, 'next'));
    renameSync(join(directory, 'next'), join(directory, 'current'));
    await told.last('2');
    write(directory, { 'v2/limits/config/a.yaml': '3' });
    await told.last('3');
  });

  it('survives a directory that vanishes and returns, however deep', async () => {
    write(directory, { 'x/y/a.yaml': '1' });
    const told = await watching(sourceOf(join(directory, 'x/y')), how);
    rmSync(join(directory, 'x'), { recursive: true });
    await told.last('TG_LIMITS_UNREADABLE');
    mkdirSync(join(directory, 'x/y'), { recursive: true });
    await told.last('');
    write(directory, { 'x/y/a.yaml': '2' });
    await told.last('2');
  });

  it('tells nothing when what changed says the same', async () => {
    write(directory, { 'a.yaml': '1', 'note.txt': 'x' });
    const told = await watching(sourceOf(directory), how);
    write(directory, { 'a.yaml.tmp': '1', 'note.txt': 'y' });
    renameSync(join(directory, 'a.yaml.tmp'), join(directory, 'a.yaml'));
    await watcher?.check();
    write(directory, { 'a.yaml.tmp': '2' });
    renameSync(join(directory, 'a.yaml.tmp'), join(directory, 'a.yaml'));
    await told.last('2');
    expect(told.texts).toEqual(['1', '2']);
  });
});

describe('the limits watcher', () => {
  it('begins with an error where there is nothing, and tells when there is', async () => {
    const told = await watching(sourceOf(join(directory, 'limits')));
    expect(told.texts).toEqual(['TG_LIMITS_UNREADABLE']);
    write(directory, { 'limits/a.yaml': '1' });
    await told.last('1');
  });

  it('goes on after a handler that throws, and logs it', async () => {
    write(directory, { 'a.yaml': '1' });
    const seen: string[] = [];
    const told = await watching(sourceOf(directory), {
      onChange: (outcome) => {
        seen.push(textOf(outcome));
        if (seen.length === 2) throw new Error('no');
      },
    });
    write(directory, { 'a.yaml': '2' });
    await told.until(() => told.faults.length === 1);
    write(directory, { 'a.yaml': '3' });
    await watcher?.check();
    expect(seen).toEqual(['1', '2', '3']);
  });

  it('tells nothing after it was closed', async () => {
    write(directory, { 'a.yaml': '1' });
    const told = await watching(sourceOf(directory), { pollIntervalMs: 5 });
    await watcher?.close();
    writeFileSync(join(directory, 'a.yaml'), '2');
    await watcher?.check();
    expect(told.texts).toEqual(['1']);
  });
});
