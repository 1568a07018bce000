/** What ports have in common: addresses, certificates, and what they tell. */
import type { FaultLog } from '../telemetry/fault-log';
import type { Settings } from '../config/settings-shape';
import type { TidegateError } from '../core/errors';
import type { Logger } from '../core/ports';
import type { GrpcServerOptions, TlsFiles } from '../transport';

type PortTls = Settings['data']['tls'];
type PortName = 'data' | 'admin' | 'control';

/** Where ports log: what happens now and then, and what anyone can make happen often. */
export interface PortLog {
  readonly logger: Logger;
  readonly faults: FaultLog;
}

/** What a gRPC port is made with. */
export function grpcOptions(
  name: PortName,
  port: { readonly host: string; readonly port: number; readonly tls: PortTls },
  log: PortLog,
): GrpcServerOptions {
  const tls = tlsFiles(port.tls);
  return {
    host: port.host,
    port: port.port,
    ...(tls === undefined ? {} : { tls }),
    ...tlsEvents(name, log),
  };
}

/** A port's certificate; undefined where it has none. */
export function tlsFiles(tls: PortTls): TlsFiles | undefined {
  if (tls.cert === '') return undefined;
  return {
    certFile: tls.cert,
    keyFile: tls.key,
    ...(tls.clientCa === '' ? {} : { clientCaFile: tls.clientCa }),
    ...(tls.clientSan.length === 0 ? {} : { clientSans: tls.clientSan }),
  };
}

/** How a port tells of certificates and of clients that it refuses. */
export function tlsEvents(port: PortName, log: PortLog) {
  return {
    tlsReloaded: (): void => log.logger.info({ port }, 'certificate reloaded'),
    tlsKept: (error: Error): void =>
      log.logger.error({ port, error }, 'certificate not reloaded; the old one stays'),
    clientRefused: (error: TidegateError): void => log.faults.report(error, 'client refused', { port }),
  };
}
