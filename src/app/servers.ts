/** The three ports by the settings. */
import type { X509Certificate } from 'node:crypto';
import { createAdminServer, type AdminServer } from '../admin/admin-server';
import type { AdminDeps } from '../admin/deps';
import type { Discovery } from './mesh/discovery';
import type { FaultLog } from '../telemetry/fault-log';
import type { Settings } from '../config/settings-shape';
import type { TidegateError } from '../core/errors';
import type { Logger, Server, UnaryMethods } from '../core/ports';
import {
  createControlServer,
  createFastDataServer,
  createGrpcDataServer,
  type GrpcServerOptions,
  type TlsFiles,
} from '../transport';
import { carriesSan } from '../transport/client-san';
import { loadTlsFiles } from '../transport/tls-files';
import { pathsOf, signatureOf, TlsWatcher } from '../transport/tls-watcher';

type PortTls = Settings['data']['tls'];
type PortName = 'data' | 'admin' | 'control';

const TLS_INTERVAL_MS = 1_000;

/** Where ports log: what happens now and then, and what anyone can make happen often. */
export interface PortLog {
  readonly logger: Logger;
  readonly faults: FaultLog;
}

/** The data port. */
export function dataServer(settings: Settings, methods: UnaryMethods, log: PortLog): Server {
  const { data } = settings;
  const options = {
    ...grpcOptions('data', data, log),
    ...(data.uds === '' ? {} : { socketPath: data.uds }),
    maxMessageBytes: data.maxMessageBytes,
    maxConcurrentStreams: data.maxConcurrentStreams,
    maxConnectionAgeMs: data.maxConnectionAgeMs,
    maxConnectionAgeGraceMs: data.maxConnectionAgeGraceMs,
  };
  if (data.transport === 'grpc-js') return createGrpcDataServer(options, methods);
  const faulted = (error: TidegateError): void =>
    log.faults.report(error, 'connection ended', { port: 'data' });
  return createFastDataServer({ ...options, readsTraces: settings.tracing.enabled, faulted }, methods);
}

/** The control port. */
export function controlServer(
  settings: Settings,
  methods: UnaryMethods,
  discovery: Discovery,
  log: PortLog,
): Server {
  return createControlServer(
    grpcOptions('control', settings.control, log),
    methods,
    discovery.grpcServices(),
  );
}

/** The admin port, with its certificate kept up to date. Rejects with TG_TLS when the certificate cannot be used. */
export async function adminServer(settings: Settings, deps: AdminDeps, log: PortLog): Promise<Server> {
  const { host, port, token, maxBodyBytes, tls } = settings.admin;
  const files = tlsFiles(tls);
  const options = { host, port, maxBodyBytes, ...(token === '' ? {} : { token }) };
  if (files === undefined) return createAdminServer(options, deps, log.logger);
  const signature = await signatureOf(pathsOf(files));
  const material = await loadTlsFiles(files);
  const names = tls.clientSan;
  const acceptsClient = (certificate: X509Certificate): boolean =>
    names.length === 0 || carriesSan(certificate, names);
  const server = createAdminServer({ ...options, tls: { material, acceptsClient } }, deps, log.logger);
  return withCertificateWatch(server, files, signature, log);
}

function withCertificateWatch(server: AdminServer, files: TlsFiles, signature: string, log: PortLog): Server {
  const events = tlsEvents('admin', log);
  const watcher = new TlsWatcher(files, signature, TLS_INTERVAL_MS, {
    changed: (changed) => {
      server.replaceCertificate(changed);
      events.tlsReloaded();
    },
    kept: events.tlsKept,
  });
  return {
    listen: () => server.listen(),
    close: (graceMs) => {
      watcher.stop();
      return server.close(graceMs);
    },
  };
}

function grpcOptions(
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

function tlsFiles(tls: PortTls): TlsFiles | undefined {
  if (tls.cert === '') return undefined;
  return {
    certFile: tls.cert,
    keyFile: tls.key,
    ...(tls.clientCa === '' ? {} : { clientCaFile: tls.clientCa }),
    ...(tls.clientSan.length === 0 ? {} : { clientSans: tls.clientSan }),
  };
}

function tlsEvents(port: PortName, log: PortLog) {
  return {
    tlsReloaded: (): void => log.logger.info({ port }, 'certificate reloaded'),
    tlsKept: (error: Error): void =>
      log.logger.error({ port, error }, 'certificate not reloaded; the old one stays'),
    clientRefused: (error: TidegateError): void => log.faults.report(error, 'client refused', { port }),
  };
}
