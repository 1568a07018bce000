/**
 * Envoy's full v3 definitions: every message of the discovery services, of the resources and of their extensions. They are
 * read from the proto files that @grpc/grpc-js-xds ships (none of its code is loaded), once, when first asked for.
 * Source: github.com/envoyproxy/envoy, api/envoy; github.com/cncf/xds.
 */
import '@grpc/proto-loader';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import type * as Protobuf from 'protobufjs';
import { TidegateError } from '../core/errors';

/** A message as protobufjs takes and gives it: fields by their proto names, 64-bit numbers as `Long`, bytes as arrays. */
export type PlainMessage = Record<string, unknown>;

/** Every known message type. */
export interface Definitions {
  /** The type of a full name such as `envoy.config.cluster.v3.Cluster`; undefined when there is none. */
  type(fullName: string): Protobuf.Type | undefined;
  /** How many message types are known. */
  readonly size: number;
  /** Deterministic: fields by number, maps in the order of their keys. Throws `TG_MESH_UNKNOWN_TYPE`. */
  encode(fullName: string, message: PlainMessage): Uint8Array;
  /** Throws `TG_MESH_UNKNOWN_TYPE`, and `TG_MESH_BAD_REQUEST` when the bytes are not such a message. */
  decode(fullName: string, bytes: Uint8Array): PlainMessage;
}

/** The prefix that Envoy's type URLs have. */
export const TYPE_URL_PREFIX = 'type.googleapis.com/';

/** Folders of the package, in the order in which an import is looked up. */
const FOLDERS = ['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate'];
/** Folders whose files are loaded whole; the others serve their imports. */
const LOADED = ['envoy-api', 'xds'];

/** Versions before v3, which Envoy does not take any more. */
const OLD = /^envoy\/(?:api\/|.*\/v[12](?:alpha\d*)?\/)/;
/**
 * Files that need definitions which the package lacks (OpenCensus, Prometheus). Envoy has dropped the OpenCensus tracer;
 * the other two are services that receive from Envoy and appear in no resource.
 */
const INCOMPLETE = new Set([
  'envoy/config/trace/v3/opencensus.proto',
  'envoy/service/metrics/v3/metrics_service.proto',
  'envoy/service/trace/v3/trace_service.proto',
]);

/** The part of OpenTelemetry's definitions that Envoy's access logger refers to, which the package lacks too. */
const OPEN_TELEMETRY = `
syntax = "proto3";
package opentelemetry.proto.common.v1;
message AnyValue {
  oneof value {
    string string_value = 1;
    bool bool_value = 2;
    int64 int_value = 3;
    double double_value = 4;
    ArrayValue array_value = 5;
    KeyValueList kvlist_value = 6;
    bytes bytes_value = 7;
  }
}
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
`;

/** The file whose own form below takes the place of what protobufjs brings, which has its fields in lowerCamelCase. */
const STRUCT_FILE = 'google/protobuf/struct.proto';
const STRUCT = `
syntax = "proto3";
package google.protobuf;
message Struct { map<string, Value> fields = 1; }
message Value {
  oneof kind {
    NullValue null_value = 1;
    double number_value = 2;
    string string_value = 3;
    bool bool_value = 4;
    Struct struct_value = 5;
    ListValue list_value = 6;
  }
}
enum NullValue { NULL_VALUE = 0; }
message ListValue { repeated Value values = 1; }
`;

let loaded: Definitions | undefined;

/** The definitions; reading them takes some 250 ms once. Throws `TG_MESH_MISDEFINED` when the files are not to be read. */
export function definitions(): Definitions {
  loaded ??= load();
  return loaded;
}

function load(): Definitions {
  try {
    const folder = join(dirname(require.resolve('@grpc/grpc-js-xds/package.json')), 'deps');
    return new LoadedDefinitions(indexOf(readRoot(folder)));
  } catch (thrown) {
    throw TidegateError.from(thrown, 'TG_MESH_MISDEFINED');
  }
}

function readRoot(folder: string): Protobuf.Root {
  // The copy that proto-loader brings: with it come the definitions of google/protobuf/descriptor.proto.
  const protobuf = createRequire(require.resolve('@grpc/proto-loader'))('protobufjs') as typeof Protobuf;
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => {
    if (INCOMPLETE.has(target)) return null;
    const found = FOLDERS.map((one) => join(folder, one, target)).find((path) => existsSync(path));
    return found ?? null;
  };
  protobuf.parse(OPEN_TELEMETRY, root, { keepCase: true });
  protobuf.parse(STRUCT, root, { keepCase: true });
  root.files.push(STRUCT_FILE);
  return root.loadSync(
    LOADED.flatMap((one) => protoFiles(join(folder, one))),
    { keepCase: true },
  );
}

function protoFiles(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[])
    .map((path) => path.split(sep).join('/'))
    .filter((path) => path.endsWith('.proto') && !OLD.test(path) && !INCOMPLETE.has(path))
    .sort();
}

function indexOf(root: Protobuf.Root): ReadonlyMap<string, Protobuf.Type> {
  const types = new Map<string, Protobuf.Type>();
  const visit = (node: Protobuf.ReflectionObject): void => {
    if ('fieldsArray' in node) types.set(node.fullName.slice(1), node as Protobuf.Type);
    for (const child of (node as Protobuf.NamespaceBase).nestedArray ?? []) visit(child);
  };
  visit(root);
  return types;
}

class LoadedDefinitions implements Definitions {
  readonly #types: ReadonlyMap<string, Protobuf.Type>;

  constructor(types: ReadonlyMap<string, Protobuf.Type>) {
    this.#types = types;
  }

  get size(): number {
    return this.#types.size;
  }

  type(fullName: string): Protobuf.Type | undefined {
    return this.#types.get(fullName);
  }

  encode(fullName: string, message: PlainMessage): Uint8Array {
    return this.#known(fullName).encode(message).finish();
  }

  decode(fullName: string, bytes: Uint8Array): PlainMessage {
    const type = this.#known(fullName);
    try {
      return type.decode(bytes) as unknown as PlainMessage;
    } catch (thrown) {
      throw new TidegateError('TG_MESH_BAD_REQUEST', `not a ${fullName}`, { cause: thrown });
    }
  }

  #known(fullName: string): Protobuf.Type {
    const type = this.#types.get(fullName);
    if (type === undefined) throw new TidegateError('TG_MESH_UNKNOWN_TYPE', `${fullName} is not known`);
    return type;
  }
}
