/**
 * How deep a YAML text nests, before it is composed. The composer recurses, and a stack that runs out inside of it can
 * end the process instead of throwing; the token parser does not recurse, but slows with depth, so that the lexer,
 * which does neither, is asked first. All of it is iterative, since the text decides the depth.
 */
import { CST, Lexer, Parser } from 'yaml';

type Nested = readonly [token: CST.Token, depth: number];

/** Whether any node of the text is nested deeper than `depthMax`. */
export function nestsDeeperThan(text: string, depthMax: number): boolean {
  if (opensDeeperThan(text, depthMax)) return true;
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

/** Whether brackets nest, or indicators of lists and keys stand on one line, more than `depthMax` times. */
function opensDeeperThan(text: string, depthMax: number): boolean {
  let brackets = 0;
  let onLine = 0;
  for (const lexeme of new Lexer().lex(text)) {
    switch (CST.tokenType(lexeme)) {
      case 'flow-map-start':
      case 'flow-seq-start':
        brackets += 1;
        break;
      case 'flow-map-end':
      case 'flow-seq-end':
        brackets -= 1;
        break;
      case 'seq-item-ind':
      case 'explicit-key-ind':
        onLine += 1;
        break;
      case 'newline':
        onLine = 0;
        break;
      default:
        continue;
    }
    if (brackets > depthMax || onLine > depthMax) return true;
  }
  return false;
}

/** The tokens directly within one. */
function within(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value];
  if (!('items' in token)) return [];
  return token.items.flatMap((item) =>
    [item.key, item.value].filter((child) => child !== undefined && child !== null),
  );
}
