/** A folder of models: versions by content, bounds, pins, and files that are damaged. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MODELS_KEPT, ModelStore } from '../../../src/app/training/model-store';
import { smallModel } from './model-parts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'tidegate-models-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const START = 1_767_571_200_000;
const storeAt = (nowMs: () => number = () => START): ModelStore =>
  new ModelStore(join(folder, 'models'), nowMs);

test('what is put in comes out, with how it came to be', async () => {
  const store = storeAt();
  expect(await store.list()).toEqual({ models: [], bad: [] });
  const model = smallModel(7);
  const info = await store.put(model);
  expect(info).toMatchObject({ createdAtMs: START, pinned: false, seed: 7, scores: { heldOut: 0.97 } });
  const stored = await store.get(info.version);
  expect(JSON.parse(stored.text)).toEqual(model);
  expect(stored.info).toEqual(info);
  expect(stored.model.training.data).toEqual({ days: 2 });
});

test('the same content has one version, however it is laid out, and becomes the newest again', async () => {
  const store = storeAt();
  const first = await store.put(smallModel(1));
  const second = await store.put(smallModel(2));
  expect(second.createdAtMs).toBeGreaterThan(first.createdAtMs);
  const shuffled = Object.fromEntries(Object.entries(smallModel(1)).reverse());
  const again = await store.put(JSON.stringify(shuffled, undefined, 8));
  expect(again.version).toBe(first.version);
  const { models } = await store.list();
  expect(models.map(({ version }) => version)).toEqual([first.version, second.version]);
});

test('the newest are kept, and those that are pinned; the one that has just come never goes', async () => {
  let atMs = START;
  const store = storeAt(() => (atMs += 1_000));
  const versions: string[] = [];
  for (let seed = 0; seed < MODELS_KEPT + 4; seed += 1) {
    versions.push((await store.put(smallModel(seed))).version);
    if (seed === 0) await store.pin(versions[0]!, true);
  }
  const kept = (await store.list()).models.map(({ version }) => version);
  expect(kept).toEqual([...versions.slice(-MODELS_KEPT).reverse(), versions[0]]);
  expect((await store.get(versions[0]!)).info.pinned).toBe(true);
  atMs = START - 86_400_000;
  const late = await store.put(smallModel(99));
  expect((await store.list()).models[0]).toEqual(late);
  await store.pin(versions[0]!, false);
  await store.put(smallModel(100));
  await expect(store.get(versions[0]!)).rejects.toMatchObject({ code: 'TG_LEARN_UNKNOWN_MODEL' });
});

test('a damaged file is told of and left where it is; the others are there', async () => {
  const store = storeAt();
  const good = await store.put(smallModel(1));
  const harmed = await store.put(smallModel(2));
  const path = join(store.folder, `${harmed.version}.model.json`);
  const text = readFileSync(path, 'utf8');
  for (const wrong of [
    text.slice(0, 200),
    text.replace('0.97', '0.17'),
    '',
    readFileSync(join(store.folder, `${good.version}.model.json`), 'utf8'),
  ]) {
    writeFileSync(path, wrong);
    const { models, bad } = await store.list();
    expect(models.map(({ version }) => version)).toEqual([good.version]);
    expect(bad).toEqual([
      {
        file: path,
        error: expect.objectContaining({ code: 'TG_LEARN_BAD_MODEL', at: { file: path } }) as Error,
      },
    ]);
    await expect(store.get(harmed.version)).rejects.toMatchObject({ code: 'TG_LEARN_BAD_MODEL' });
  }
  writeFileSync(join(store.folder, 'pinned.json'), '{"half');
  writeFileSync(join(store.folder, 'notes.txt'), 'mine');
  await store.put(smallModel(3));
  expect(readdirSync(store.folder).sort()).toContain('notes.txt');
  await store.remove(good.version);
  expect((await store.list()).models).toHaveLength(1);
});

test.each(['', '..', '../../etc/passwd', 'ABCDEF012345', '0123456789ab'])(
  'there is no model %j, and nothing outside the folder is looked at',
  async (version) => {
    const store = storeAt();
    await store.put(smallModel(1));
    for (const ask of [store.get(version), store.remove(version), store.pin(version, true)])
      await expect(ask).rejects.toMatchObject({ code: 'TG_LEARN_UNKNOWN_MODEL' });
  },
);

test.each<[string, unknown]>([
  ['text that is no JSON', 'nope'],
  ['nothing', undefined],
  ['another format', { format: 'other' }],
  ['a changed weight', { ...smallModel(1), units: 4 }],
])('%s is not taken in', async (_, given) => {
  const store = storeAt();
  await expect(store.put(given)).rejects.toMatchObject({ code: 'TG_LEARN_BAD_MODEL' });
  expect((await store.list()).models).toEqual([]);
});

test('a folder that cannot be is told of', async () => {
  writeFileSync(join(folder, 'models'), 'a file');
  await expect(storeAt().put(smallModel(1))).rejects.toMatchObject({ code: 'TG_OUTPUT_UNWRITABLE' });
  rmSync(join(folder, 'models'));
  mkdirSync(join(folder, 'models'));
  expect((await storeAt().put(smallModel(1))).version).toMatch(/^[0-9a-f]{12}$/);
});
