/** `tidegate backtest` as users run it: threads, Ctrl-C, and its report in a real browser. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inflateSync } from 'node:zlib';
import { startChild } from '../parts/child';
import { partPath, repositoryPath } from '../parts/paths';

let folder: string;
let series: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-backtest-'));
  series = repositoryPath('examples', 'traffic.csv');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function backtest(...argv: string[]) {
  return startChild(process.execPath, [repositoryPath('dist', 'main.js'), 'backtest', ...argv]);
}

/** A report without what depends on the machine's speed. */
function figures(path: string): string {
  return readFileSync(path, 'utf8').replace(/"fit_ms": [^\n]*/g, '');
}

const FEW = ['--models', 'naive,ets,ridge', '--origins', '2016:301:4', '--horizons', '1,12'];

test('the figures are the same whatever the number of threads', async () => {
  const written = await Promise.all(
    ['0', '1', '2', '3'].map(async (workers) => {
      const path = join(folder, `workers-${workers}.json`);
      const child = backtest(series, ...FEW, '--workers', workers, '--json', path);
      expect([await child.exited, child.output()]).toEqual([0, expect.stringContaining('best model')]);
      return figures(path);
    }),
  );
  expect(new Set(written).size).toBe(1);
  expect(JSON.parse(readFileSync(join(folder, 'workers-2.json'), 'utf8'))).toMatchObject({
    models: { naive: { '1': { fit_ms: expect.any(Number) as number } }, ets: {}, ridge: {} },
    default: { '12': { mase: expect.any(Number) as number } },
    origins: { default: 4 },
  });
});

test('a reader that goes away, such as head, keeps no report from being written', async () => {
  const path = join(folder, 'unread.json');
  const command = `'${process.execPath}' '${repositoryPath('dist', 'main.js')}' backtest '${series}' ${FEW.join(' ')} --json '${path}'`;
  const child = startChild('bash', ['-c', `set -o pipefail; ${command} | true`]);
  expect([await child.exited, child.output()]).toEqual([0, '']);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ origins: { default: 4 } });
});

test('Ctrl-C ends it at once by that signal, and writes nothing', async () => {
  const path = join(folder, 'stopped.json');
  const child = backtest(series, '--json', path);
  await child.waitForLine('the plan', (line) => (line.startsWith('trained on') ? line : undefined));
  child.signal('SIGINT');
  expect(await child.exited).toBe('SIGINT');
  expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
});

describe('the report in a browser', () => {
  async function chromium(page: string, args: readonly string[]): Promise<string> {
    const child = startChild(
      partPath('chromium'),
      [
        ...[
          '--headless=new',
          '--no-sandbox',
          '--disable-gpu',
          '--hide-scrollbars',
          '--enable-logging=stderr',
        ],
        ...[`--user-data-dir=${join(folder, 'browser')}`, ...args, pathToFileURL(page).href],
      ],
      { env: { HOME: folder } },
    );
    expect([await child.exited, child.output()]).toEqual([0, expect.any(String)]);
    return child.output();
  }

  test.each([
    ['at origins', FEW, 'Backtest of traffic.csv', 6],
    ['one step ahead', ['--online'], 'One step ahead over traffic.csv', 3],
  ])('%s is drawn, without anything from elsewhere', async (_what, argv, title, charts) => {
    const page = join(folder, 'report.html');
    const child = backtest(series, ...argv, '--html', page);
    expect([await child.exited, child.output()]).toEqual([0, expect.stringContaining('written')]);
    const image = join(folder, 'report.png');
    const said = await chromium(page, ['--window-size=1000,2400', `--screenshot=${image}`]);
    // Chromium logs what a page's policy refuses.
    expect(said).not.toMatch(/CONSOLE|Refused/);
    const { width, height, colours } = pixels(readFileSync(image));
    expect([width, height]).toEqual([1_000, 2_400]);
    expect(colours).toBeGreaterThan(50);
    const text = readFileSync(page, 'utf8');
    expect(text).toContain(`<h1>${title}</h1>`);
    expect(text.match(/<svg class="chart"/g)?.length ?? 0).toBeGreaterThanOrEqual(charts);
  });
});

/** The size of a PNG of 8 bits a channel, and how many colours its rows hold. */
function pixels(png: Buffer): { width: number; height: number; colours: number } {
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const colours = new Set<number>();
  for (let at = 0; at + 4 <= raw.length; at += 4) colours.add(raw.readUInt32BE(at));
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20), colours: colours.size };
}
