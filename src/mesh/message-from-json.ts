/**
 * Messages from JSON or YAML objects, held strictly against their definitions: an unknown field, a wrong type and an
 * unknown extension are errors with their path; nothing is dropped.
 * Source: protobuf.dev, "ProtoJSON Format": names as in the proto file or in lowerCamelCase, durations as text, wrappers as
 * bare values, enums by name or number, `@type` in an Any.
 */
import type * as Protobuf from 'protobufjs';
import { TidegateError } from '../core/errors';
import { TYPE_URL_PREFIX, type Definitions, type PlainMessage } from './definitions';
import {
  durationFromJson,
  listFromJson,
  refuse,
  scalarFromJson,
  sortedEntries,
  structFromJson,
  timestampFromJson,
  valueFromJson,
} from './scalar-json';

const MAX_DEPTH = 100;

interface Place {
  readonly definitions: Definitions;
  readonly path: string;
  readonly depth: number;
}

/** Well-known types with a form of their own in JSON; in an Any they stand under `value`. */
const WELL_KNOWN: ReadonlyMap<string, (value: unknown, path: string) => PlainMessage> = new Map([
  ['google.protobuf.Duration', durationFromJson],
  ['google.protobuf.Timestamp', timestampFromJson],
  ['google.protobuf.Struct', structFromJson],
  ['google.protobuf.Value', valueFromJson],
  ['google.protobuf.ListValue', listFromJson],
  ['google.protobuf.FieldMask', fieldMask],
  ...(
    [
      ['Double', 'double'],
      ['Float', 'float'],
      ['Int64', 'int64'],
      ['UInt64', 'uint64'],
      ['Int32', 'int32'],
      ['UInt32', 'uint32'],
      ['Bool', 'bool'],
      ['String', 'string'],
      ['Bytes', 'bytes'],
    ] as const
  ).map(
    ([name, kind]) =>
      [
        `google.protobuf.${name}Value`,
        (value: unknown, path: string) => ({ value: scalarFromJson(kind, value, path) }),
      ] as const,
  ),
]);

/**
 * Builds a message of a type. `path` is where the object stands in the user's input, for errors.
 * Throws `TG_MESH_UNKNOWN_TYPE`, `TG_MESH_UNKNOWN_FIELD` or `TG_MESH_WRONG_VALUE`, each with the path.
 */
export function messageFromJson(
  definitions: Definitions,
  fullName: string,
  value: unknown,
  path: string,
): PlainMessage {
  return message({ definitions, path, depth: 0 }, typeAt(definitions, fullName, path), value);
}

function typeAt(definitions: Definitions, fullName: string, path: string): Protobuf.Type {
  const type = definitions.type(fullName);
  if (type === undefined) {
    throw new TidegateError('TG_MESH_UNKNOWN_TYPE', `${fullName || 'an empty name'} is not known`, {
      at: { key: path },
    });
  }
  return type;
}

function message(place: Place, type: Protobuf.Type, value: unknown): PlainMessage {
  if (place.depth > MAX_DEPTH) return refuse(place.path, `at most ${MAX_DEPTH} levels`, value);
  const name = type.fullName.slice(1);
  if (name === 'google.protobuf.Any') return anyFromJson(place, value);
  const wellKnown = WELL_KNOWN.get(name);
  if (wellKnown !== undefined) return wellKnown(value, place.path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(place.path, `an object (${name})`, value);
  }
  return fieldsOf(place, type, Object.entries(value));
}

function fieldsOf(place: Place, type: Protobuf.Type, entries: readonly [string, unknown][]): PlainMessage {
  const built: PlainMessage = {};
  const fields = fieldsByName(type);
  for (const [key, one] of entries) {
    const at = below(place, `${place.path === '' ? '' : `${place.path}.`}${key}`);
    const field = fields.get(key);
    if (field === undefined) {
      throw new TidegateError('TG_MESH_UNKNOWN_FIELD', `${type.fullName.slice(1)} has no field ${key}`, {
        at: { key: at.path },
      });
    }
    if (one === null && !takesNull(field)) continue;
    if (field.name in built) return refuse(at.path, `${field.name} once, under one of its names`, one);
    const rival = field.partOf?.oneof.find((other) => other in built);
    if (rival !== undefined) return refuse(at.path, `only one of ${rival} and ${field.name}`, one);
    built[field.name] = fieldValue(at, field, one);
  }
  return built;
}

const names = new WeakMap<Protobuf.Type, ReadonlyMap<string, Protobuf.Field>>();

function fieldsByName(type: Protobuf.Type): ReadonlyMap<string, Protobuf.Field> {
  let known = names.get(type);
  if (known === undefined) {
    known = new Map(
      type.fieldsArray.flatMap((field) => [
        [field.name, field],
        [jsonName(field.name), field],
      ]),
    );
    names.set(type, known);
  }
  return known;
}

/** A field's name in lowerCamelCase as protoc makes it. */
export function jsonName(name: string): string {
  return name.replace(/_+([^_]?)/g, (_all, next: string) => next.toUpperCase());
}

function takesNull(field: Protobuf.Field): boolean {
  const type = field.resolvedType?.fullName;
  return !field.repeated && (type === '.google.protobuf.Value' || type === '.google.protobuf.NullValue');
}

function fieldValue(place: Place, field: Protobuf.Field, value: unknown): unknown {
  if (field.map) return mapValue(place, field as unknown as Protobuf.MapField, value);
  if (!field.repeated) return single(place, field, value);
  if (!Array.isArray(value)) return refuse(place.path, 'a list', value);
  return value.map((one, index) => single(below(place, `${place.path}[${index}]`), field, one));
}

function mapValue(place: Place, field: Protobuf.MapField, value: unknown): PlainMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(place.path, 'an object', value);
  }
  // Without a prototype: a key such as __proto__ is a key like others.
  const built = Object.create(null) as PlainMessage;
  for (const [key, one] of sortedEntries(value)) {
    const at = below(place, `${place.path}.${key}`);
    if (field.keyType !== 'string') mapKey(field.keyType, key, at.path);
    built[key] = single(at, field, one);
  }
  return built;
}

function mapKey(kind: string, key: string, path: string): void {
  if (kind !== 'bool') scalarFromJson(kind, key, path);
  else if (key !== 'true' && key !== 'false') refuse(path, 'the key true or false', key);
}

function single(place: Place, field: Pick<Protobuf.Field, 'type' | 'resolvedType'>, value: unknown): unknown {
  const type = field.resolvedType;
  if (type === null) return scalarFromJson(field.type, value, place.path);
  return 'values' in type ? enumValue(place.path, type, value) : message(place, type, value);
}

function enumValue(path: string, type: Protobuf.Enum, value: unknown): number {
  if (type.fullName === '.google.protobuf.NullValue' && value === null) return 0;
  const known =
    typeof value === 'string' && Object.hasOwn(type.values, value)
      ? type.values[value]
      : typeof value === 'number' && type.valuesById[value] !== undefined
        ? value
        : undefined;
  return known ?? refuse(path, `one of ${Object.keys(type.values).slice(0, 12).join(', ')}`, value);
}

function anyFromJson(place: Place, value: unknown): PlainMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(place.path, 'an object with @type', value);
  }
  const { '@type': url, ...rest } = value as Record<string, unknown>;
  if (typeof url !== 'string' || !url.includes('/')) {
    return refuse(`${place.path}.@type`, `${TYPE_URL_PREFIX} and the name of a message`, url);
  }
  const name = url.slice(url.lastIndexOf('/') + 1);
  const type = typeAt(place.definitions, name, `${place.path}.@type`);
  const inner = below(place, place.path);
  if (!WELL_KNOWN.has(name) && name !== 'google.protobuf.Any') {
    return {
      type_url: url,
      value: place.definitions.encode(name, fieldsOf(inner, type, Object.entries(rest))),
    };
  }
  const { value: own, ...others } = rest;
  const [odd] = Object.keys(others);
  if (odd !== undefined) {
    throw new TidegateError('TG_MESH_UNKNOWN_FIELD', `${name} in an Any has no field but value`, {
      at: { key: `${place.path}.${odd}` },
    });
  }
  return {
    type_url: url,
    value: place.definitions.encode(name, message(below(inner, `${place.path}.value`), type, own)),
  };
}

function fieldMask(value: unknown, path: string): PlainMessage {
  if (typeof value !== 'string') return refuse(path, 'field paths, with commas between', value);
  const paths = value === '' ? [] : value.split(',');
  return { paths: paths.map((one) => one.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)) };
}

function below(place: Place, path: string): Place {
  return { definitions: place.definitions, path, depth: place.depth + 1 };
}
