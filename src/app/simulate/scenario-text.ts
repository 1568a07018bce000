/** Reads the text of a scenario: what it says, or every mistake with its line, column and key. */
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { nearest } from '../../config/nearest';
import { TidegateError, type SourcePosition } from '../../core/errors';
import { nestsDeeperThan } from '../../limiter/dialect/yaml-nesting';
import { scenarioSchema, type ScenarioFile } from './scenario-schema';

const LENGTH_MAX = 4_194_304;
const DEPTH_MAX = 32;
const ALIASES_MAX = 10_000;
/** So many mistakes are told of one file. */
const MISTAKES_MAX = 20;

type Path = readonly PropertyKey[];

/** What a scenario's text says. */
export interface ScenarioText {
  readonly file: ScenarioFile;
  /** The loads as they are written. */
  readonly loadNames: readonly string[];
  /** Where something stands, for mistakes that are found later. */
  readonly place: (path: Path) => SourcePosition;
}

/** Reads a scenario's text. @returns the mistakes when there are any. */
export function parseScenario(text: string, file: string): ScenarioText | readonly TidegateError[] {
  const refusal = (message: string, at: SourcePosition, remedy?: string): TidegateError =>
    new TidegateError('TG_SCENARIO_INVALID', message, { at, ...(remedy === undefined ? {} : { remedy }) });
  if (text.length > LENGTH_MAX) return [refusal(`longer than ${LENGTH_MAX} characters`, { file })];
  try {
    if (nestsDeeperThan(text, DEPTH_MAX))
      return [refusal(`nested deeper than ${DEPTH_MAX} levels`, { file })];
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const positionAt = (offset: number): SourcePosition => {
      const { line, col } = lines.linePos(offset);
      return { file, line: Math.max(1, line), column: Math.max(1, col) };
    };
    const wrong = document.errors.slice(0, MISTAKES_MAX);
    if (wrong.length > 0) return wrong.map((error) => refusal(error.message, positionAt(error.pos[0])));
    const place = (path: Path): SourcePosition => ({
      ...positionAt(offsetOf(document, path)),
      ...(path.length === 0 ? {} : { key: keyOf(path) }),
    });
    const tree: unknown = document.toJS({ maxAliasCount: ALIASES_MAX }) ?? {};
    const result = scenarioSchema.safeParse(tree);
    if (result.success) return { file: result.data, loadNames: loadNames(document, result.data), place };
    return result.error.issues.flatMap((issue) => mistakesOf(issue, place, refusal)).slice(0, MISTAKES_MAX);
  } catch (thrown) {
    return [refusal(thrown instanceof Error ? thrown.message : String(thrown), { file })];
  }
}

function mistakesOf(
  issue: z.core.$ZodIssue,
  place: (path: Path) => SourcePosition,
  refusal: (message: string, at: SourcePosition, remedy?: string) => TidegateError,
): readonly TidegateError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const meant = nearest(key, knownKeys(issue.path));
      const at = place([...issue.path, key]);
      return refusal(
        'a scenario has no such key',
        at,
        meant === undefined ? undefined : `did you mean ${meant}?`,
      );
    });
  }
  const missing = issue.code === 'invalid_type' && issue.input === undefined ? 'is missing: it ' : '';
  return [refusal(`${missing}${issue.message}`, place(issue.path))];
}

/** The keys of the mapping at a path. */
function knownKeys(path: Path): readonly string[] {
  const { shape } = scenarioSchema;
  if (path.length === 0) return Object.keys(shape);
  if (path[0] === 'services') return Object.keys(shape.services.element.shape);
  if (path[0] === 'flash') return Object.keys(shape.flash.unwrap().shape);
  if (path[0] === 'capacity_loss') return Object.keys(shape.capacity_loss.unwrap().shape);
  return path[0] === 'split' ? Object.keys(shape.split.shape) : [];
}

function loadNames(document: Document, { loads }: ScenarioFile): readonly string[] {
  return loads.map((load, index) => {
    const node = document.getIn(['loads', index], true);
    return isScalar(node) && node.source !== undefined ? node.source : String(load);
  });
}

/** Where the value at a path begins, a key whose value has no place, or the nearest parent. */
function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const part of path) {
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part));
      next = pair?.value ?? pair?.key;
      const key = pair?.key;
      if (isNode(key)) offset = key.range?.[0] ?? offset;
    } else if (isSeq(node)) next = node.items[Number(part)];
    if (!isNode(next) || !next.range) return offset;
    offset = isMap(node) && !isScalar(next) ? offset : next.range[0];
    node = next;
  }
  return offset;
}

function keyOf(path: Path): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}
