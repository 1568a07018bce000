/** The settings as a flat list: each with its path, its environment name and its metadata. */
import { z } from 'zod';
import { settingsSchema } from './schema';
import { sectionRegistry, metaOf, type SettingMeta } from './setting';

/** One setting. */
export interface SettingLeaf {
  /** Such as `data.port`. */
  readonly path: string;
  /** Such as `TIDEGATE_DATA_PORT`. */
  readonly envName: string;
  readonly meta: SettingMeta;
  readonly schema: z.ZodType;
}

/** A group of settings, for the documentation; the outermost has the path ''. */
export interface SettingSection {
  readonly path: string;
  readonly doc: string;
  readonly leaves: readonly SettingLeaf[];
}

/** The environment variable of a setting: its path in upper case, joined by underscores, after `TIDEGATE_`. */
export function envNameOf(path: string): string {
  return `TIDEGATE_${path.replaceAll('.', '_').toUpperCase()}`;
}

function childPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function walk(schema: z.ZodObject, path: string, into: SettingSection[]): void {
  const leaves: SettingLeaf[] = [];
  const section = { path, doc: sectionRegistry.get(schema)?.doc ?? '', leaves };
  into.push(section);
  for (const [key, child] of Object.entries(schema.shape)) {
    const inner: unknown = child instanceof z.ZodPrefault ? child.unwrap() : child;
    const at = childPath(path, key);
    if (inner instanceof z.ZodObject) walk(inner, at, into);
    else if (child instanceof z.ZodType) {
      const meta = metaOf(child);
      if (meta === undefined) throw new Error(`setting ${at} has no documentation`);
      leaves.push({ path: at, envName: envNameOf(at), meta, schema: child });
    }
  }
}

function collect(): readonly SettingSection[] {
  const sections: SettingSection[] = [];
  walk(settingsSchema, '', sections);
  return sections;
}

/** Every section in the order of the schema. */
export const SECTIONS: readonly SettingSection[] = collect();
/** Every setting in the order of the schema. */
export const LEAVES: readonly SettingLeaf[] = SECTIONS.flatMap((section) => section.leaves);

const BY_PATH = new Map(LEAVES.map((leaf) => [leaf.path, leaf]));
const BY_ENV = new Map(LEAVES.map((leaf) => [leaf.envName, leaf]));

/** The setting at a path such as `data.port`. */
export function leafAt(path: string): SettingLeaf | undefined {
  return BY_PATH.get(path);
}

/** The setting of an environment variable such as `TIDEGATE_DATA_PORT`. */
export function leafOfEnv(name: string): SettingLeaf | undefined {
  return BY_ENV.get(name);
}
