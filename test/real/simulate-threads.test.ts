/** `tidegate simulate` in threads: what comes of it is what one thread makes of it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from '../parts/child';
import { repositoryPath } from '../parts/paths';

let folder: string;
let scenario: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-simulate-'));
  scenario = join(folder, 'scenario.yaml');
  const rows = Array.from({ length: 120 }, (_, minute) => {
    const rate = 100 + 80 * Math.sin(minute / 5);
    return `${1_767_571_200 + minute * 60},${rate.toFixed(1)}`;
  });
  writeFileSync(join(folder, 'trace.csv'), `timestamp,value\n${rows.join('\n')}\n`);
  writeFileSync(
    scenario,
    `total_tps: 50
split: {train_days: ${60 / 1_440}, test_days: ${60 / 1_440}}
services:
  - {name: a, priority: CRITICAL, share: 0.5, trace: trace.csv}
  - {name: b, priority: LOW, share: 0.5, queue_limit: 5s, trace: trace.csv, roll: 16m}
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the figures are the same whatever the number of threads', async () => {
  const written = await Promise.all(
    ['0', '1', '2', '5'].map(async (threads) => {
      const path = join(folder, `threads-${threads}.json`);
      const argv = ['simulate', scenario, '--threads', threads, '--json', path];
      const child = startChild(process.execPath, [repositoryPath('dist', 'main.js'), ...argv]);
      expect([await child.exited, child.output()]).toEqual([0, expect.stringContaining('load 1.1')]);
      return readFileSync(path, 'utf8');
    }),
  );
  expect(new Set(written).size).toBe(1);
  expect(Object.keys(JSON.parse(written[0] ?? '{}') as object)).toContain('predictive');
});
