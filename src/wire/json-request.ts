/**
 * The proto3 JSON form of a RateLimitRequest, for the HTTP endpoint /json.
 * Field names are accepted as lowerCamelCase and as in the .proto file; unknown ones are refused; null is an absent
 * field; whole numbers may be strings. Source: https://protobuf.dev/programming-guides/json/, and protojson in Go.
 */
import { TidegateError } from '../core/errors';
import { MAX_UINT32, UNITS, type RlsDescriptor, type RlsLimitOverride, type RlsRequest } from '../core/rls';
import { DEFAULT_REQUEST_BOUNDS, tooLarge, type RequestBounds } from './rate-limit-request';

/** A JSON string of digits longer than this is no number of 64 bits. */
const MAX_NUMBER_CHARS = 40;
const MAX_NAME_CHARS = 64;
const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;
const MIN_INT32 = -0x8000_0000;
const MAX_INT32 = 0x7fff_ffff;
const UNIT_NUMBERS = new Map<string, number>([
  ['UNKNOWN', 0],
  ...UNITS.map((unit): [string, number] => [unit.name, unit.number]),
]);

/**
 * Reads a request from parsed JSON.
 * @throws TidegateError TG_REQUEST_BAD_JSON, whose position names the field as `descriptors[0].limit.unit`, or
 *   TG_REQUEST_TOO_LARGE.
 */
export function requestFromJson(value: unknown, bounds: RequestBounds = DEFAULT_REQUEST_BOUNDS): RlsRequest {
  const fields = new Fields(value, '', ['domain', 'descriptors', 'hits_addend']);
  const descriptors = fields.list('descriptors', bounds.maxDescriptors, (item, path) =>
    descriptorFromJson(item, path, bounds.maxEntries),
  );
  return {
    domain: fields.text('domain'),
    descriptors,
    hitsAddend: fields.number('hits_addend', 0n, BigInt(MAX_UINT32)) ?? 0,
  };
}

function descriptorFromJson(value: unknown, path: string, maxEntries: number): RlsDescriptor {
  const fields = new Fields(value, path, ['entries', 'limit', 'hits_addend', 'is_negative_hits']);
  const hitsAddend = fields.number('hits_addend', 0n, MAX_UINT64);
  const limit = fields.message('limit', overrideFromJson);
  return {
    entries: fields.list('entries', maxEntries, (item, entryPath) => {
      const entry = new Fields(item, entryPath, ['key', 'value']);
      return { key: entry.text('key'), value: entry.text('value') };
    }),
    negativeHits: fields.flag('is_negative_hits'),
    ...(limit !== undefined && { limit }),
    ...(hitsAddend !== undefined && { hitsAddend }),
  };
}

function overrideFromJson(value: unknown, path: string): RlsLimitOverride {
  const fields = new Fields(value, path, ['requests_per_unit', 'unit']);
  return {
    requestsPerUnit: fields.number('requests_per_unit', 0n, BigInt(MAX_UINT32)) ?? 0,
    unit: fields.unit('unit'),
  };
}

/** The fields of one JSON object, by their names in the .proto file. */
class Fields {
  readonly #path: string;
  readonly #values = new Map<string, unknown>();

  constructor(value: unknown, path: string, names: readonly string[]) {
    this.#path = path;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw badJson(path, `expected an object, found ${kindOf(value)}`);
    }
    const accepted = new Map(
      names.flatMap((name) => [[name, name] as const, [lowerCamel(name), name] as const]),
    );
    for (const [given, field] of Object.entries(value)) {
      const name = accepted.get(given);
      if (name === undefined) throw badJson(this.#at(shorten(given)), 'there is no such field');
      if (this.#values.has(name)) throw badJson(this.#at(given), 'the field is given twice');
      this.#values.set(name, field);
    }
  }

  text(name: string): string {
    const value = this.#values.get(name) ?? '';
    if (typeof value !== 'string') throw this.#wrongType(name, 'a string', value);
    if (LONE_SURROGATE.test(value)) throw badJson(this.#at(name), 'the text is not valid Unicode');
    return value;
  }

  flag(name: string): boolean {
    const value = this.#values.get(name) ?? false;
    if (typeof value !== 'boolean') throw this.#wrongType(name, 'true or false', value);
    return value;
  }

  /** A whole number, or undefined when it is absent; above 2^53-1 it is that. */
  number(name: string, least: bigint, most: bigint): number | undefined {
    const value = this.#values.get(name) ?? undefined;
    if (value === undefined) return undefined;
    const whole = wholeNumber(value);
    if (whole === undefined || whole < least || whole > most) {
      throw this.#wrongType(name, `a whole number from ${least} to ${most}`, value);
    }
    return whole > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(whole);
  }

  /** An enum: the name of a unit, or any number that an enum can have. */
  unit(name: string): number {
    const value = this.#values.get(name) ?? 0;
    const number = typeof value === 'string' ? UNIT_NUMBERS.get(value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number) || number < MIN_INT32 || number > MAX_INT32) {
      throw this.#wrongType(name, `one of ${[...UNIT_NUMBERS.keys()].join(', ')}`, value);
    }
    return number;
  }

  message<T>(name: string, read: (value: unknown, path: string) => T): T | undefined {
    const value = this.#values.get(name) ?? undefined;
    return value === undefined ? undefined : read(value, this.#at(name));
  }

  list<T>(name: string, most: number, read: (value: unknown, path: string) => T): T[] {
    const value = this.#values.get(name) ?? [];
    if (!Array.isArray(value)) throw this.#wrongType(name, 'a list', value);
    if (value.length > most) throw tooLarge(this.#at(name), value.length, most, 'items');
    return value.map((item: unknown, index) => read(item, `${this.#at(name)}[${index}]`));
  }

  #at(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  #wrongType(name: string, expected: string, found: unknown): TidegateError {
    return badJson(this.#at(name), `expected ${expected}, found ${kindOf(found)}`);
  }
}

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
/** A whole number as JSON writes numbers: `12`, `12.0` and `1.2e1` are the same. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const INTEGER = /^-?(?:0|[1-9]\d*)$/;

/** The exact whole number that a JSON number, or a string with one, stands for. */
function wholeNumber(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== 'string' || value.length > MAX_NUMBER_CHARS) return undefined;
  if (INTEGER.test(value)) return BigInt(value);
  if (!NUMBER.test(value)) return undefined;
  const number = Number(value);
  return Number.isInteger(number) ? BigInt(number) : undefined;
}

function lowerCamel(name: string): string {
  return name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

/** A name that the caller made up, short enough for a message. */
function shorten(name: string): string {
  return name.length <= MAX_NAME_CHARS ? name : `${name.slice(0, MAX_NAME_CHARS)}...`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? 'a string' : 'an object';
}

function badJson(path: string, what: string): TidegateError {
  return new TidegateError('TG_REQUEST_BAD_JSON', what, { at: { key: path === '' ? '(the body)' : path } });
}
