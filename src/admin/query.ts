/** Reads the query of API calls, with a bound on everything; unknown names are refused, for they are misspelt ones. */
import { TidegateError } from '../core/errors';
import type { RlsDescriptor } from '../core/rls';

const MAX_ENTRIES = 64;
const MAX_TEXT = 2_048;
/** The most rules one answer lists. */
export const MAX_PAGE = 10_000;
const DEFAULT_PAGE = 1_000;

/** What `/api/v1/explain` is asked. */
export interface ExplainQuery {
  readonly domain: string;
  readonly descriptor: RlsDescriptor;
}

/** Which rules `/api/v1/limits` is to list. */
export interface LimitsQuery {
  /** Only the rules of this domain. */
  readonly domain?: string;
  readonly offset: number;
  readonly limit: number;
}

/** A request that cannot be understood. */
export const bad = (message: string, remedy?: string): TidegateError =>
  new TidegateError('TG_ADMIN_BAD_REQUEST', message, remedy === undefined ? {} : { remedy });

/** The query's parameters. @throws TidegateError for one that is not allowed, or too long. */
export function parametersOf(url: string, allowed: readonly string[]): URLSearchParams {
  const at = url.indexOf('?');
  const parameters = new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
  for (const [name, value] of parameters) {
    if (!allowed.includes(name))
      throw bad(`the query has no '${name.slice(0, 64)}'`, `use ${allowed.join(', ')}`);
    if (value.length > MAX_TEXT) throw bad(`'${name}' is longer than ${MAX_TEXT} characters`);
  }
  return parameters;
}

/** A parameter that may be there once. */
export function single(parameters: URLSearchParams, name: string): string | undefined {
  const values = parameters.getAll(name);
  if (values.length > 1) throw bad(`'${name}' is there ${values.length} times`, 'give it once');
  return values[0];
}

/** A whole number from 0 to `max`. */
export function whole(parameters: URLSearchParams, name: string, fallback: number, max: number): number {
  const text = single(parameters, name);
  if (text === undefined) return fallback;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (!(value <= max)) throw bad(`'${name}' is not a whole number from 0 to ${max}`);
  return value;
}

/** Which page of a list: 100 of at most 1,000 when nothing is said. */
export function pageOf(parameters: URLSearchParams): { offset: number; limit: number } {
  return {
    offset: whole(parameters, 'offset', 0, 999_999_999),
    limit: whole(parameters, 'limit', 100, 1_000),
  };
}

/**
 * The members of a JSON body; none when it is empty.
 * @throws TidegateError TG_ADMIN_BAD_REQUEST for what is no JSON object, or has a member that is not named.
 */
export function bodyOf(body: unknown, keys: readonly string[]): Readonly<Record<string, unknown>> {
  if (!Buffer.isBuffer(body) || body.length === 0) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    throw bad('the body is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw bad('the body is not a JSON object');
  const odd = Object.keys(parsed).find((key) => !keys.includes(key));
  if (odd !== undefined) throw bad(`the body has no '${odd.slice(0, 64)}'`, `use ${keys.join(', ')}`);
  return parsed as Readonly<Record<string, unknown>>;
}

/** A parameter that has to be there. */
export function required(parameters: URLSearchParams, name: string): string {
  const value = single(parameters, name);
  if (value === undefined || value === '') throw bad(`the query has no '${name}'`);
  return value;
}

/** One of a few words. */
export function oneOf<W extends string>(
  parameters: URLSearchParams,
  name: string,
  words: readonly W[],
): W | undefined {
  const text = single(parameters, name);
  if (text === undefined) return undefined;
  const word = words.find((one) => one === text);
  if (word === undefined) throw bad(`'${name}' is not one of ${words.join(', ')}`);
  return word;
}

/** An instant, as Unix milliseconds or ISO 8601; Unix ms. */
export function instant(parameters: URLSearchParams, name: string): number | undefined {
  const text = single(parameters, name);
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isFinite(value))
    throw bad(`'${name}' is no instant`, 'write Unix milliseconds, or such as 2026-01-31T12:00:00Z');
  return value;
}

/** @throws TidegateError TG_ADMIN_BAD_REQUEST. */
export function readExplainQuery(url: string): ExplainQuery {
  const example = 'ask for /api/v1/explain?domain=D&entry=key%3Dvalue, with an entry a level';
  const parameters = parametersOf(url, ['domain', 'entry']);
  const domain = single(parameters, 'domain');
  const entries = parameters.getAll('entry');
  if (domain === undefined || domain === '') throw bad("the query has no 'domain'", example);
  if (entries.length === 0) throw bad("the query has no 'entry'", example);
  if (entries.length > MAX_ENTRIES) throw bad(`the query has more than ${MAX_ENTRIES} entries`);
  const descriptor: RlsDescriptor = {
    negativeHits: false,
    entries: entries.map((entry) => {
      const at = entry.indexOf('=');
      const [key, value] = at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
      if (key === '') throw bad(`the entry '${entry}' has no key`, example);
      return { key, value };
    }),
  };
  return { domain, descriptor };
}

/** @throws TidegateError TG_ADMIN_BAD_REQUEST. */
export function readLimitsQuery(url: string): LimitsQuery {
  const parameters = parametersOf(url, ['domain', 'offset', 'limit']);
  const domain = single(parameters, 'domain');
  return {
    ...(domain === undefined ? {} : { domain }),
    offset: whole(parameters, 'offset', 0, 999_999_999),
    limit: whole(parameters, 'limit', DEFAULT_PAGE, MAX_PAGE),
  };
}
