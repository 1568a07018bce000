/** The control port: reflection in both versions, health, and nothing of the data port. */
import { Client, credentials, loadPackageDefinition, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { dirname, join } from 'node:path';
import type { BoundAddress, Server } from '../../src/core/ports';
import { createControlServer, HEALTH_CHECK, healthMethods, rateLimitHealth } from '../../src/transport';
import { encodeHealthCheckRequest } from '../../src/wire';
import { RawClient } from './raw-client';

const RATE_LIMITS = 'envoy.service.ratelimit.v3.RateLimitService';
const REFLECTION_PROTOS = join(dirname(require.resolve('@grpc/reflection/package.json')), 'build/proto');

interface ReflectionAnswer {
  listServicesResponse?: { service: { name: string }[] };
  fileDescriptorResponse?: { fileDescriptorProto: Buffer[] };
  errorResponse?: { errorCode: number };
}

describe('the control server', () => {
  let server: Server;
  let address: BoundAddress;
  beforeAll(async () => {
    server = createControlServer({ host: '127.0.0.1', port: 0 }, healthMethods(rateLimitHealth(() => true)));
    address = await server.listen();
  });
  afterAll(() => server.close(0));

  /** Asks the reflection service, all questions on one stream. */
  const reflect = (version: 'v1' | 'v1alpha', questions: object[]): Promise<ReflectionAnswer[]> => {
    const loaded = loadSync(`grpc/reflection/${version}/reflection.proto`, {
      includeDirs: [REFLECTION_PROTOS],
    });
    const method = (
      loadPackageDefinition(loaded) as unknown as Record<
        'grpc',
        { reflection: Record<string, { ServerReflection: { service: Record<string, MethodShape> } }> }
      >
    ).grpc.reflection[version]!.ServerReflection.service['ServerReflectionInfo']!;
    const client = new Client(address.address, credentials.createInsecure());
    const stream = client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
    );
    return new Promise<ReflectionAnswer[]>((resolve, reject) => {
      const answers: ReflectionAnswer[] = [];
      stream.on('data', (answer: ReflectionAnswer) => answers.push(answer));
      stream.on('error', (error: ServiceError) => reject(error));
      stream.on('end', () => resolve(answers));
      for (const question of questions) stream.write(question);
      stream.end();
    }).finally(() => client.close());
  };

  interface MethodShape {
    readonly path: string;
    readonly requestSerialize: (value: object) => Buffer;
    readonly responseDeserialize: (bytes: Buffer) => ReflectionAnswer;
  }

  it.each(['v1', 'v1alpha'] as const)(
    'lists and describes the services by reflection %s',
    async (version) => {
      const [list, file, unknown] = await reflect(version, [
        { listServices: '*' },
        { fileContainingSymbol: RATE_LIMITS },
        { fileContainingSymbol: 'nobody.knows.This' },
      ]);
      expect(list!.listServicesResponse!.service.map(({ name }) => name).sort()).toEqual([
        RATE_LIMITS,
        'grpc.health.v1.Health',
      ]);
      const described = Buffer.concat(file!.fileDescriptorResponse!.fileDescriptorProto).toString('latin1');
      for (const name of [
        'ShouldRateLimit',
        'is_negative_hits',
        'UInt64Value',
        'RateLimitUnit',
        'HeaderValue',
      ]) {
        expect(described).toContain(name);
      }
      expect(unknown!.errorResponse!.errorCode).toBe(5);
    },
  );

  it('answers a thousand questions on one stream', async () => {
    const answers = await reflect(
      'v1',
      Array.from({ length: 1_000 }, () => ({ fileContainingSymbol: RATE_LIMITS })),
    );
    expect(answers).toHaveLength(1_000);
  });

  it('answers health, and does not decide', async () => {
    const client = new RawClient(address);
    try {
      expect(await client.call(HEALTH_CHECK, encodeHealthCheckRequest(''))).toMatchObject({ code: 0 });
      expect(await client.call(HEALTH_CHECK, encodeHealthCheckRequest('x'))).toMatchObject({
        code: 5,
        details: 'TG_HEALTH_UNKNOWN_SERVICE: health is not known for this service',
      });
      expect(await client.call(`/${RATE_LIMITS}/ShouldRateLimit`, Buffer.alloc(0))).toMatchObject({
        code: 12,
      });
      expect(
        await client.call('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', Buffer.alloc(9, 0xff)),
      ).not.toMatchObject({ code: 0 });
      expect(await client.call(HEALTH_CHECK, encodeHealthCheckRequest(''))).toMatchObject({ code: 0 });
    } finally {
      client.close();
    }
  });
});
