/** Reads the query and bodies of the control API, with a bound on everything. */
import { POOL_MODES, type Override } from '../core/control';
import { LEARNING_ORDERS } from '../core/learning';
import type { ControlAsks } from '../core/control-desk';
import { parseDurationUs } from '../core/duration';
import { TidegateError } from '../core/errors';
import { PRIORITIES } from '../core/priority';
import { bad, bodyOf, instant, pageOf, parametersOf, required, single } from './query';

// The longest name of a pool, id of a member, author and reason, characters.
const MAX_POOL = 64;
const MAX_MEMBER = 2_048;
const MAX_AUTHOR = 128;
const MAX_REASON = 512;
const MIN_TTL_MS = 1_000;
/** Thirty days. */
const MAX_TTL_MS = 2_592_000_000;
const MAX_PER_S = 1e9;
const MAX_CAPACITY = 4_294_967_295;

/** Control characters, halves of characters, and what turns the direction of text: they could forge a line of the trail. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/u;

type Ask<N extends keyof ControlAsks> = ControlAsks[N]['ask'];
type Members = Readonly<Record<string, unknown>>;

/** Leaves out what is undefined. */
function given<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** No query at all. @throws TidegateError TG_ADMIN_BAD_REQUEST, as all of this file but where it says otherwise. */
export function readNoQuery(url: string): Record<string, never> {
  parametersOf(url, []);
  return {};
}

/** A pool, or all of them. */
export function readPoolQuery(url: string): Ask<'allocations'> {
  return given({ pool: single(parametersOf(url, ['pool']), 'pool') });
}

/** A page, of one pool or of all. */
export function readPoolPageQuery(url: string): Ask<'buckets'> {
  const parameters = parametersOf(url, ['pool', 'offset', 'limit']);
  return { ...pageOf(parameters), ...given({ pool: single(parameters, 'pool') }) };
}

/** A page of decisions, of one pool or of all, of one member or of all. */
export function readDecisionsQuery(url: string): Ask<'decisions'> {
  const parameters = parametersOf(url, ['pool', 'id', 'offset', 'limit']);
  return {
    ...pageOf(parameters),
    ...given({ pool: single(parameters, 'pool'), id: single(parameters, 'id') }),
  };
}

/** A page of the trail, since an instant. */
export function readAuditQuery(url: string): Ask<'audit'> {
  const parameters = parametersOf(url, ['since', 'offset', 'limit']);
  return { ...pageOf(parameters), ...given({ sinceMs: instant(parameters, 'since') }) };
}

/** Text of a change, bounded. */
function textOf(members: Members, name: string, max: number): string {
  const value = members[name];
  if (typeof value !== 'string' || value.trim() === '') throw bad(`there is no '${name}'`);
  if (value.length > max) throw bad(`'${name}' is longer than ${max} characters`);
  return value;
}

/** Text that is shown to people: who, and why. */
function saidOf(members: Members, name: string, max: number): string {
  const value = textOf(members, name, max).trim();
  if (UNPRINTABLE.test(value)) throw bad(`'${name}' has characters that cannot be printed`);
  return value;
}

/** Who changes something: as the call says, else as the client's certificate does. */
function authorOf(members: Members, subject: string | undefined): string {
  if (members['author'] !== undefined || subject === undefined) return saidOf(members, 'author', MAX_AUTHOR);
  return Array.from(subject, (character) => (UNPRINTABLE.test(character) ? '?' : character))
    .slice(0, MAX_AUTHOR)
    .join('');
}

function numberOf(members: Members, name: string, max: number): number | undefined {
  const value = members[name];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= 0 && value <= max) return value;
  throw badOverride(`'${name}' is not a number from 0 to ${max}`);
}

const badOverride = (message: string): TidegateError => new TidegateError('TG_CONTROL_BAD_OVERRIDE', message);

function ttlOf({ ttl }: Members): number {
  const us = typeof ttl === 'string' ? parseDurationUs(ttl) : undefined;
  const ms = Math.round((us ?? NaN) / 1_000);
  if (ms >= MIN_TTL_MS && ms <= MAX_TTL_MS) return ms;
  throw badOverride("'ttl' is not a duration from 1s to 30d");
}

function figuresOf(members: Members): Partial<Override> {
  const { lending } = members;
  const ratePerS = numberOf(members, 'ratePerS', MAX_PER_S);
  const capacity = numberOf(members, 'capacity', MAX_CAPACITY);
  if (capacity !== undefined && !Number.isInteger(capacity)) throw badOverride("'capacity' is not whole");
  if (lending !== undefined && typeof lending !== 'boolean')
    throw badOverride("'lending' is neither true nor false");
  const priority = PRIORITIES.find((one) => one === members['priority']);
  if (members['priority'] !== undefined && priority === undefined)
    throw badOverride(`'priority' is not one of ${PRIORITIES.join(', ')}`);
  const figures = given({ ratePerS, capacity, lending, priority });
  if (Object.keys(figures).length === 0) throw badOverride('it overrides nothing');
  return figures;
}

/**
 * What is to hold of a member instead of what control finds. @param subject of the client's certificate, if there is one.
 * @throws TidegateError TG_ADMIN_BAD_REQUEST, or TG_CONTROL_BAD_OVERRIDE for a figure that cannot be.
 */
export function readOverrideBody(body: unknown, subject: string | undefined): Ask<'putOverride'> {
  const figures = ['ratePerS', 'capacity', 'lending', 'priority', 'ttl'];
  const members = bodyOf(body, ['pool', 'member', ...figures, 'author', 'reason']);
  return {
    pool: textOf(members, 'pool', MAX_POOL),
    member: textOf(members, 'member', MAX_MEMBER),
    ...figuresOf(members),
    ttlMs: ttlOf(members),
    author: authorOf(members, subject),
    reason: saidOf(members, 'reason', MAX_REASON),
  };
}

/** Which override is to go; who and why stand in the query or in the body. */
export function readDropOverride(
  url: string,
  body: unknown,
  subject: string | undefined,
): Ask<'dropOverride'> {
  const parameters = parametersOf(url, ['pool', 'member', 'author', 'reason']);
  const said = bodyOf(body, ['author', 'reason']);
  const twice = Object.keys(said).find((name) => parameters.has(name));
  if (twice !== undefined) throw bad(`'${twice}' is in the query and in the body`, 'give it once');
  const members = {
    pool: required(parameters, 'pool'),
    member: required(parameters, 'member'),
    ...given({ author: single(parameters, 'author'), reason: single(parameters, 'reason') }),
    ...said,
  };
  return {
    pool: textOf(members, 'pool', MAX_POOL),
    member: textOf(members, 'member', MAX_MEMBER),
    author: authorOf(members, subject),
    reason: saidOf(members, 'reason', MAX_REASON),
  };
}

/** A pool by its name in the path. */
export function readPoolName(pool: string, url: string): Ask<'learning'> {
  parametersOf(url, []);
  return { pool: textOf({ pool }, 'pool', MAX_POOL) };
}

/** Which mode learning is to have. @param pool as the path names it. */
export function readLearningBody(
  pool: string,
  body: unknown,
  subject: string | undefined,
): Ask<'putLearning'> {
  const members = bodyOf(body, ['mode', 'author', 'reason']);
  const mode = LEARNING_ORDERS.find((one) => one === members['mode']);
  if (mode === undefined) throw bad(`'mode' is not one of ${LEARNING_ORDERS.join(', ')}`);
  return {
    pool: textOf({ pool }, 'pool', MAX_POOL),
    mode,
    author: authorOf(members, subject),
    reason: saidOf(members, 'reason', MAX_REASON),
  };
}

/** Which mode a pool is to have. @param pool as the path names it. */
export function readModeBody(pool: string, body: unknown, subject: string | undefined): Ask<'putMode'> {
  const members = bodyOf(body, ['mode', 'author', 'reason']);
  const mode = POOL_MODES.find((one) => one === members['mode']);
  if (mode === undefined) throw bad(`'mode' is not one of ${POOL_MODES.join(', ')}`);
  return {
    pool: textOf({ pool }, 'pool', MAX_POOL),
    mode,
    author: authorOf(members, subject),
    reason: saidOf(members, 'reason', MAX_REASON),
  };
}
