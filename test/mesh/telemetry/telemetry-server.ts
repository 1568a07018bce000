/** Telemetry behind a real gRPC server on loopback, with streams as clients open them. */
import { Client, credentials, Server, ServerCredentials, type ClientDuplexStream } from '@grpc/grpc-js';
import type { TrafficTelemetry } from '../../../src/mesh/telemetry/traffic-telemetry';

/** The two methods. */
export const METHODS = {
  logs: '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs',
  loads: '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats',
} as const;

/** A client's stream. */
export interface ClientStream {
  readonly stream: ClientDuplexStream<Uint8Array, Buffer>;
  readonly answers: readonly Buffer[];
  /** The status code that it ended with. */
  readonly ended: Promise<number>;
  readonly details: () => string;
}

/** A running server. */
export interface TelemetryServer {
  readonly port: number;
  open(method: keyof typeof METHODS): ClientStream;
  stop(): void;
}

/** Serves both services on a free port. @param maxBytes The longest message that the server takes. */
export async function startTelemetryServer(
  telemetry: TrafficTelemetry,
  reportIntervalMs = 250,
  maxBytes = 4_194_304,
  atPort = 0,
): Promise<TelemetryServer> {
  const server = new Server({ 'grpc.max_receive_message_length': maxBytes });
  for (const { definition, implementation } of telemetry.grpcServices({
    accessLogs: true,
    loadReports: true,
    reportIntervalMs,
  }))
    server.addService(definition, implementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${atPort}`, ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    );
  });
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const open = (method: keyof typeof METHODS): ClientStream => {
    const stream: ClientDuplexStream<Uint8Array, Buffer> = client.makeBidiStreamRequest(
      METHODS[method],
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Buffer) => bytes,
    );
    const answers: Buffer[] = [];
    let said = '';
    stream.on('data', (bytes: Buffer) => answers.push(bytes));
    stream.on('error', () => {});
    const ended = new Promise<number>((resolve) =>
      stream.on('status', ({ code, details }) => {
        said = details;
        resolve(code);
      }),
    );
    return { stream, answers, ended, details: () => said };
  };
  const stop = (): void => {
    telemetry.close();
    client.close();
    server.forceShutdown();
  };
  return { port, open, stop };
}
