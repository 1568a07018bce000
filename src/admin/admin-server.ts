/** The admin port: fastify over a bounded listener, errors in one form, and headers that keep browsers in check. */
import fastify, { type FastifyInstance } from 'fastify';
import type { Server as HttpsServer } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { TidegateError } from '../core/errors';
import type { BoundAddress, Logger, Server } from '../core/ports';
import { TokenCheck } from './access';
import { addApiRoutes } from './api-routes';
import { addControlRoutes } from './control-routes';
import type { AdminDeps } from './deps';
import { errorBody, fromFastify, httpStatus } from './error-replies';
import { addForecastRoutes } from './forecast-routes';
import { createListener, replaceCertificate, type AdminTls } from './listener';
import { PAGE_POLICY } from './page-style';
import { addReferenceRoutes } from './reference-routes';
import { renderStatusPage } from './status-page';

/** Where and how the admin port serves. */
export interface AdminOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Asked for by calls that change something, see {@link TokenCheck}; without one only who has a client certificate can. */
  readonly token?: string;
  readonly maxBodyBytes: number;
  readonly tls?: AdminTls;
}

/** The admin port. */
export interface AdminServer extends Server {
  /**
   * Shows another certificate to new connections.
   * @throws TidegateError TG_TLS when it cannot be used, and the old one stays; or when the port has no TLS.
   */
  replaceCertificate(material: SecureContextOptions): void;
}

const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/**
 * Creates the admin port, not yet listening.
 * @throws TidegateError TG_TLS when the certificate cannot be used, TG_SETTINGS_INVALID when the token's digest is none.
 */
export function createAdminServer(options: AdminOptions, deps: AdminDeps, logger: Logger): AdminServer {
  const app = fastify({
    logger: false,
    bodyLimit: options.maxBodyBytes,
    serverFactory: (handler) => createListener(handler, options.tls),
    // Such as a path that is not valid percent-encoding: it never reaches the error handler below.
    frameworkErrors: (thrown, _request, reply) => {
      const error = fromFastify(thrown);
      reply.raw.writeHead(httpStatus(error), {
        ...HEADERS,
        'content-type': 'application/json; charset=utf-8',
      });
      reply.raw.end(JSON.stringify(errorBody(error)));
    },
    clientErrorHandler: (_error, socket) => {
      const body = JSON.stringify(
        errorBody(new TidegateError('TG_ADMIN_BAD_REQUEST', 'the request is not HTTP, too long or too slow')),
      );
      const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
      if (socket.writable) socket.end(head + body);
      else socket.destroy();
    },
  });
  takeAnyBody(app);
  answerErrors(app, logger);
  app.addHook('onRequest', async (_request, reply) => {
    void reply.headers(HEADERS);
  });
  addReferenceRoutes(app, deps);
  const token = new TokenCheck(options.token);
  addApiRoutes(app, deps, token);
  addForecastRoutes(app, deps.forecasts, token);
  addControlRoutes(app, deps, token);
  app.get('/', async (request, reply) => {
    const page = await renderStatusPage(deps, request.url.endsWith('?part=state'));
    return reply.type('text/html; charset=utf-8').header('content-security-policy', PAGE_POLICY).send(page);
  });
  return {
    listen: () => listen(app, options),
    close: (graceMs) => close(app, graceMs),
    replaceCertificate(material) {
      if (options.tls === undefined) throw new TidegateError('TG_TLS', 'the admin port does not use TLS');
      replaceCertificate(app.server as unknown as HttpsServer, material);
    },
  };
}

/** Bodies are read as bytes, bounded, whatever their type; routes that take one parse it. */
function takeAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

function answerErrors(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = fromFastify(thrown);
    if (error.code === 'TG_INTERNAL') logger.error({ error, url: request.url }, 'an admin call failed');
    if (error.code === 'TG_ADMIN_UNAUTHORIZED') void reply.header('www-authenticate', 'Bearer');
    return reply.code(httpStatus(error)).send(errorBody(error));
  });
  app.setNotFoundHandler((request) => {
    const path = request.url.split('?', 1)[0] ?? '';
    throw new TidegateError('TG_ADMIN_NOT_FOUND', `there is no ${request.method} ${path.slice(0, 200)}`);
  });
}

async function listen(app: FastifyInstance, { host, port }: AdminOptions): Promise<BoundAddress> {
  try {
    await app.listen({ host, port });
  } catch (thrown) {
    throw new TidegateError('TG_LISTEN', `the admin port cannot listen on ${host}:${port}`, {
      cause: thrown,
      at: { key: 'admin.port' },
    });
  }
  const bound = app.server.address();
  if (bound === null || typeof bound === 'string') return { address: String(bound), port: 0 };
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return { address: `${name}:${bound.port}`, port: bound.port };
}

async function close(app: FastifyInstance, graceMs: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), graceMs);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}
