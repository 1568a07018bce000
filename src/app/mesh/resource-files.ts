/** Envoy's resources as users write them: a folder of files, read whole or not at all. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { TidegateError } from '../../core/errors';
import { nestsDeeperThan } from '../../limiter/dialect/yaml-nesting';
import { resourceFromJson, type MeshResource } from '../../mesh/resource';

/** One file's text. */
export interface ResourceText {
  readonly file: string;
  readonly text: string;
}

const NAMES = /\.(ya?ml|json)$/;
const MAX_FILES = 1_000;
const MAX_FILE_BYTES = 8 * 1_048_576;
/** As deep as Envoy's own configuration may nest, and then some. */
const MAX_DEPTH = 100;
const MAX_ALIASES = 100;

/** Reads a folder's files, in the order of their names. Rejects with TG_MESH_FILES. */
export async function readResourceTexts(folder: string): Promise<readonly ResourceText[]> {
  try {
    const names = (await readdir(folder)).filter((name) => NAMES.test(name)).sort();
    if (names.length > MAX_FILES) throw new Error(`more than ${MAX_FILES} files`);
    return await Promise.all(
      names.map(async (name): Promise<ResourceText> => {
        const file = join(folder, name);
        const { size } = await stat(file);
        if (size > MAX_FILE_BYTES) throw new Error(`${name} is longer than ${MAX_FILE_BYTES} bytes`);
        return { file, text: await readFile(file, 'utf8') };
      }),
    );
  } catch (cause) {
    const message = `the folder cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new TidegateError('TG_MESH_FILES', message, { at: { file: folder, key: 'mesh.path' }, cause });
  }
}

/** The resources of all files. @throws TidegateError TG_MESH_* for the first mistake, with its file and path. */
export function resourcesOf(texts: readonly ResourceText[]): readonly MeshResource[] {
  const seen = new Map<string, string>();
  return texts.flatMap(({ file, text }) =>
    listIn(file, text).map((value, index) => {
      const path = `resources[${index}]`;
      const resource = inFile(file, () => resourceFromJson(typeOf(value, path), value, { path }));
      const identity = `${resource.typeUrl} ${resource.name}`;
      const first = seen.get(identity);
      if (first !== undefined)
        throw mistake(file, path, `${resource.name} of this type stands in ${first} already`);
      seen.set(identity, file);
      return resource;
    }),
  );
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

function typeOf(value: unknown, path: string): string {
  const type: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, '@type') : undefined;
  if (typeof type === 'string') return type;
  throw new TidegateError('TG_MESH_WRONG_VALUE', 'a resource needs its @type', { at: { key: path } });
}

function inFile<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    const error = TidegateError.from(thrown);
    const { code, message, remedy } = error;
    throw new TidegateError(code, message, { at: { ...error.at, file }, remedy, cause: thrown });
  }
}

function mistake(file: string, key: string, message: string): TidegateError {
  return new TidegateError('TG_MESH_FILES', message, { at: { file, ...(key === '' ? {} : { key }) } });
}
