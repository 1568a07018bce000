/** Wildcard patterns of the limits dialect: `*` stands for zero or more characters, anywhere, any number of times. */

/** A pattern split at its stars, once, when the limits are loaded. */
export type WildcardParts = readonly string[];

/** Splits a pattern. */
export function wildcardParts(pattern: string): WildcardParts {
  return pattern.split('*');
}

/**
 * Whether a text matches a split pattern. Takes the leftmost place for each middle part, which is enough since the
 * parts between stars are literal; linear in the text for each part, no backtracking.
 */
export function wildcardMatches(parts: WildcardParts, text: string): boolean {
  const first = parts[0] ?? '';
  if (parts.length === 1) return text === first;
  const last = parts[parts.length - 1] ?? '';
  const end = text.length - last.length;
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let from = first.length;
  for (let index = 1; index < parts.length - 1; index += 1) {
    const part = parts[index] ?? '';
    const found = text.indexOf(part, from);
    if (found < 0 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}
