/**
 * How plain YAML scalars become values. Follows what Go's yaml.v2 (the reference's parser, YAML 1.1 without base 60)
 * makes of them, so that today's files read the same.
 */

const NULL = /^(?:|~|null|Null|NULL)$/;
const TRUE = /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const DECIMAL = /^[-+]?(?:0|[1-9][0-9_]*)$/;
const PREFIXED = /^([-+]?)(0x[0-9a-fA-F_]+|0b[01_]+|0o?[0-7_]+)$/;
const FLOAT = /^[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$/;
const INFINITE_OR_NAN = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/** Whether a plain scalar means null. */
export function isNullText(text: string): boolean {
  return NULL.test(text);
}

/** @returns the boolean a plain scalar means, or undefined when it means none. */
export function parseBoolean(text: string): boolean | undefined {
  if (TRUE.test(text)) return true;
  if (FALSE.test(text)) return false;
  return undefined;
}

/** @returns the whole number a plain scalar means (decimal, 0x, 0b, 0o or 0 octal, underscores), or undefined. */
export function parseInteger(text: string): number | undefined {
  // Adding 0 turns a negative zero into 0.
  if (DECIMAL.test(text)) return Number(text.replaceAll('_', '')) + 0;
  const match = PREFIXED.exec(text);
  if (match === null) return undefined;
  const digits = (match[2] ?? '').replaceAll('_', '').replace(/^0o?(?=[0-7]+$)/, '0o');
  const magnitude = Number(digits);
  if (Number.isNaN(magnitude)) return undefined;
  return (match[1] === '-' ? -magnitude : magnitude) + 0;
}

/** @returns what a plain scalar means where any type may stand (metadata); infinities and NaN stay as numbers. */
export function parsePlain(text: string): null | boolean | number | string {
  if (isNullText(text)) return null;
  // A bare y or n is text unless a boolean is asked for: yaml.v2 does the same.
  const flag = /^[yYnN]$/.test(text) ? undefined : parseBoolean(text);
  if (flag !== undefined) return flag;
  const whole = parseInteger(text);
  if (whole !== undefined) return whole;
  if (FLOAT.test(text)) return Number(text.replaceAll('_', ''));
  if (INFINITE_OR_NAN.test(text))
    return /nan/i.test(text) ? NaN : text.startsWith('-') ? -Infinity : Infinity;
  return text;
}
