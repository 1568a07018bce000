/**
 * The control port: gRPC server reflection (v1 and v1alpha) of the services in proto/, and unary methods such as health.
 */
import type {
  Server as GrpcServer,
  ServerDuplexStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import type { Server, UnaryMethods } from '../core/ports';
import { GrpcHost, type GrpcServerOptions } from './grpc-host';
import { PROTO_DIR, SERVICE_FILES } from './proto-files';
import { completeDescriptors } from './reflected-files';
import { unaryService } from './unary-service';

type ReflectionStream = ServerDuplexStream<unknown, unknown>;

/** A service as the library takes it. */
export interface GrpcService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

/** Makes the server of the control port; nothing is bound until it listens. @param services more than unary methods. */
export function createControlServer(
  options: GrpcServerOptions,
  methods: UnaryMethods,
  services: readonly GrpcService[] = [],
): Server {
  return new GrpcHost(options, (server) => {
    addReflection(server);
    for (const { definition, implementation } of services) server.addService(definition, implementation);
    const { definition, implementation } = unaryService(methods);
    if (methods.size > 0) server.addService(definition, implementation);
  });
}

function addReflection(server: GrpcServer): void {
  const declarations = loadSync([...SERVICE_FILES], {
    includeDirs: [PROTO_DIR],
    keepCase: true,
    enums: String,
    longs: String,
  });
  new ReflectionService(completeDescriptors(declarations)).addToServer({
    addService: (definition: ServiceDefinition, implementation: UntypedServiceImplementation) => {
      const serve = implementation['ServerReflectionInfo'] as (stream: ReflectionStream) => void;
      server.addService(definition, {
        ServerReflectionInfo: (stream: ReflectionStream) => {
          answerAsRead(stream);
          serve(stream);
        },
      });
    },
  });
}

/** The reflection service writes without looking: reading waits here while the caller does not take its answers. */
function answerAsRead(stream: ReflectionStream): void {
  const write = stream.write.bind(stream) as (message: unknown) => boolean;
  stream.write = (message: unknown): boolean => {
    const room = write(message);
    if (!room) {
      stream.pause();
      stream.once('drain', () => stream.resume());
    }
    return room;
  };
  stream.on('error', () => stream.destroy());
}
