/**
 * How deep a YAML text nests, before it is composed. The composer recurses, and a stack that runs out inside of it can
 * end the process instead of throwing; the token parser does not recurse, but slows with depth, so that the lexer,
 * which does neither, is asked first. All of it is iterative, since the text decides the depth.
 */
import { CST, Lexer, Parser } from 'yaml';

type Nested = readonly [token: CST.Token, depth: number];

/** Whether any node of the text is nested deeper than `depthMax`. */
export function nestsDeeperThan(text: string, depthMax: number): boolean {
  if (opensTooDeepAt(text, depthMax) !== undefined) return true;
  for (const root of new Parser().parse(text)) {
    const open: Nested[] = [[root, 0]];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [token, depth] = next;
      if (depth > depthMax) return true;
      for (const child of within(token)) open.push([child, depth + 1]);
    }
  }
  return false;
}

/** Lexemes that stand for no text of their own. */
const MARKS: ReadonlySet<string | null> = new Set(['doc-mode', 'flow-error-end', 'scalar']);

/**
 * Where brackets nest, or indicators of lists and keys stand on one line, more than `depthMax` times.
 * @returns the offset in the text, or undefined when they do not.
 */
export function opensTooDeepAt(text: string, depthMax: number): number | undefined {
  let brackets = 0;
  let onLine = 0;
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const type = CST.tokenType(lexeme);
    if (type === 'flow-map-start' || type === 'flow-seq-start') brackets += 1;
    else if (type === 'flow-map-end' || type === 'flow-seq-end') brackets -= 1;
    else if (type === 'seq-item-ind' || type === 'explicit-key-ind') onLine += 1;
    else if (type === 'newline') onLine = 0;
    if (brackets > depthMax || onLine > depthMax) return offset;
    if (!MARKS.has(type)) offset += lexeme.length;
  }
  return undefined;
}

/** The tokens directly within one. */
function within(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value];
  if (!('items' in token)) return [];
  return token.items.flatMap((item) =>
    [item.key, item.value].filter((child) => child !== undefined && child !== null),
  );
}
