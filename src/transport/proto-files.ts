/** Where our declarations are: the package's proto/, the same seen from src/ and from dist/. */
import { resolve } from 'node:path';

/** The directory that the paths of {@link SERVICE_FILES} and their imports start from. */
export const PROTO_DIR = resolve(__dirname, '../../proto');

/** The files that declare services. */
export const SERVICE_FILES = ['envoy/service/ratelimit/v3/rls.proto', 'grpc/health/v1/health.proto'] as const;
