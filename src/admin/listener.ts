/** The admin port's HTTP or HTTPS listener: bounds on what a peer can hold, and certificates that can be replaced. */
import type { X509Certificate } from 'node:crypto';
import { createServer, type RequestListener, type Server as HttpServer } from 'node:http';
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { TidegateError } from '../core/errors';

/** TLS of the admin port. */
export interface AdminTls {
  /** Certificate, key and, to demand a client certificate (mTLS), the `ca` it must come from. */
  readonly material: SecureContextOptions;
  /** Turns away clients by their certificate; asked only when one is demanded. Absent: any of the CA may call. */
  readonly acceptsClient?: (certificate: X509Certificate) => boolean;
}

const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 16_384;
const MAX_CONNECTIONS = 1_024;
const MIN_TLS = 'TLSv1.2';

/**
 * Creates the listener, not yet listening.
 * @throws TidegateError TG_TLS when the certificate, key or CA cannot be used.
 */
export function createListener(handler: RequestListener, tls: AdminTls | undefined): HttpServer {
  const server =
    tls === undefined ? createServer({ maxHeaderSize: MAX_HEADER_BYTES }, handler) : tlsServer(handler, tls);
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

/**
 * Makes new connections use another certificate; connections that are open keep theirs.
 * @throws TidegateError TG_TLS when it cannot be used; the old one stays.
 */
export function replaceCertificate(server: HttpsServer, material: SecureContextOptions): void {
  server.setSecureContext(checked(material));
}

function tlsServer(handler: RequestListener, { material, acceptsClient }: AdminTls): HttpServer {
  const demandsCertificate = material.ca !== undefined;
  const server = createTlsServer(
    {
      ...checked(material),
      maxHeaderSize: MAX_HEADER_BYTES,
      handshakeTimeout: REQUEST_TIMEOUT_MS,
      requestCert: demandsCertificate,
      rejectUnauthorized: demandsCertificate,
    },
    handler,
  );
  if (demandsCertificate && acceptsClient !== undefined) {
    server.on('secureConnection', (socket) => {
      const certificate = socket.getPeerX509Certificate();
      if (certificate === undefined || !acceptsClient(certificate)) socket.destroy();
    });
  }
  return server;
}

function checked(material: SecureContextOptions): SecureContextOptions {
  const options: SecureContextOptions = { minVersion: MIN_TLS, ...material };
  try {
    createSecureContext(options);
    return options;
  } catch (thrown) {
    throw TidegateError.from(thrown, 'TG_TLS');
  }
}
