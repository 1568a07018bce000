/** An admin port to ask, over a real socket. */
import { connect } from 'node:net';
import { createAdminServer, type AdminOptions, type AdminServer } from '../../src/admin/admin-server';
import type { AdminDeps } from '../../src/admin/deps';
import type { Logger } from '../../src/core/ports';
import { fakeDeps } from './fake-deps';

/** A body of /json. */
export const decided = JSON.stringify({ domain: 'edge', descriptors: [] });

export const logged: string[] = [];
export const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (_fields, message) => void logged.push(message),
};

const running: AdminServer[] = [];
/** Closes every server that was started and is still open. */
export async function closeAll(graceMs = 100): Promise<void> {
  for (const server of running.splice(0)) await server.close(graceMs);
}

export async function serve(deps: Partial<AdminDeps> = {}, options: Partial<AdminOptions> = {}) {
  const server = createAdminServer(
    { host: '127.0.0.1', port: 0, maxBodyBytes: 4_096, token: 'right', ...options },
    fakeDeps(deps),
    logger,
  );
  const { port } = await server.listen();
  running.push(server);
  const ask = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);
  const text = async (path: string) => (await ask(path)).text();
  const json = async (path: string) => (await (await ask(path)).json()) as Record<string, unknown>;
  return { server, port, ask, text, json };
}

/** Sends bytes and reads everything until the server closes. */
export function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(5_000, () => reject(new Error(`no end after: ${text}`)));
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      socket.setTimeout(0);
      resolve(text);
    });
  });
}
