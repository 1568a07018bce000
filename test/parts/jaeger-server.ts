/** A server that speaks as much of Jaeger's query API as is asked of it: traces in Jaeger's own JSON. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span of a service. */
export interface GivenSpan {
  readonly service: string;
  /** When it ended, Unix ms. */
  readonly endMs: number;
  readonly durationMs: number;
  readonly tags?: readonly { readonly key: string; readonly value: unknown }[];
}

/** A running server. */
export interface JaegerServer {
  readonly url: string;
  /** What was asked since the start. */
  readonly asked: { readonly url: URL; readonly authorization: string | undefined }[];
  /** What answers; by default the traces of `give`. */
  answer: (response: ServerResponse, asked: URL) => void;
  /** Each list is a trace. */
  give(...traces: readonly (readonly GivenSpan[])[]): void;
  stop(): Promise<void>;
}

/** The tags of a server's span. */
export const SERVER_TAGS = [{ key: 'span.kind', type: 'string', value: 'server' }] as const;

/** Traces as Jaeger's pages get them. */
export function jaegerJson(traces: readonly (readonly GivenSpan[])[]): string {
  return JSON.stringify({
    data: traces.map((spans, trace) => {
      const services = [...new Set(spans.map(({ service }) => service))];
      return {
        traceID: `t${trace}`,
        spans: spans.map(({ service, endMs, durationMs, tags = SERVER_TAGS }, index) => ({
          traceID: `t${trace}`,
          spanID: `s${index}`,
          operationName: 'GET /',
          references: [],
          startTime: Math.round((endMs - durationMs) * 1_000),
          duration: Math.round(durationMs * 1_000),
          tags,
          logs: [],
          processID: `p${services.indexOf(service)}`,
          warnings: null,
        })),
        processes: Object.fromEntries(
          services.map((serviceName, index) => [`p${index}`, { serviceName, tags: [] }]),
        ),
        warnings: null,
      };
    }),
    total: 0,
    limit: 0,
    offset: 0,
    errors: null,
  });
}

/** Starts a server on a free loopback port. */
export async function startJaegerServer(): Promise<JaegerServer> {
  let body = jaegerJson([]);
  const asked: JaegerServer['asked'] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://jaeger');
    asked.push({ url, authorization: request.headers.authorization });
    running.answer(response, url);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const running: JaegerServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer: (response) => response.setHeader('content-type', 'application/json').end(body),
    give: (...traces) => (body = jaegerJson(traces)),
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return running;
}
