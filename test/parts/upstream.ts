/** A small service to stand behind Envoy: answers every request, with 200 unless told otherwise, and counts it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A listening upstream. */
export interface Upstream {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** How many requests reached it since it started. */
  readonly seen: number;
  /** What it answers. */
  status: number;
  stop(): Promise<void>;
}

/** Starts an upstream on a free loopback port. */
export async function startUpstream(): Promise<Upstream> {
  let seen = 0;
  let status = 200;
  const server = createServer((_request, response) => {
    seen += 1;
    response.statusCode = status;
    response.end('hello from the upstream\n');
  });
  // Else an idle connection may end just as Envoy sends on it, and that call fails.
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get seen() {
      return seen;
    },
    get status() {
      return status;
    },
    set status(next) {
      status = next;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
