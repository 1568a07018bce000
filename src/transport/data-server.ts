/** The data port on grpc-js: unary methods only. */
import type { Server, UnaryMethods } from '../core/ports';
import { GrpcHost, type GrpcServerOptions } from './grpc-host';
import { unaryService } from './unary-service';

/** Makes the server of the data port; nothing is bound until it listens. */
export function createGrpcDataServer(options: GrpcServerOptions, methods: UnaryMethods): Server {
  return new GrpcHost(options, (server) => {
    const { definition, implementation } = unaryService(methods);
    server.addService(definition, implementation);
  });
}
