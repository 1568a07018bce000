/**
 * `google.protobuf.Struct` to and from bytes.
 * Source: google/protobuf/struct.proto: Struct{map<string, Value> fields = 1}, Value{null_value = 1, number_value = 2,
 * string_value = 3, bool_value = 4, struct_value = 5, list_value = 6}, ListValue{repeated Value values = 1}.
 */
import type { JsonObject, JsonValue } from '../core/rls';
import type { ProtoReader } from './proto-reader';
import type { ProtoWriter } from './proto-writer';

/** Values nest no deeper than this when read; other decoders stop at 100 messages too. */
const MAX_DEPTH = 50;

/** Writes a Struct's content, without a tag and length of its own. */
export function writeStruct(writer: ProtoWriter, struct: JsonObject): void {
  for (const [key, value] of Object.entries(struct)) {
    const entry = writer.begin(1);
    if (key !== '') writer.string(1, key);
    const start = writer.begin(2);
    writeValue(writer, value);
    writer.end(start);
    writer.end(entry);
  }
}

/** Writes a Value's content. Its fields are a oneof, so defaults are written too: they say which one it is. */
function writeValue(writer: ProtoWriter, value: JsonValue): void {
  if (value === null) writer.varint(1, 0);
  else if (typeof value === 'number') writer.double(2, value);
  else if (typeof value === 'string') writer.string(3, value);
  else if (typeof value === 'boolean') writer.bool(4, value);
  else if (isList(value)) {
    const start = writer.begin(6);
    for (const item of value) {
      const itemStart = writer.begin(1);
      writeValue(writer, item);
      writer.end(itemStart);
    }
    writer.end(start);
  } else {
    const start = writer.begin(5);
    writeStruct(writer, value);
    writer.end(start);
  }
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);

/** Reads a Struct that the reader is about to enter. A key that occurs twice has its last value. */
export function readStruct(reader: ProtoReader, depth = 0): Record<string, JsonValue> {
  if (depth > MAX_DEPTH) throw reader.malformed('a Struct nests too deep');
  const struct: Record<string, JsonValue> = {};
  const outerEnd = reader.enter();
  while (reader.more) {
    const tag = reader.tag();
    if (tag !== ((1 << 3) | 2)) {
      reader.skip(tag);
      continue;
    }
    const [key, value] = readEntry(reader, depth);
    // Not an assignment: `__proto__` is a key like any other.
    Object.defineProperty(struct, key, { value, writable: true, enumerable: true, configurable: true });
  }
  reader.leave(outerEnd);
  return struct;
}

function readEntry(reader: ProtoReader, depth: number): [string, JsonValue] {
  const outerEnd = reader.enter();
  let key = '';
  let value: JsonValue = null;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 2)) key = reader.string();
    else if (tag === ((2 << 3) | 2)) value = readValue(reader, depth + 1);
    else reader.skip(tag);
  }
  reader.leave(outerEnd);
  return [key, value];
}

function readValue(reader: ProtoReader, depth: number): JsonValue {
  let value: JsonValue = null;
  const outerEnd = reader.enter();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 0)) {
      reader.varint32();
      value = null;
    } else if (tag === ((2 << 3) | 1)) value = reader.double();
    else if (tag === ((3 << 3) | 2)) value = reader.string();
    else if (tag === ((4 << 3) | 0)) value = reader.bool();
    else if (tag === ((5 << 3) | 2)) value = readStruct(reader, depth + 1);
    else if (tag === ((6 << 3) | 2)) value = readList(reader, depth + 1);
    else reader.skip(tag);
  }
  reader.leave(outerEnd);
  return value;
}

function readList(reader: ProtoReader, depth: number): JsonValue[] {
  if (depth > MAX_DEPTH) throw reader.malformed('a ListValue nests too deep');
  const list: JsonValue[] = [];
  const outerEnd = reader.enter();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 2)) list.push(readValue(reader, depth + 1));
    else reader.skip(tag);
  }
  reader.leave(outerEnd);
  return list;
}
