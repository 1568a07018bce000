/** The data port and the admin port by the settings. */
import type { X509Certificate } from 'node:crypto';
import { createAdminServer, type AdminServer } from '../admin/admin-server';
import type { AdminDeps } from '../admin/deps';
import type { Settings } from '../config/settings-shape';
import type { TidegateError } from '../core/errors';
import type { Server, UnaryMethods } from '../core/ports';
import { createFastDataServer, createGrpcDataServer, type TlsFiles } from '../transport';
import { carriesSan } from '../transport/client-san';
import { loadTlsFiles } from '../transport/tls-files';
import { pathsOf, signatureOf, TlsWatcher } from '../transport/tls-watcher';
import { grpcOptions, tlsEvents, tlsFiles, type PortLog } from './port-options';
import { systemClock } from './system-clock';

const TLS_INTERVAL_MS = 1_000;

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
  return createFastDataServer(
    { ...options, readsTraces: settings.tracing.enabled, faulted, turns: systemClock },
    methods,
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
