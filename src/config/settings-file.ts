/** The settings file: YAML in, a layer out, or every mistake with its line, column, key and remedy. */
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { TidegateError, type SourcePosition } from '../core/errors';
import { refused, type Layer } from './layer';
import { nearest } from './nearest';
import { settingsSchema } from './schema';
import { LEAVES, leafAt, SECTIONS, type SettingLeaf } from './setting-paths';
import { nestsDeeperThan } from '../limiter/dialect/yaml-nesting';

/** The longest settings file, characters. */
const LENGTH_MAX = 262_144;
/** Sections and lists nest by four; more leaves room for what is wrong in an instructive way. */
const DEPTH_MAX = 32;
/** How often an alias may be expanded; settings have little use for them. */
const ALIASES_MAX = 100;

/** What the settings file says. */
export interface ParsedFile {
  readonly layer: Layer;
  readonly errors: readonly TidegateError[];
}

type Path = readonly PropertyKey[];

function keyOf(path: Path): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

/** Where the value at a path begins in the text, or its key when `ofKey`; the nearest parent when it has no place of its own. */
function offsetOf(document: Document, path: Path, ofKey: boolean): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const [depth, part] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    let at: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part));
      at = ofKey && depth === path.length - 1 ? pair?.key : (pair?.value ?? pair?.key);
      node = pair?.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      at = node;
    } else break;
    if (!isNode(at) || !at.range) break;
    offset = at.range[0];
  }
  return offset;
}

/** Drops sections that are written but empty (`data:` with nothing under it), which YAML reads as null. */
function withoutEmptySections(tree: unknown, path: string): unknown {
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return tree;
  const kept: [string, unknown][] = [];
  for (const [key, value] of Object.entries(tree)) {
    const at = path === '' ? key : `${path}.${key}`;
    const empty = value === null && SECTIONS.some((section) => section.path === at);
    if (!empty) kept.push([key, withoutEmptySections(value, at)]);
  }
  return Object.fromEntries(kept);
}

function valueAt(tree: unknown, path: Path): unknown {
  let value = tree;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

/** The setting that a place in the file belongs to, the rows of a list passed over. */
function leafOf(path: Path): SettingLeaf | undefined {
  return leafAt(path.filter((part) => typeof part !== 'number').join('.'));
}

/** What may have been meant by a key that there is none of: in a row one of its keys, else any setting. */
function remedyOfUnknown(path: Path): string | undefined {
  const row = leafOf(path.slice(0, -1))?.meta.row;
  if (row !== undefined) {
    const keys = Object.keys(row);
    const closest = nearest(String(path.at(-1)), keys);
    return closest === undefined ? `a row takes ${keys.join(', ')}` : `did you mean ${closest}?`;
  }
  const known = [...LEAVES, ...SECTIONS].map((item) => item.path).filter((item) => item !== '');
  const closest = nearest(keyOf(path), known);
  return closest === undefined ? undefined : `did you mean ${closest}?`;
}

/** The errors of one issue of the schema: an unknown key each, or a wrong value. */
function errorsOfIssue(
  issue: z.core.$ZodIssue,
  tree: unknown,
  place: (path: Path, ofKey: boolean) => SourcePosition,
): TidegateError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      const remedy = remedyOfUnknown(path);
      return new TidegateError('TG_SETTINGS_UNKNOWN_KEY', 'there is no such setting', {
        at: place(path, true),
        ...(remedy === undefined ? {} : { remedy }),
      });
    });
  }
  const leaf = leafOf(issue.path);
  if (leaf !== undefined) return [refused(leaf, valueAt(tree, issue.path), place(issue.path, false))];
  const what = issue.path.length === 0 ? 'the settings file' : keyOf(issue.path);
  return [
    new TidegateError('TG_SETTINGS_INVALID', `${what} takes a mapping of settings`, {
      at: place(issue.path, false),
    }),
  ];
}

function checkTree(tree: unknown, place: (path: Path, ofKey: boolean) => SourcePosition): ParsedFile {
  const layer: Layer = new Map();
  const result = settingsSchema.safeParse(tree);
  if (!result.success) {
    const errors = result.error.issues.flatMap((issue) => errorsOfIssue(issue, tree, place));
    return { layer, errors };
  }
  for (const leaf of LEAVES) {
    const path = leaf.path.split('.');
    const value = valueAt(tree, path);
    if (value !== undefined) layer.set(leaf.path, { value, source: 'file', at: place(path, false) });
  }
  return { layer, errors: [] };
}

/** Reads the text of the settings file named `file`. Reports every mistake, never throws. */
export function parseSettingsFile(text: string, file: string): ParsedFile {
  const fail = (message: string, at: SourcePosition, cause?: unknown): TidegateError =>
    new TidegateError('TG_SETTINGS_SYNTAX', message, { at, cause });
  const layer: Layer = new Map();
  if (text.length > LENGTH_MAX)
    return { layer, errors: [fail(`longer than ${LENGTH_MAX} characters`, { file })] };
  try {
    if (nestsDeeperThan(text, DEPTH_MAX))
      return { layer, errors: [fail(`nested deeper than ${DEPTH_MAX} levels`, { file })] };
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const positionAt = (offset: number): SourcePosition => {
      const { line, col } = lines.linePos(offset);
      return { file, line: Math.max(1, line), column: Math.max(1, col) };
    };
    if (document.errors.length > 0) {
      const errors = document.errors.map((error) => fail(error.message, positionAt(error.pos[0]), error));
      return { layer, errors };
    }
    const tree: unknown = document.toJS({ maxAliasCount: ALIASES_MAX }) ?? {};
    const place = (path: Path, ofKey: boolean): SourcePosition => ({
      ...positionAt(offsetOf(document, path, ofKey)),
      ...(path.length === 0 ? {} : { key: keyOf(path) }),
    });
    return checkTree(withoutEmptySections(tree, ''), place);
  } catch (thrown) {
    // Aliases that expand without bound.
    return {
      layer,
      errors: [fail(thrown instanceof Error ? thrown.message : String(thrown), { file }, thrown)],
    };
  }
}
