/**
 * Accepts connections on a TCP port or a Unix socket, with or without TLS, and hands them on. TLS ends here, so that
 * whatever speaks HTTP/2 behind it is the same with and without; certificates can change while it runs.
 */
import { stat, unlink } from 'node:fs/promises';
import { connect, createServer as createPlainServer, type Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import { TidegateError } from '../core/errors';
import type { BoundAddress } from '../core/ports';
import { carriesSan } from './client-san';
import { loadTlsFiles, type TlsFiles } from './tls-files';
import { pathsOf, signatureOf, TlsWatcher } from './tls-watcher';

/** Where to listen, and how. */
export interface ListenerOptions {
  /** The address to bind; ignored with `socketPath`. */
  readonly host: string;
  /** The port to bind, 0 for any free one; ignored with `socketPath`. */
  readonly port: number;
  /** A Unix socket to listen on instead. One that nobody listens on any more is taken over. */
  readonly socketPath?: string;
  /** Connections at one time; one more is dropped. Default 10,000. */
  readonly maxConnections?: number;
  readonly tls?: TlsFiles;
  /** How often to look whether the files of `tls` changed. Default 1,000 ms. */
  readonly tlsIntervalMs?: number;
  /** The changed certificate files are in use for connections from now on. */
  readonly tlsReloaded?: () => void;
  /** The changed certificate files are no good; the old ones stay in use. */
  readonly tlsKept?: (error: TidegateError) => void;
  /** A client was turned away in the TLS handshake, or for its certificate's names. */
  readonly clientRefused?: (error: TidegateError) => void;
}

const DEFAULT_MAX_CONNECTIONS = 10_000;
const DEFAULT_TLS_INTERVAL_MS = 1_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A peer that vanished without a word is noticed by the kernel's probes after this. */
const TCP_KEEP_ALIVE_MS = 60_000;
const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS };

/** A bound address that hands each accepted connection to `accept`. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #accept: (socket: Socket) => void;
  /** Everything accepted and not yet closed, handshakes included. */
  readonly #sockets = new Set<Socket>();
  #server: NetServer | undefined;
  #watcher: TlsWatcher | undefined;

  constructor(options: ListenerOptions, accept: (socket: Socket) => void) {
    this.#options = options;
    this.#accept = accept;
  }

  /** @throws TidegateError TG_LISTEN when the address cannot be bound, TG_TLS when a certificate file is no good. */
  async listen(): Promise<BoundAddress> {
    const { tls, maxConnections } = this.#options;
    const server = tls === undefined ? this.#plainServer() : await this.#tlsServer(tls);
    server.maxConnections = maxConnections ?? DEFAULT_MAX_CONNECTIONS;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    try {
      await this.#bind(server);
    } catch (error) {
      this.#watcher?.stop();
      throw error;
    }
    this.#server = server;
    return this.#boundAddress(server);
  }

  /** Stops accepting; what was accepted goes on. */
  stop(): void {
    this.#watcher?.stop();
    this.#server?.close();
  }

  /** Cuts every connection that is left. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #plainServer(): NetServer {
    return createPlainServer(SOCKET_OPTIONS, (socket) => this.#hand(socket));
  }

  async #tlsServer(files: TlsFiles): Promise<NetServer> {
    const { tlsIntervalMs, tlsReloaded, tlsKept } = this.#options;
    const signature = await signatureOf(pathsOf(files));
    const material = await loadTlsFiles(files);
    const wantsClient = files.clientCaFile !== undefined;
    const server: TlsServer = createTlsServer(
      {
        ...SOCKET_OPTIONS,
        ...material,
        requestCert: wantsClient,
        rejectUnauthorized: wantsClient,
        ALPNProtocols: ['h2'],
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      },
      (socket) => this.#admit(socket, files.clientSans ?? []),
    );
    server.on('tlsClientError', (cause) => this.#refuse(`the TLS handshake failed: ${cause.message}`, cause));
    this.#watcher = new TlsWatcher(files, signature, tlsIntervalMs ?? DEFAULT_TLS_INTERVAL_MS, {
      changed: (changed) => {
        server.setSecureContext(changed);
        tlsReloaded?.();
      },
      kept: (error) => tlsKept?.(error),
    });
    return server;
  }

  /** Lets a client past TLS when it speaks HTTP/2 and has a name that may call. */
  #admit(socket: TLSSocket, clientSans: readonly string[]): void {
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
      this.#refuse('the client did not choose HTTP/2 (ALPN h2)');
      return;
    }
    if (clientSans.length > 0) {
      const certificate = socket.getPeerX509Certificate();
      if (certificate === undefined || !carriesSan(certificate, clientSans)) {
        socket.destroy();
        this.#refuse('the client certificate carries none of the names that may call');
        return;
      }
    }
    this.#hand(socket);
  }

  #hand(socket: Socket): void {
    // A connection may break at any time; its session notices by the close.
    socket.on('error', () => socket.destroy());
    this.#accept(socket);
  }

  #refuse(reason: string, cause?: unknown): void {
    this.#options.clientRefused?.(
      new TidegateError('TG_TLS_CLIENT', reason, cause === undefined ? {} : { cause }),
    );
  }

  async #bind(server: NetServer): Promise<void> {
    const { host, port, socketPath } = this.#options;
    if (socketPath === undefined) {
      await bindOnce(server, { host: host.replace(/^\[(.*)\]$/, '$1'), port }, `${host}:${port}`);
      return;
    }
    if (await isAbandoned(socketPath)) await unlink(socketPath).catch(() => undefined);
    await bindOnce(server, { path: socketPath }, `unix:${socketPath}`);
  }

  #boundAddress(server: NetServer): BoundAddress {
    const bound = server.address();
    if (bound === null || typeof bound === 'string') {
      return { address: `unix:${this.#options.socketPath ?? ''}`, port: 0 };
    }
    const host = bound.address.includes(':') ? `[${bound.address}]` : bound.address;
    return { address: `${host}:${bound.port}`, port: bound.port };
  }
}

function bindOnce(
  server: NetServer,
  where: { host: string; port: number } | { path: string },
  shown: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new TidegateError('TG_LISTEN', `cannot listen on ${shown} (${cause.code ?? cause.message})`, {
          cause,
        }),
      );
    });
    server.listen(where, () => {
      server.removeAllListeners('error');
      // Failing to accept (too many open files) must not end the process; the next one is tried again.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

/** Whether a Unix socket is there that nobody listens on, as a killed process leaves it. */
async function isAbandoned(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isSocket() !== true) return false;
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
