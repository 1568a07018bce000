/**
 * The conditions of a class as Envoy's header matchers, added to the match of the route that the class narrows. The path is
 * matched as the header `:path`, so that what the route does with its own prefix, such as rewriting it, stays as it was.
 * Source: envoy.config.route.v3.RouteMatch and HeaderMatcher; github.com/google/re2/wiki/Syntax.
 */
import type { PlainMessage } from '../definitions';
import type { GroupClass } from './target-groups';
import { refuse } from './target-groups';

const HEADER_NAME = /^:?[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** What no header may hold; Envoy refuses a matcher with it. */
// eslint-disable-next-line no-control-regex
const UNFIT = /[\u0000\r\n]/;
/** Of one expression: RE2 compiles it well within its memory. More values become further routes. */
const MAX_EXPRESSION = 16_384;

/**
 * The lists of header matchers, each for one route, that together are the class.
 * @throws TidegateError TG_MESH_CLASS for what Envoy would refuse.
 */
export function matchersOf(one: GroupClass, ignoreCase: boolean): readonly (readonly PlainMessage[])[] {
  const { row, at } = one;
  const always: PlainMessage[] = [];
  if (row.methods.length > 0) always.push(header(':method', anyOf(row.methods, false)));
  if (row.path !== '') always.push(header(':path', pathMatcher(row.path, ignoreCase, at)));
  if (row.header === '') return [always];
  if (!HEADER_NAME.test(row.header)) refuse('TG_MESH_CLASS', `${at}.header`, 'this is no name of a header');
  if (row.values.length === 0 || row.values.includes('*'))
    return [[...always, { name: row.header, present_match: true }]];
  const unfit = row.values.findIndex((value) => UNFIT.test(value) || /^\*+$/.test(value));
  if (unfit !== -1) refuse('TG_MESH_CLASS', `${at}.values[${unfit}]`, 'no header has this value');
  return chunks(row.values).map((values) => [...always, header(row.header, anyOf(values, true))]);
}

/** Whether a request can be of the route and of the class, as far as their paths tell. */
export function pathsMeet(match: PlainMessage, path: string): boolean {
  if (path === '') return true;
  const fold = ignoresCase(match) ? (text: string) => text.toLowerCase() : (text: string) => text;
  const open = path.endsWith('*');
  const wanted = fold(open ? path.slice(0, -1) : path);
  const own = (field: string): string | undefined =>
    Object.hasOwn(match, field) && typeof match[field] === 'string' ? fold(match[field]) : undefined;
  const exact = own('path');
  if (exact !== undefined) return open ? exact.startsWith(wanted) : exact === wanted;
  const prefix = own('prefix');
  if (prefix !== undefined) return wanted.startsWith(prefix) || (open && prefix.startsWith(wanted));
  const part = own('path_separated_prefix');
  if (part === undefined) return true;
  return wanted === part || wanted.startsWith(`${part}/`) || (open && part.startsWith(wanted));
}

/** Whether a route takes paths in either case. */
export function ignoresCase(match: PlainMessage): boolean {
  const sensitive = match['case_sensitive'] as PlainMessage | undefined | null;
  return typeof sensitive === 'object' && sensitive !== null && sensitive['value'] === false;
}

/** A class's conditions in words, for people. */
export function conditionsOf({ row }: GroupClass): string {
  const values = row.values.length > 3 ? [...row.values.slice(0, 3), '...'] : row.values;
  return [
    ...(row.header === ''
      ? []
      : [values.length === 0 ? `has ${row.header}` : `${row.header} is ${values.join(' or ')}`]),
    ...(row.methods.length === 0 ? [] : [`method ${row.methods.join(' or ')}`]),
    ...(row.path === '' ? [] : [`path ${row.path}`]),
  ].join(', ');
}

function header(name: string, matcher: PlainMessage): PlainMessage {
  return { name, string_match: matcher };
}

function pathMatcher(path: string, ignoreCase: boolean, at: string): PlainMessage {
  if (!path.startsWith('/') || UNFIT.test(path))
    refuse('TG_MESH_CLASS', `${at}.path`, 'a path begins with /');
  const insensitive = ignoreCase ? { ignore_case: true } : {};
  if (path.endsWith('*')) return { prefix: path.slice(0, -1), ...insensitive };
  // The header holds the query as well.
  return expression(`${ignoreCase ? '(?i)' : ''}${literal(path)}(?:[?#].*)?`);
}

/** One of several texts; `*` at an end stands for any rest where `open`. */
function anyOf(values: readonly string[], open: boolean): PlainMessage {
  const [only] = values;
  if (values.length > 1 || only === undefined)
    return expression(values.map((value) => alternative(value, open)).join('|'));
  const { start, middle, end } = stars(only, open);
  if (start && end) return { contains: middle };
  return start ? { suffix: middle } : end ? { prefix: middle } : { exact: middle };
}

function alternative(value: string, open: boolean): string {
  const { start, middle, end } = stars(value, open);
  return `${start ? '.*' : ''}${literal(middle)}${end ? '.*' : ''}`;
}

function stars(value: string, open: boolean): { start: boolean; middle: string; end: boolean } {
  const start = open && value.startsWith('*');
  const end = open && value.endsWith('*');
  return { start, middle: value.slice(start ? 1 : 0, end ? -1 : undefined), end };
}

function expression(regex: string): PlainMessage {
  return { safe_regex: { regex } };
}

/** Text that an expression takes as it stands. */
function literal(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}

function chunks(values: readonly string[]): readonly (readonly string[])[] {
  const all: string[][] = [];
  let length = Infinity;
  for (const value of values) {
    const size = alternative(value, true).length + 1;
    if (length + size > MAX_EXPRESSION) {
      all.push([]);
      length = 0;
    }
    all.at(-1)?.push(value);
    length += size;
  }
  return all;
}
