/** Envoy's resources as users write them: a folder of files, with sub-folders for groups of nodes, read whole or not at all. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { TidegateError } from '../../core/errors';
import { nestsDeeperThan } from '../../limiter/dialect/yaml-nesting';
import { ENDPOINT_TYPE } from '../../mesh/resource-types';
import type { ResourceDocument } from '../../mesh/weights/rows';

/** One file's text. */
export interface ResourceText {
  readonly file: string;
  readonly text: string;
}

/** The texts of the folder, by group of nodes; {@link TOP} has those of all. */
export type ResourceTexts = ReadonlyMap<string, readonly ResourceText[]>;

/** The place of what is for all nodes. No group has this name. */
export const TOP = '';

const NAMES = /^[^.].*\.(ya?ml|json)$/;
const MAX_FILES = 1_000;
const MAX_FILE_BYTES = 8 * 1_048_576;
const MAX_BYTES = 128 * 1_048_576;
/** As deep as Envoy's own configuration may nest, and then some. */
const MAX_DEPTH = 100;
const MAX_ALIASES = 100;

/**
 * Reads a folder's files and those of the groups' sub-folders, where there are any, in the order of their names. Links are
 * followed; hidden files and other folders are left alone. Rejects with TG_MESH_FILES.
 */
export async function readResourceTexts(
  folder: string,
  groups: readonly string[] = [],
): Promise<ResourceTexts> {
  const texts = new Map([[TOP, await readFolder(folder, 'mesh.path')]]);
  for (const group of groups) {
    const own = join(folder, group);
    if (group === TOP || group === '.' || group === '..')
      throw mistake(folder, 'mesh.nodes', `${JSON.stringify(group)} is no name of a sub-folder`);
    if (texts.has(group) || !(await isThere(own))) continue;
    texts.set(group, await readFolder(own, 'mesh.nodes'));
  }
  const all = [...texts.values()].flat();
  if (all.length > MAX_FILES) throw mistake(folder, 'mesh.path', `more than ${MAX_FILES} files`);
  const bytes = all.reduce((sum, { text }) => sum + text.length, 0);
  if (bytes > MAX_BYTES)
    throw mistake(folder, 'mesh.path', `the files have more than ${MAX_BYTES} bytes together`);
  return texts;
}

/**
 * What nodes of a group get, or those of no group: the resources of all, with the group's own added; one of the same type
 * and name takes the place of the one for all. Their content is not looked at yet.
 * @throws TidegateError TG_MESH_FILES or TG_MESH_WRONG_VALUE for the first mistake, with its file and path.
 */
export function resourcesOf(texts: ResourceTexts, group: string = TOP): readonly ResourceDocument[] {
  const forAll = documentsOf(texts.get(TOP) ?? []);
  if (group === TOP) return forAll;
  const own = documentsOf(texts.get(group) ?? []);
  const replaced = new Set(own.map(identityOf));
  return [...forAll.filter((document) => !replaced.has(identityOf(document))), ...own];
}

async function isThere(folder: string): Promise<boolean> {
  try {
    await stat(folder);
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return false;
    throw unreadable(folder, 'mesh.nodes', thrown);
  }
}

async function readFolder(folder: string, key: string): Promise<readonly ResourceText[]> {
  try {
    const names = (await readdir(folder)).filter((name) => NAMES.test(name)).sort();
    if (names.length > MAX_FILES) throw new Error(`more than ${MAX_FILES} files`);
    return await Promise.all(names.map(async (name) => readText(folder, name)));
  } catch (cause) {
    throw unreadable(folder, key, cause);
  }
}

async function readText(folder: string, name: string): Promise<ResourceText> {
  const file = join(folder, name);
  const before = await stat(file);
  if (!before.isFile()) throw new Error(`${name} is no file`);
  if (before.size > MAX_FILE_BYTES) throw new Error(`${name} is longer than ${MAX_FILE_BYTES} bytes`);
  const text = await readFile(file, 'utf8');
  const after = await stat(file);
  // Half of what is being written may be whole YAML; the next look finds all of it.
  if (after.size !== before.size || after.mtimeMs !== before.mtimeMs)
    throw new Error(`${name} is being written`);
  return { file, text };
}

function documentsOf(texts: readonly ResourceText[]): readonly ResourceDocument[] {
  return texts.flatMap(({ file, text }) =>
    listIn(file, text).map((value, index) => {
      const path = `resources[${index}]`;
      const typeUrl: unknown =
        typeof value === 'object' && value !== null ? Reflect.get(value, '@type') : undefined;
      if (typeof typeUrl === 'string') return { typeUrl, value, file, path };
      throw new TidegateError('TG_MESH_WRONG_VALUE', 'a resource needs its @type', {
        at: { file, key: path },
      });
    }),
  );
}

function identityOf({ typeUrl, value }: ResourceDocument): string {
  const named = Object.entries(value as object).find(([key]) =>
    typeUrl === ENDPOINT_TYPE ? key === 'cluster_name' || key === 'clusterName' : key === 'name',
  );
  return `${typeUrl} ${String(named?.[1])}`;
}

function listIn(file: string, text: string): readonly unknown[] {
  if (nestsDeeperThan(text, MAX_DEPTH)) throw mistake(file, '', 'it nests too deeply');
  let content: unknown;
  try {
    content = parse(text, { maxAliasCount: MAX_ALIASES });
  } catch (thrown) {
    throw mistake(file, '', thrown instanceof Error ? thrown.message : 'it is no YAML');
  }
  const list: unknown =
    typeof content === 'object' && content !== null ? Reflect.get(content, 'resources') : undefined;
  if (!Array.isArray(list)) throw mistake(file, 'resources', 'there is no list of resources');
  return list;
}

function codeOf(thrown: unknown): unknown {
  return typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, 'code') : undefined;
}

function unreadable(folder: string, key: string, cause: unknown): TidegateError {
  const message = `the folder cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new TidegateError('TG_MESH_FILES', message, { at: { file: folder, key }, cause });
}

function mistake(file: string, key: string, message: string): TidegateError {
  return new TidegateError('TG_MESH_FILES', message, { at: { file, ...(key === '' ? {} : { key }) } });
}
