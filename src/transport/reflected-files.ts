/**
 * Makes the descriptors of our declarations complete, for reflection. What @grpc/proto-loader hands out leaves out which
 * file imports which, shortens type names by rules of its own, and names map entries otherwise than protoc does; clients
 * such as grpcurl take none of that (grpc/grpc-node issue 2595).
 * Source: google/protobuf/descriptor.proto.
 */
import { createRequire } from 'node:module';
import type { PackageDefinition } from '@grpc/proto-loader';

interface FieldDescriptor {
  name: string;
  typeName?: string;
}
interface MessageDescriptor {
  name: string;
  field?: FieldDescriptor[];
  nestedType?: MessageDescriptor[];
  enumType?: { name: string }[];
  options?: { mapEntry?: boolean } | null;
}
interface FileDescriptor {
  name: string;
  package: string;
  dependency: string[];
  messageType?: MessageDescriptor[];
  enumType?: { name: string }[];
  service?: { method?: { inputType: string; outputType: string }[] }[];
}
interface FileCodec {
  decode(bytes: Uint8Array): FileDescriptor;
  encode(file: FileDescriptor): { finish(): Uint8Array };
}

// The reflection service decodes descriptors with this very codec; asking from there finds the same copy.
const { FileDescriptorProto } = createRequire(require.resolve('@grpc/reflection'))(
  'protobufjs/ext/descriptor',
) as { FileDescriptorProto: FileCodec };

/** The same definitions with complete descriptors. */
export function completeDescriptors(definitions: PackageDefinition): PackageDefinition {
  const files = new Map<string, FileDescriptor>();
  for (const definition of Object.values(definitions)) {
    if (!Array.isArray(definition.fileDescriptorProtos)) continue;
    for (const bytes of definition.fileDescriptorProtos) {
      const file = FileDescriptorProto.decode(bytes);
      if (!files.has(file.name)) files.set(file.name, file);
    }
  }
  const homes = new Map<string, string>();
  for (const file of files.values()) {
    for (const name of namesIn(file)) homes.set(name, file.name);
  }
  for (const file of files.values()) complete(file, homes);
  const encoded = [...files.values()].map((file) => Buffer.from(FileDescriptorProto.encode(file).finish()));
  return Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [
      name,
      Array.isArray(definition.fileDescriptorProtos)
        ? { ...definition, fileDescriptorProtos: encoded }
        : definition,
    ]),
  ) as PackageDefinition;
}

/** The full names of all messages and enums of a file. */
function namesIn(file: FileDescriptor): string[] {
  const names = (file.enumType ?? []).map(({ name }) => `${file.package}.${name}`);
  const visit = (scope: string, message: MessageDescriptor): void => {
    const own = `${scope}.${message.name}`;
    names.push(own, ...(message.enumType ?? []).map(({ name }) => `${own}.${name}`));
    for (const nested of message.nestedType ?? []) visit(own, nested);
  };
  for (const message of file.messageType ?? []) visit(file.package, message);
  return names;
}

function complete(file: FileDescriptor, homes: ReadonlyMap<string, string>): void {
  const imports = new Set<string>();
  const resolve = (reference: string, scope: string): string => {
    const name = lookUp(reference, scope, homes);
    const home = homes.get(name);
    if (home !== undefined && home !== file.name) imports.add(home);
    return name;
  };
  const visit = (scope: string, message: MessageDescriptor): void => {
    const own = `${scope}.${message.name}`;
    for (const field of message.field ?? []) {
      if (field.typeName) field.typeName = `.${resolve(field.typeName, own)}`;
    }
    for (const nested of message.nestedType ?? []) visit(own, nested);
    nameMapEntries(message, own);
  };
  for (const message of file.messageType ?? []) visit(file.package, message);
  for (const method of (file.service ?? []).flatMap((service) => service.method ?? [])) {
    method.inputType = `.${resolve(method.inputType, file.package)}`;
    method.outputType = `.${resolve(method.outputType, file.package)}`;
  }
  file.dependency = [...imports].sort();
}

/** Finds what a name means: looked for in its scope, then in each one around it. */
function lookUp(reference: string, scope: string, homes: ReadonlyMap<string, string>): string {
  if (reference.startsWith('.')) return reference.slice(1);
  for (let around = scope; around !== ''; around = around.slice(0, Math.max(0, around.lastIndexOf('.')))) {
    if (homes.has(`${around}.${reference}`)) return `${around}.${reference}`;
  }
  return reference;
}

/** A map field `some_field` has its entries in a nested message that must be called `SomeFieldEntry`. */
function nameMapEntries(message: MessageDescriptor, own: string): void {
  for (const nested of message.nestedType ?? []) {
    if (nested.options?.mapEntry !== true) continue;
    const field = message.field?.find(({ typeName }) => typeName === `.${own}.${nested.name}`);
    if (field === undefined) continue;
    nested.name = `${field.name.replace(/(?:^|_)([a-z])/g, (_all, letter: string) => letter.toUpperCase())}Entry`;
    field.typeName = `.${own}.${nested.name}`;
  }
}
