/** Values of the environment and of flags: text in, what the settings file would hold out. */
import type { RawRow, RawValue, SettingKind } from './setting';

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** A boolean as Go's strconv.ParseBool takes it; undefined for anything else. */
export function parseBool(text: string): boolean | undefined {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : undefined;
}

/** A decimal number; undefined for anything else, such as an empty text, hexadecimal or Infinity. */
export function parseNumber(text: string): number | undefined {
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** The items of a comma-separated list, trimmed; empty items are left out. */
export function parseList(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** A list of rows from its JSON; anything else stays text. */
function parseRows(text: string): RawValue {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? (parsed as readonly RawRow[]) : text;
  } catch {
    return text;
  }
}

/** The value that a setting of a kind has by its text. What cannot be read stays text, and the schema refuses it. */
export function valueOfText(kind: SettingKind, text: string): RawValue {
  switch (kind) {
    case 'number':
      return parseNumber(text.trim()) ?? text;
    case 'switch':
      return parseBool(text.trim()) ?? text;
    case 'list':
      return parseList(text);
    case 'rows':
      return parseRows(text);
    case 'choice':
    case 'duration':
      return text.trim();
    case 'text':
      return text;
  }
}
