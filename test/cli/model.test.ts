/** `tidegate model`: what is in a folder, in and out of it, and wrong use. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/run';
import { smallModel } from '../app/training/model-parts';

const folder = mkdtempSync(join(tmpdir(), 'tidegate-model-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const dir = join(folder, 'models');

async function tidegate(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const texts = { out: '', err: '' };
  const code = await run(
    args,
    {},
    { out: (text) => void (texts.out += text), err: (text) => void (texts.err += text) },
  );
  return { code, ...texts };
}

test('imports a file, lists it, shows it, and exports it as it was', async () => {
  const file = join(folder, 'one.json');
  writeFileSync(file, JSON.stringify(smallModel(5)));
  expect(await tidegate('model', 'list', '--dir', dir)).toMatchObject({
    code: 0,
    out: `no models in ${dir}\n`,
  });
  const imported = await tidegate('model', 'import', file, '--dir', dir, '--json');
  const { version } = JSON.parse(imported.out) as { version: string };
  const listed = await tidegate('model', 'list', '--dir', dir);
  expect(listed).toMatchObject({ code: 0, err: '', out: expect.stringContaining(version) as string });
  const shown = await tidegate('model', 'show', version, '--dir', dir);
  expect(shown.out).toContain('data.days: 2');
  expect(shown.out).toContain('seed: 5');
  const copy = join(folder, 'copy.json');
  expect(await tidegate('model', 'export', version, copy, '--dir', dir)).toMatchObject({ code: 0 });
  expect(JSON.parse(readFileSync(copy, 'utf8'))).toEqual(smallModel(5));
  writeFileSync(join(dir, '0123456789ab.model.json'), '{');
  const warned = await tidegate('model', 'list', '--dir', dir);
  expect(warned).toMatchObject({ code: 0, err: expect.stringContaining('left out') as string });
  expect(warned.out).toContain(version);
});

test.each([
  [['model'], /list, show, import, export/],
  [['model', 'burn', '--dir', dir], /not 'burn'/],
  [['model', 'list'], /--dir/],
  [['model', 'list', 'x', '--dir', dir], /no more/],
  [['model', 'export', 'abc', '--dir', dir], /VERSION and FILE/],
  [['model', 'show', '../one', '--dir', dir], /TG_LEARN_UNKNOWN_MODEL/],
  [['model', 'import', join(folder, 'none.json'), '--dir', dir], /TG_LEARN_BAD_MODEL.*none\.json/],
  [['model', 'export', 'abc', join(folder, 'no', 'x.json'), '--dir', dir], /TG_OUTPUT_UNWRITABLE/],
])('refuses %j', async (args, message) => {
  const { code, err } = await tidegate(...args);
  expect(code).toBe(2);
  expect(err).toMatch(message);
  expect(existsSync(join(folder, 'no'))).toBe(false);
});
