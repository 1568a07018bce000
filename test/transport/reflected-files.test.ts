/** The descriptors that reflection serves can be put together by a strict client. */
import { loadSync } from '@grpc/proto-loader';
import { createRequire } from 'node:module';
import { PROTO_DIR, SERVICE_FILES } from '../../src/transport/proto-files';
import { completeDescriptors } from '../../src/transport/reflected-files';

interface Message {
  name: string;
  field?: { name: string; typeName?: string }[];
  nestedType?: Message[];
  enumType?: { name: string }[];
}
interface File {
  name: string;
  package: string;
  dependency: string[];
  messageType: Message[];
  enumType?: { name: string }[];
}
const { FileDescriptorProto } = createRequire(require.resolve('@grpc/reflection'))(
  'protobufjs/ext/descriptor',
) as { FileDescriptorProto: { decode(bytes: Uint8Array): File } };

const definitions = completeDescriptors(
  loadSync([...SERVICE_FILES], { includeDirs: [PROTO_DIR], keepCase: true }),
);
const files = new Map<string, File>();
for (const definition of Object.values(definitions)) {
  if (!Array.isArray(definition.fileDescriptorProtos)) continue;
  for (const bytes of definition.fileDescriptorProtos) {
    const file = FileDescriptorProto.decode(bytes);
    files.set(file.name, file);
  }
}

function walk(scope: string, message: Message, seen: (name: string, message: Message) => void): void {
  const own = `${scope}.${message.name}`;
  seen(own, message);
  for (const nested of message.nestedType ?? []) walk(own, nested, seen);
}

const homes = new Map<string, string>();
for (const file of files.values()) {
  for (const { name } of file.enumType ?? []) homes.set(`.${file.package}.${name}`, file.name);
  for (const message of file.messageType) {
    walk(`.${file.package}`, message, (own, { enumType }) => {
      homes.set(own, file.name);
      for (const { name } of enumType ?? []) homes.set(`${own}.${name}`, file.name);
    });
  }
}

describe('the descriptors of our declarations', () => {
  it('name every type in full, and import the file that it is in', () => {
    const references: string[] = [];
    for (const file of files.values()) {
      for (const message of file.messageType) {
        walk(`.${file.package}`, message, (own, { field }) => {
          for (const { name, typeName } of field ?? []) {
            if (!typeName) continue;
            references.push(`${own}.${name}`);
            expect([file.name, ...file.dependency]).toContain(homes.get(typeName));
          }
        });
      }
    }
    expect(references).toEqual(
      expect.arrayContaining([
        '.envoy.service.ratelimit.v3.RateLimitRequest.descriptors',
        '.envoy.service.ratelimit.v3.RateLimitResponse.DescriptorStatus.duration_until_reset',
        '.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.RateLimitOverride.unit',
      ]),
    );
  });

  it('name map entries as protoc does', () => {
    expect(homes.has('.google.protobuf.Struct.FieldsEntry')).toBe(true);
  });

  it('import in no circle', () => {
    const depth = (name: string, above: string[]): void => {
      expect(above).not.toContain(name);
      for (const imported of files.get(name)!.dependency) depth(imported, [...above, name]);
    };
    for (const name of files.keys()) depth(name, []);
  });
});
