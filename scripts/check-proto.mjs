/**
 * Compares proto/ with the full definitions of the same services: every message, field, number, type, enum value and
 * method that we declare must be there with the same meaning.
 *
 *   node scripts/check-proto.mjs DIR             against the .proto files under DIR
 *   node scripts/check-proto.mjs FILE.json       against facts taken from such files earlier
 *   node scripts/check-proto.mjs --extract DIR   prints those facts for what proto/ declares
 *
 * Exits with 1 and one line a difference when they disagree, 2 when nothing could be compared.
 */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const OWN = fileURLToPath(new URL('../proto', import.meta.url));

// protobufjs comes with @grpc/proto-loader; asking from there finds the copy that it uses.
const require = createRequire(import.meta.url);
const protobuf = createRequire(require.resolve('@grpc/proto-loader'))('protobufjs');

/** What newer definitions have and older ones may lack, with the reason. */
const MAY_BE_ABSENT = new Map([
  [
    'envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.is_negative_hits',
    'newer than many published copies of the definitions; number and type are as in Envoy 1.40',
  ],
]);

/** The paths of all .proto files under a directory, relative to it. */
function protoFiles(dir) {
  return readdirSync(dir, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.proto') && statSync(join(dir, path)).isFile())
    .sort();
}

const WELL_KNOWN = ['duration', 'struct', 'wrappers'].map((name) => `google/protobuf/${name}.proto`);

/**
 * Parses just these files and the well-known types. Whatever else they import (annotations, other messages) stays
 * unresolved, which is fine as long as no field that we declare needs it.
 */
function load(dir, files) {
  const root = new protobuf.Root();
  for (const file of WELL_KNOWN) root.addJSON(protobuf.common.get(file).nested);
  const packages = files.map(
    (file) => protobuf.parse(readFileSync(join(dir, file), 'utf8'), root, { keepCase: true }).package,
  );
  return { root, packages: [...new Set(packages)].sort() };
}

const typeName = (field) => {
  field.resolve();
  return field.resolvedType === null ? field.type : field.resolvedType.fullName.slice(1);
};

function factsOfField(owner, field, facts) {
  const label = field.map ? 'map' : field.repeated ? 'repeated' : 'singular';
  facts[`${owner}.${field.name}`] = { kind: 'field', number: field.id, type: typeName(field), label };
}

/** Adds a fact for each field, enum value and method under a namespace. */
function collect(namespace, wanted, facts) {
  for (const object of namespace.nestedArray ?? []) {
    const name = object.fullName.slice(1);
    if (object instanceof protobuf.Type) {
      for (const field of object.fieldsArray) {
        if (wanted(`${name}.${field.name}`)) factsOfField(name, field, facts);
      }
    } else if (object instanceof protobuf.Enum) {
      for (const [value, number] of Object.entries(object.values)) {
        if (wanted(`${name}.${value}`)) facts[`${name}.${value}`] = { kind: 'enum value', number };
      }
    } else if (object instanceof protobuf.Service) {
      for (const method of object.methodsArray) {
        if (!wanted(`${name}.${method.name}`)) continue;
        method.resolve();
        facts[`${name}.${method.name}`] = {
          kind: 'method',
          request: method.resolvedRequestType.fullName.slice(1),
          response: method.resolvedResponseType.fullName.slice(1),
          streams: `${Boolean(method.requestStream)}/${Boolean(method.responseStream)}`,
        };
      }
    }
    if (object.nestedArray !== undefined) collect(object, wanted, facts);
  }
  return facts;
}

const ours = (name) => !name.startsWith('google.protobuf.');

/** The packages that the source defines, and its facts about what we declare. */
function definitionsFrom(source, wanted, files) {
  if (source.endsWith('.json')) return JSON.parse(readFileSync(source, 'utf8'));
  const { root, packages } = load(
    source,
    files.filter((file) => existsSync(join(source, file))),
  );
  return { packages, facts: collect(root, wanted, {}) };
}

/** The differences between our facts and the given ones, and how many agree. Packages not given are passed over. */
function compare(own, given) {
  const differences = [];
  let agreed = 0;
  for (const [name, fact] of Object.entries(own)) {
    if (!given.packages.some((known) => name.startsWith(`${known}.`))) continue;
    const theirs = given.facts[name];
    if (theirs === undefined) {
      if (!MAY_BE_ABSENT.has(name)) differences.push(`${name}: not in the given definitions`);
    } else if (JSON.stringify(theirs) !== JSON.stringify(fact)) {
      differences.push(`${name}: ours is ${JSON.stringify(fact)}, theirs ${JSON.stringify(theirs)}`);
    } else agreed += 1;
  }
  return { differences, agreed };
}

function main(args) {
  const extract = args[0] === '--extract';
  const source = args[extract ? 1 : 0];
  if (source === undefined || !existsSync(source)) {
    console.error('usage: check-proto.mjs [--extract] DIR | FILE.json (a path that exists)');
    return 2;
  }
  const files = protoFiles(OWN);
  const own = collect(load(OWN, files).root, ours, {});
  const given = definitionsFrom(resolve(source), (name) => name in own, files);
  if (extract) {
    console.log(JSON.stringify(given, null, 2));
    return 0;
  }
  const { differences, agreed } = compare(own, given);
  for (const line of differences) console.error(line);
  console.log(`${agreed} of ${Object.keys(own).length} facts of proto/ agree with ${source}`);
  if (differences.length > 0) return 1;
  return agreed === 0 ? 2 : 0;
}

process.exitCode = main(process.argv.slice(2));
