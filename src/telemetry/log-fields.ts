/**
 * Makes what is logged fit to be logged: secrets masked, errors told by code, place and remedy, everything bounded.
 * Guarantee: never throws, and its result is plain JSON data of bounded size whatever comes in.
 */
import { TidegateError } from '../core/errors';

const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
const MAX_TEXT = 4_096;
const MAX_CAUSES = 3;
const MASK = '[redacted]';

/** Names of fields whose value is a secret, whatever stands in them. */
const SECRET_NAME =
  /pass(word|wd|phrase)?$|secret|token$|authorization|cookie|credential|private[-_]?key|api[-_]?key/i;
/** `scheme://user:password@host`: the part between the slashes and the at sign. */
const URL_USERINFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;
const BEARER = /\b(bearer|basic)\s+[\w+/=.~-]{6,}/gi;
const PEM_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g;

/** Masks the secrets that can stand inside a text (URLs with a user, bearer tokens, private keys) and bounds its length. */
export function maskText(text: string): string {
  const bounded = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
  return bounded
    .replace(PEM_KEY, MASK)
    .replace(URL_USERINFO, `$1${MASK}@`)
    .replace(BEARER, (_all, scheme: string) => `${scheme} ${MASK}`);
}

/**
 * Renders anything thrown.
 * @returns code, message, at and remedy for a coded error; name, message and stack for another; the causes' messages.
 */
export function describeError(thrown: unknown, depth = 0): Record<string, unknown> {
  if (!(thrown instanceof Error)) return { message: maskText(String(thrown)) };
  const described: Record<string, unknown> = { message: maskText(thrown.message) };
  if (thrown instanceof TidegateError) {
    described['code'] = thrown.code;
    if (thrown.at !== undefined) described['at'] = loggable(thrown.at, depth + 1);
    described['remedy'] = thrown.remedy;
  } else {
    described['name'] = thrown.name;
    const code: unknown = (thrown as { code?: unknown }).code;
    if (typeof code === 'string') described['code'] = maskText(code);
  }
  // A coded error's message says it all; a fault's place in the code is what its reader needs.
  if (!(thrown instanceof TidegateError) || thrown.code === 'TG_INTERNAL') {
    if (thrown.stack !== undefined) described['stack'] = maskText(thrown.stack);
  }
  if (thrown.cause !== undefined && depth < MAX_CAUSES) {
    described['cause'] = describeError(thrown.cause, depth + 1);
  }
  return described;
}

/** Turns any value into bounded JSON data with its secrets masked. */
export function loggable(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
      return maskText(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      return value.toString();
    case 'object':
      return value === null ? null : loggableObject(value, depth);
    case 'function':
    case 'symbol':
      return `[${typeof value}]`;
    default:
      return value;
  }
}

function loggableObject(value: object, depth: number): unknown {
  try {
    if (value instanceof Error) return describeError(value, depth);
    if (depth >= MAX_DEPTH) return '[deep]';
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
    if (value instanceof Map) return loggableObject(Object.fromEntries(value) as object, depth);
    const items: readonly unknown[] | undefined =
      value instanceof Set ? [...(value as Set<unknown>)] : Array.isArray(value) ? value : undefined;
    if (items !== undefined) return items.slice(0, MAX_ITEMS).map((item) => loggable(item, depth + 1));
    const plain: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(value).slice(0, MAX_ITEMS)) {
      const secret = SECRET_NAME.test(name) && field !== undefined && field !== null && field !== '';
      plain[name] = secret ? MASK : loggable(field, depth + 1);
    }
    return plain;
  } catch {
    // A getter or proxy of a foreign object may throw; the log line is worth more than that field.
    return '[unreadable]';
  }
}
