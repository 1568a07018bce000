/**
 * How deep a YAML text nests, before it is composed: the composer recurses, and a stack that runs out inside of it
 * can end the process instead of throwing.
 */
import { Parser, type CST } from 'yaml';

type Nested = readonly [token: CST.Token, depth: number];

/** The tokens directly within one. */
function within(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value];
  if (!('items' in token)) return [];
  return token.items.flatMap((item) =>
    [item.key, item.value].filter((child) => child !== undefined && child !== null),
  );
}

/** Whether any node of the text is nested deeper than `depthMax`. Iterative, since the text decides the depth. */
export function nestsDeeperThan(text: string, depthMax: number): boolean {
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
