import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { readLimitsFiles, type LimitsSource } from '../../src/config/limits-files';
import { TidegateError } from '../../src/core/errors';
import { ConfigMapVolume, sourceOf, temporaryDirectory, write } from './temporary-directory';

let directory = '';
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => rmSync(directory, { recursive: true }));

async function names(more: Partial<LimitsSource> = {}): Promise<readonly string[]> {
  return (await readLimitsFiles(sourceOf(directory, more))).map((file) => file.name);
}

async function refusal(source: LimitsSource): Promise<string> {
  const thrown: unknown = await readLimitsFiles(source).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(TidegateError);
  return String(thrown);
}

describe('reading limits files', () => {
  it('reads one file, whatever its ending', async () => {
    write(directory, { 'limits.txt': 'domain: a\n' });
    const path = join(directory, 'limits.txt');
    expect(await readLimitsFiles(sourceOf(path))).toEqual([
      { name: 'limits.txt', path, text: 'domain: a\n' },
    ]);
  });

  const tree = {
    'b.yaml': 'b',
    'a.yml': 'a',
    'c.txt': 'c',
    '.d.yaml': 'd',
    'sub/e.yaml': 'e',
    '.git/f.yaml': 'f',
    'sub/deep/g': 'g',
  };

  it.each<[string, Partial<LimitsSource>, readonly string[]]>([
    ['those with known endings, by name', {}, ['a.yml', 'b.yaml']],
    ['every file', { extensions: [] }, ['a.yml', 'b.yaml', 'c.txt']],
    ['dot files', { ignoreDotFiles: false }, ['.d.yaml', 'a.yml', 'b.yaml']],
    ['the directories beneath', { recursive: true }, ['a.yml', 'b.yaml', 'sub/e.yaml']],
    [
      'all of it, as the reference does',
      { recursive: true, extensions: [], ignoreDotFiles: false },
      ['.d.yaml', '.git/f.yaml', 'a.yml', 'b.yaml', 'c.txt', 'sub/deep/g', 'sub/e.yaml'],
    ],
    [
      'a prefix of dotted paths',
      { recursive: true, extensions: [], prefix: 'sub.' },
      ['sub/deep/g', 'sub/e.yaml'],
    ],
    ['a prefix within a directory', { recursive: true, extensions: [], prefix: 'sub.d' }, ['sub/deep/g']],
  ])('takes %s', async (_, more, expected) => {
    write(directory, tree);
    expect(await names(more)).toEqual(expected);
  });

  it('reads a mounted ConfigMap once, through its symlinks', async () => {
    new ConfigMapVolume(directory).publish({ 'a.yaml': 'one', 'b.yaml': 'two' });
    const files = await readLimitsFiles(
      sourceOf(directory, { recursive: true, extensions: [], ignoreDotFiles: false }),
    );
    expect(files.map(({ name, text }) => [name, text])).toEqual([
      ['a.yaml', 'one'],
      ['b.yaml', 'two'],
    ]);
  });

  it('ends where symlinks make a loop', async () => {
    write(directory, { 'a.yaml': 'a' });
    symlinkSync('.', join(directory, 'loop'));
    expect((await names({ recursive: true })).length).toBeLessThan(10);
  });

  it('yields nothing for an empty directory', async () => {
    expect(await names()).toEqual([]);
  });

  it.each<[string, () => LimitsSource, RegExp]>([
    [
      'a path that is not there',
      () => sourceOf(join(directory, 'none')),
      /^TG_LIMITS_UNREADABLE: .*none: .*ENOENT/,
    ],
    [
      'a symlink to nothing',
      () => {
        symlinkSync('gone', join(directory, 'a.yaml'));
        return sourceOf(directory);
      },
      /^TG_LIMITS_UNREADABLE: .*a\.yaml: .*ENOENT/,
    ],
    [
      'a named pipe, without waiting for its writer',
      () => {
        execFileSync('mkfifo', [join(directory, 'pipe')]);
        return sourceOf(join(directory, 'pipe'));
      },
      /^TG_LIMITS_UNREADABLE: .*pipe: neither a file nor a directory/,
    ],
    [
      'a file that is too long',
      () => {
        write(directory, { 'a.yaml': 'x'.repeat(1_001) });
        return sourceOf(directory, { maxFileBytes: 1_000 });
      },
      /^TG_LIMITS_TOO_LARGE: .*a\.yaml: the file is longer than 1000 bytes/,
    ],
    [
      'too many files',
      () => {
        write(directory, { 'a.yaml': '', 'b.yaml': '', 'c.yaml': '', 'd.yaml': '' });
        return sourceOf(directory, { maxFiles: 2 });
      },
      /^TG_LIMITS_TOO_LARGE: .*more than 2 limits files/,
    ],
    [
      'what is not UTF-8, with its line',
      () => {
        write(directory, { 'a.yaml': Buffer.from([0x61, 0x0a, 0x62, 0xff, 0x0a]) });
        return sourceOf(directory);
      },
      /^TG_LIMITS_SYNTAX: .*a\.yaml:2: the file is not UTF-8/,
    ],
  ])('refuses %s', async (_, source, message) => {
    expect(await refusal(source())).toMatch(message);
  });

  it('takes exactly as many files and bytes as the bounds say', async () => {
    write(directory, { 'a.yaml': 'x'.repeat(1_000), 'b.yaml': '' });
    expect(await names({ maxFiles: 2, maxFileBytes: 1_000 })).toEqual(['a.yaml', 'b.yaml']);
  });

  it('refuses a directory that may not be read, unless the user may read everything', async () => {
    mkdirSync(join(directory, 'closed'));
    chmodSync(join(directory, 'closed'), 0);
    const source = sourceOf(join(directory, 'closed'));
    if (process.getuid?.() === 0) expect(await readLimitsFiles(source)).toEqual([]);
    else expect(await refusal(source)).toMatch(/^TG_LIMITS_UNREADABLE: .*EACCES/);
  });

  it('never mixes two versions of a volume that is swapped while it is read', async () => {
    const files = (text: string): Record<string, string> =>
      Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`${index}.yaml`, text]));
    const volume = new ConfigMapVolume(directory);
    volume.publish(files('0'));
    for (let version = 1; version <= 40; version += 1) {
      const reading = readLimitsFiles(sourceOf(directory));
      // The swap comes at another point of the reading each time.
      for (let turn = 0; turn < version * 5; turn += 1) await new Promise((resume) => setImmediate(resume));
      volume.publish(files(String(version)));
      expect(new Set((await reading).map((file) => file.text)).size).toBe(1);
    }
  });
});
