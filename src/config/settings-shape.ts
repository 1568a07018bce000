/** From the checked settings by file keys to the frozen, typed object that the code reads. */
import type { ParsedSettings } from './schema';
import { leafAt } from './setting-paths';
import { metaOf, type Milliseconds, type SettingMeta } from './setting';

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S;
type KeyOf<K, V> = K extends string ? (V extends Milliseconds ? `${Camel<K>}Ms` : Camel<K>) : never;
type Shaped<T> = T extends Milliseconds
  ? number
  : T extends readonly (infer Item)[]
    ? readonly Shaped<Item>[]
    : T extends object
      ? { readonly [K in keyof T as KeyOf<K, T[K]>]: Shaped<T[K]> }
      : T;

/**
 * All settings: the keys of the settings file in camel case, durations as numbers of milliseconds in keys that end in
 * `Ms` (`store.deadline` is `store.deadlineMs`). Deeply frozen.
 */
export type Settings = Shaped<ParsedSettings>;

/** `max_entries` as `maxEntries`. */
export function camelCase(key: string): string {
  return key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** The key of a setting in the typed settings. */
export function shapedKey(key: string, meta: SettingMeta | undefined): string {
  return meta?.kind === 'duration' ? `${camelCase(key)}Ms` : camelCase(key);
}

function shapeRow(value: unknown, row: SettingMeta['row']): unknown {
  if (row === undefined || typeof value !== 'object' || value === null) return value;
  const shaped = Object.entries(value).map(([key, child]: [string, unknown]) => {
    const schema = row[key];
    const meta = schema === undefined ? undefined : metaOf(schema);
    return [shapedKey(key, meta), shapeLeaf(child, meta)];
  });
  return Object.freeze(Object.fromEntries(shaped));
}

function shapeLeaf(value: unknown, meta: SettingMeta | undefined): unknown {
  if (!Array.isArray(value)) return value;
  return Object.freeze((value as unknown[]).map((item) => shapeRow(item, meta?.row)));
}

function shapeOf(value: unknown, path: string): unknown {
  if (Array.isArray(value)) return shapeLeaf(value, leafAt(path)?.meta);
  if (typeof value !== 'object' || value === null) return value;
  const shaped: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    shaped[shapedKey(key, leafAt(at)?.meta)] = shapeOf(child, at);
  }
  return Object.freeze(shaped);
}

/** Renames the keys and freezes everything. */
export function shapeSettings(parsed: ParsedSettings): Settings {
  return shapeOf(parsed, '') as Settings;
}
