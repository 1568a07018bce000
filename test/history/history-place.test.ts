/** What history's path may name. */
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HistoryFile } from '../../src/history/history-file';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-history-place-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ['a pipe', (path: string) => void spawnSync('mkfifo', ['-m', '666', path])],
  ['a folder', (path: string) => mkdirSync(path, { mode: 0o755 })],
])('%s is refused at once, and left as it is', (_, make) => {
  const path = join(folder, 'history.db');
  make(path);
  const before = lstatSync(path);
  const opening = (): unknown => {
    try {
      return HistoryFile.open(path);
    } catch (thrown) {
      return thrown;
    }
  };
  expect(String(opening())).toMatch(/^TG_HISTORY_UNAVAILABLE: .*no regular file/);
  const { ino, mode } = lstatSync(path);
  expect({ ino, mode }).toEqual({ ino: before.ino, mode: before.mode });
});
