/** Folders of Envoy's resources, with sub-folders for groups of nodes: read whole, or refused with the place. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readResourceTexts, resourcesOf, TOP } from '../../src/app/mesh/resource-files';
import { TidegateError } from '../../src/core/errors';
import { CLUSTER_TYPE, ENDPOINT_TYPE } from '../../src/mesh/resource-types';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-resources-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const clusters = (...names: readonly string[]): string =>
  JSON.stringify({ resources: names.map((name) => ({ '@type': CLUSTER_TYPE, name, alt_stat_name: 'top' })) });

function put(file: string, text: string): void {
  mkdirSync(join(folder, file, '..'), { recursive: true });
  writeFileSync(join(folder, file), text);
}

async function refusal(act: Promise<unknown>): Promise<TidegateError> {
  const thrown: unknown = await act.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof TidegateError) return thrown;
  throw new Error(`not refused: ${String(thrown)}`);
}

const namesOf = async (groups: readonly string[], group?: string): Promise<string[]> =>
  resourcesOf(await readResourceTexts(folder, groups), group).map(({ value, file }) => {
    const { name } = value as { name: string };
    return `${name} ${file.slice(folder.length + 1)}`;
  });

test('files are read in the order of their names, hidden ones and other folders are left alone', async () => {
  put('b.json', clusters('b'));
  put('a.yaml', clusters('a'));
  put('notes.txt', 'x');
  put('.a.yaml', 'not: this');
  put('unnamed/c.yaml', clusters('c'));
  expect(await namesOf([])).toEqual(['a a.yaml', 'b b.json']);
});

test("a group's folder adds to what is for all, and what has the same type and name takes its place", async () => {
  put('all.yaml', clusters('a', 'b'));
  put('edge/own.yaml', clusters('b', 'c'));
  put('all-endpoints.yaml', JSON.stringify({ resources: [{ '@type': ENDPOINT_TYPE, clusterName: 'b' }] }));
  const groups = ['edge', 'core', 'edge'];
  expect(await namesOf(groups, 'edge')).toEqual([
    'undefined all-endpoints.yaml',
    'a all.yaml',
    'b edge/own.yaml',
    'c edge/own.yaml',
  ]);
  const forAll = ['undefined all-endpoints.yaml', 'a all.yaml', 'b all.yaml'];
  expect(await namesOf(groups)).toEqual(forAll);
  expect(await namesOf(groups, 'core')).toEqual(forAll);
  put('edge/eds.yaml', JSON.stringify({ resources: [{ '@type': ENDPOINT_TYPE, cluster_name: 'b' }] }));
  expect((await namesOf(groups, 'edge'))[1]).toBe('undefined edge/eds.yaml');
});

test('links are followed, as mounted volumes have them', async () => {
  put('..data/a.yaml', clusters('a'));
  symlinkSync(join('..data', 'a.yaml'), join(folder, 'a.yaml'));
  put('elsewhere/x.yaml', clusters('x'));
  symlinkSync('elsewhere', join(folder, 'edge'));
  expect(await namesOf(['edge'], 'edge')).toEqual(['a a.yaml', 'x edge/x.yaml']);
});

test.each<[string, () => void, readonly string[], RegExp, string]>([
  ['a folder that is missing', () => rmSync(folder, { recursive: true }), [], /ENOENT/, 'mesh.path'],
  ['a file in the place of a group', () => put('edge', 'x'), ['edge'], /ENOTDIR/, 'mesh.nodes'],
  ['a group that leads out', () => undefined, ['..'], /no name of a sub-folder/, 'mesh.nodes'],
  ['a group that is the folder', () => undefined, ['.'], /no name of a sub-folder/, 'mesh.nodes'],
  ['a group without a name', () => undefined, [TOP], /no name of a sub-folder/, 'mesh.nodes'],
  ['a link to nothing', () => symlinkSync('gone.yaml', join(folder, 'a.yaml')), [], /ENOENT/, 'mesh.path'],
  ['a folder named as a file', () => put('x.yaml/y', ''), [], /x.yaml is no file/, 'mesh.path'],
  ['a link to itself', () => symlinkSync('edge', join(folder, 'edge')), ['edge'], /ELOOP/, 'mesh.nodes'],
  [
    'a file that is too long',
    () => put('a.yaml', ' '.repeat(8 * 1_048_576 + 1)),
    [],
    /longer than/,
    'mesh.path',
  ],
])('%s is refused', async (_name, prepare, groups, why, key) => {
  prepare();
  const error = await refusal(readResourceTexts(folder, groups));
  expect(error).toMatchObject({ code: 'TG_MESH_FILES', at: { key } });
  expect(error.message).toMatch(why);
});

test('one bad file of a group refuses all of what its nodes get, and nothing of the others', async () => {
  put('all.yaml', clusters('a'));
  put('edge/bad.yaml', 'resources: [{ name: x }]');
  const texts = await readResourceTexts(folder, ['edge']);
  expect(resourcesOf(texts)).toHaveLength(1);
  expect(() => resourcesOf(texts, 'edge')).toThrow('@type');
});

test.each([
  ['no YAML', '{{', 'TG_MESH_FILES'],
  ['no list', 'resources: 1', 'TG_MESH_FILES'],
  ['nothing', '', 'TG_MESH_FILES'],
  ['too deep', `resources: ${'['.repeat(200)}${']'.repeat(200)}`, 'TG_MESH_FILES'],
  ['no object', 'resources: [1]', 'TG_MESH_WRONG_VALUE'],
])('%s is refused with the file', async (_name, text, code) => {
  put('a.yaml', text);
  const texts = await readResourceTexts(folder);
  const error = await refusal((async () => Promise.resolve(resourcesOf(texts)))());
  expect(error).toMatchObject({ code, at: { file: join(folder, 'a.yaml') } });
});
