/**
 * YAML text as a tree with positions, safe to walk: aliases and merge keys are resolved, within a bound on the
 * number of nodes and on depth, so that neither an alias bomb nor a cycle costs more than the bound.
 */
import {
  Composer,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  Parser,
  type CST,
  type Node as YamlNode,
} from 'yaml';
import type { SourcePosition } from '../../core/errors';
import type { Diagnostics } from './diagnostics';
import { isNullText } from './scalars';
import { opensTooDeepAt } from './yaml-nesting';

/** UTF-16 units a file may have: ten times what a Kubernetes ConfigMap holds. */
export const MAX_CHARS = 10 * 2 ** 20;
/** Nodes a file may have after its aliases are expanded. */
export const MAX_NODES = 500_000;
/** How deep descriptors, lists and mappings may nest. */
export const MAX_DEPTH = 64;

/** A scalar: its text, and whether its type is open, since it was plain (unquoted) or has a tag that says so. */
export interface ScalarNode {
  readonly kind: 'scalar';
  readonly text: string;
  readonly plain: boolean;
  readonly at: SourcePosition;
}
/** A list. */
export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly TreeNode[];
  readonly at: SourcePosition;
}
/** A key with its value. */
export interface Pair {
  readonly key: string;
  readonly keyAt: SourcePosition;
  readonly value: TreeNode;
}
/** A mapping; keys are unique, in the order of the text. */
export interface MapNode {
  readonly kind: 'map';
  readonly pairs: readonly Pair[];
  readonly at: SourcePosition;
}
/** Any value of a file. */
export type TreeNode = ScalarNode | ListNode | MapNode;

/** Whether a node is an absent value: an empty or null plain scalar. */
export function isNull(node: TreeNode): boolean {
  return node.kind === 'scalar' && node.plain && isNullText(node.text);
}

class TooLarge extends Error {
  constructor(
    message: string,
    readonly at: SourcePosition,
  ) {
    super(message);
  }
}

/** Turns one document's nodes into a tree. */
class TreeBuilder {
  private nodes = 0;
  // Kept here, since the library finds an alias's anchor by a walk over the whole document.
  private readonly anchors = new Map<string, unknown>();
  private readonly expanding = new Set<unknown>();

  constructor(
    private readonly file: string,
    private readonly lines: LineCounter,
    private readonly diagnostics: Diagnostics,
  ) {}

  build(node: unknown, key: string, depth: number): TreeNode {
    this.nodes += 1;
    const at = this.position(node, key);
    if (this.nodes > MAX_NODES)
      throw new TooLarge(`more than ${MAX_NODES} values once aliases are expanded`, at);
    if (depth > MAX_DEPTH) throw new TooLarge(TOO_DEEP, at);
    if (isAlias(node)) return this.buildAlias(node.source, key, depth, at);
    const anchor = (node as { anchor?: string } | null | undefined)?.anchor;
    if (anchor === undefined) return this.buildValue(node, key, depth, at);
    this.anchors.set(anchor, node);
    this.expanding.add(node);
    const value = this.buildValue(node, key, depth, at);
    this.expanding.delete(node);
    return value;
  }

  private buildValue(node: unknown, key: string, depth: number, at: SourcePosition): TreeNode {
    if (isMap(node) || isSeq(node) || isScalar(node)) this.checkTag(node.tag, at);
    if (isMap(node)) return this.buildMap(node.items, key, depth, at);
    if (isSeq(node)) {
      const items = node.items.map((item, index) => this.build(item, `${key}[${index}]`, depth + 1));
      return { kind: 'list', items, at };
    }
    if (!isScalar(node)) return emptyScalar(at);
    return {
      kind: 'scalar',
      text: scalarText(node.value),
      plain: node.tag === undefined ? node.type === 'PLAIN' : OPEN_TAG.test(node.tag),
      at,
    };
  }

  private buildAlias(name: string, key: string, depth: number, at: SourcePosition): TreeNode {
    const target = this.anchors.get(name);
    if (target !== undefined && !this.expanding.has(target)) return this.build(target, key, depth + 1);
    const problem = target === undefined ? 'names no anchor' : 'stands inside what it names';
    this.diagnostics.error('TG_LIMITS_SYNTAX', `alias *${name} ${problem}`, at);
    return emptyScalar(at);
  }

  private checkTag(tag: string | undefined, at: SourcePosition): void {
    if (tag === undefined || !tag.startsWith(CORE_TAGS) || KNOWN_TAG.test(tag)) return;
    const shown = `!!${tag.slice(CORE_TAGS.length)}`;
    this.diagnostics.error('TG_LIMITS_TYPE', `the tag ${shown} is not part of the dialect`, at, 'remove it');
  }

  private buildMap(
    items: readonly { key: unknown; value: unknown }[],
    key: string,
    depth: number,
    at: SourcePosition,
  ): MapNode {
    const own = new Map<string, Pair>();
    const merged: Pair[] = [];
    for (const item of items) {
      const keyAt = this.position(item.key, key);
      if (!isScalar(item.key)) {
        this.diagnostics.error('TG_LIMITS_TYPE', 'a key must be text, not a list or mapping', keyAt);
        continue;
      }
      const name = scalarText(item.key.value);
      const path = key === '' ? name : `${key}.${name}`;
      const value = this.build(item.value, path, depth + 1);
      if (name === '<<' && item.key.type === 'PLAIN') {
        merged.push(...this.mergedPairs(value));
        continue;
      }
      if (own.has(name)) {
        this.diagnostics.overlooked(
          'TG_LIMITS_DUPLICATE_KEY',
          `the key '${name}' stands twice in one mapping`,
          { ...keyAt, key: path },
        );
      }
      own.set(name, { key: name, keyAt: { ...keyAt, key: path }, value });
    }
    // Keys written out win over merged ones, earlier merged ones over later (YAML merge key type).
    for (const pair of merged) if (!own.has(pair.key)) own.set(pair.key, pair);
    return { kind: 'map', pairs: [...own.values()], at };
  }

  private mergedPairs(value: TreeNode): readonly Pair[] {
    if (value.kind === 'map') return value.pairs;
    if (value.kind === 'list') return value.items.flatMap((item) => this.mergedPairs(item));
    this.diagnostics.error('TG_LIMITS_TYPE', "'<<' takes a mapping, or a list of them", value.at);
    return [];
  }

  private position(node: unknown, key: string): SourcePosition {
    const start = (node as YamlNode | null | undefined)?.range?.[0];
    const place = start === undefined ? undefined : this.lines.linePos(start);
    return {
      file: this.file,
      ...(place === undefined ? {} : { line: place.line, column: place.col }),
      ...(key === '' ? {} : { key }),
    };
  }
}

const CORE_TAGS = 'tag:yaml.org,2002:';
const KNOWN_TAG = /:(?:str|int|float|bool|null|timestamp|map|seq|merge)$/;
/** Tags that ask for a type by the text, however it is quoted. */
const OPEN_TAG = /^tag:yaml\.org,2002:(?:int|float|bool|null)$/;

function emptyScalar(at: SourcePosition): ScalarNode {
  return { kind: 'scalar', text: '', plain: true, at };
}

/** Scalars come as text from the failsafe schema; null stands for an empty one. */
function scalarText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/**
 * Parses a file's text.
 * @returns the tree of its first document (an empty mapping for an empty file), or undefined when it is not YAML or is
 * over a bound; the mistakes are in `diagnostics`.
 */
export function parseYamlTree(file: string, text: string, diagnostics: Diagnostics): TreeNode | undefined {
  const lines = new LineCounter();
  const start = { file, line: 1, column: 1 };
  const empty: MapNode = { kind: 'map', pairs: [], at: start };
  try {
    if (text.length > MAX_CHARS) throw new TooLarge(`longer than ${MAX_CHARS} characters`, start);
    const source = text.replace(/^\uFEFF/, '');
    const opened = opensTooDeepAt(source, MAX_DEPTH);
    if (opened !== undefined) throw new TooLarge(TOO_DEEP, { file, ...placeOf(source, opened) });
    const tokens = [...new Parser(lines.addNewLine).parse(source)];
    // The composer recurses by nesting and would exhaust the stack: depth is checked on the flat token tree before it.
    for (const token of tokens) {
      const offset = tooDeepAt(token);
      if (offset === undefined) continue;
      const place = lines.linePos(offset);
      throw new TooLarge(TOO_DEEP, { file, line: place.line, column: place.col });
    }
    const documents = [...new Composer(COMPOSE_OPTIONS).compose(tokens)];
    const document = documents[0];
    if (document === undefined) return empty;
    const [second] = documents.slice(1);
    if (second !== undefined) {
      const place = lines.linePos(second.range[0]);
      const at = { file, line: place.line, column: place.col };
      diagnostics.overlooked('TG_LIMITS_SYNTAX', SECOND_DOCUMENT, at, 'put each domain in a file of its own');
    }
    for (const error of document.errors) {
      const place = lines.linePos(error.pos[0]);
      diagnostics.error('TG_LIMITS_SYNTAX', firstLine(error.message), {
        file,
        line: place.line,
        column: place.col,
      });
    }
    if (document.errors.length > 0) return undefined;
    if (document.contents === null) return empty;
    return new TreeBuilder(file, lines, diagnostics).build(document.contents, '', 0);
  } catch (thrown) {
    if (!(thrown instanceof TooLarge)) throw thrown;
    diagnostics.error('TG_LIMITS_TOO_LARGE', thrown.message, thrown.at);
    return undefined;
  }
}

const TOO_DEEP = `nested deeper than ${MAX_DEPTH} levels`;
const SECOND_DOCUMENT = 'the file has more than one YAML document; only the first would count';
const COMPOSE_OPTIONS = {
  schema: 'failsafe',
  version: '1.1',
  uniqueKeys: false,
  strict: true,
  logLevel: 'silent',
} as const;

/** Line and column of an offset in a text whose lines nobody has counted. */
function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/** Where a token nests deeper than the bound, if it does; iterative, since the text decides the depth. */
function tooDeepAt(token: CST.Token): number | undefined {
  const open: [unknown, number, number][] = [[token, 0, token.offset]];
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    const [node, depth, outer] = entry as [
      { items?: { key?: unknown; value?: unknown }[]; value?: unknown; offset?: number },
      number,
      number,
    ];
    const offset = node.offset ?? outer;
    if (depth > MAX_DEPTH) return offset;
    for (const item of node.items ?? []) {
      if (isObject(item.key)) open.push([item.key, depth + 1, offset]);
      if (isObject(item.value)) open.push([item.value, depth + 1, offset]);
    }
    if (isObject(node.value)) open.push([node.value, depth + 1, offset]);
  }
  return undefined;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function firstLine(message: string): string {
  return (message.split('\n', 1)[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
}
