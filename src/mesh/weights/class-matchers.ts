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
/**
 * Envoy refuses expressions of more than 100 of RE2's instructions: about one for each byte, two in either case, and a few
 * for each alternative. What is longer becomes further routes. Source: `re2.max_program_size.error_level`.
 */
const MAX_EXPRESSION = 80;
const ALTERNATIVE = 5;

/**
 * The lists of header matchers, each for one route, that together are the class.
 * @throws TidegateError TG_MESH_CLASS for what Envoy would refuse.
 */
export function matchersOf(one: GroupClass, ignoreCase: boolean): readonly (readonly PlainMessage[])[] {
  const { row, at } = one;
  const conditions = [
    ...(row.methods.length === 0 ? [] : [anyOf(':method', row.methods, false)]),
    ...(row.path === '' ? [] : [pathMatchers(row.path, ignoreCase, at)]),
    ...(row.header === '' ? [] : [headerMatchers(row.header, row.values, at)]),
  ];
  return conditions.reduce<readonly (readonly PlainMessage[])[]>(
    (lists, matchers) => lists.flatMap((list) => matchers.map((matcher) => [...list, matcher])),
    [[]],
  );
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

function headerMatchers(name: string, values: readonly string[], at: string): readonly PlainMessage[] {
  if (!HEADER_NAME.test(name)) refuse('TG_MESH_CLASS', `${at}.header`, 'this is no name of a header');
  if (values.length === 0 || values.includes('*')) return [{ name, present_match: true }];
  const unfit = values.findIndex((value) => UNFIT.test(value) || /^\*+$/.test(value));
  if (unfit !== -1) refuse('TG_MESH_CLASS', `${at}.values[${unfit}]`, 'no header has this value');
  return anyOf(name, values, true);
}

/** The header `:path` holds the query as well. */
function pathMatchers(path: string, ignoreCase: boolean, at: string): readonly PlainMessage[] {
  if (!path.startsWith('/') || UNFIT.test(path))
    refuse('TG_MESH_CLASS', `${at}.path`, 'a path begins with /');
  const insensitive = ignoreCase ? { ignore_case: true } : {};
  const header = (matcher: PlainMessage): PlainMessage => ({ name: ':path', string_match: matcher });
  if (path.endsWith('*')) return [header({ prefix: path.slice(0, -1), ...insensitive })];
  if (!ignoreCase && sizeOf(path) + ALTERNATIVE <= MAX_EXPRESSION)
    return [header({ safe_regex: { regex: `${literal(path)}(?:[?#].*)?` } })];
  return [header({ exact: path, ...insensitive }), header({ prefix: `${path}?`, ...insensitive })];
}

/** One of several texts; `*` at an end stands for any rest where `open`. */
function anyOf(name: string, values: readonly string[], open: boolean): readonly PlainMessage[] {
  return chunks(values).map((list) => {
    const [only] = list;
    const matcher =
      only !== undefined && list.length === 1
        ? single(only, open)
        : { safe_regex: { regex: list.map((value) => alternative(value, open)).join('|') } };
    return { name, string_match: matcher };
  });
}

function single(value: string, open: boolean): PlainMessage {
  const { start, middle, end } = stars(value, open);
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

/** Text that an expression takes as it stands. */
function literal(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}

/** Values by as many as one expression takes; what is too long for any stands alone. */
function chunks(values: readonly string[]): readonly (readonly string[])[] {
  const all: string[][] = [];
  let size = Infinity;
  for (const value of values) {
    const own = sizeOf(value) + ALTERNATIVE;
    if (size + own > MAX_EXPRESSION) {
      all.push([]);
      size = 0;
    }
    all.at(-1)?.push(value);
    size += own;
  }
  return all;
}

const encoder = new TextEncoder();

function sizeOf(text: string): number {
  return encoder.encode(text).length;
}
