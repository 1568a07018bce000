/** A client of the data port for tests: our codec over grpc-js. */
import { Client, credentials, Metadata, type ClientOptions, type ServiceError } from '@grpc/grpc-js';
import type { RlsRequest, RlsResponse } from '../../src/core/rls';
import {
  decodeHealthCheckResponse,
  decodeRateLimitResponse,
  encodeHealthCheckRequest,
  encodeRateLimitRequest,
} from '../../src/wire';
import { SHOULD_RATE_LIMIT } from '../../src/app/rls-handler';

const asIs = (bytes: Buffer): Buffer => bytes;

/** Calls one data port. */
export class RlsClient {
  private readonly client: Client;

  constructor(address: string, creds = credentials.createInsecure(), options: ClientOptions = {}) {
    this.client = new Client(address, creds, options);
  }

  /** A call with the status of its failure as the rejection. */
  call(path: string, message: Uint8Array, timeoutMs = 5_000): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        path,
        asIs,
        asIs,
        Buffer.from(message),
        new Metadata(),
        { deadline: Date.now() + timeoutMs },
        (error: ServiceError | null, reply?: Buffer) => {
          if (error !== null || reply === undefined) reject(error ?? new Error('no reply'));
          else resolve(reply);
        },
      );
    });
  }

  async decide(request: RlsRequest): Promise<RlsResponse> {
    return decodeRateLimitResponse(await this.call(SHOULD_RATE_LIMIT, encodeRateLimitRequest(request)));
  }

  async health(service: string): Promise<number> {
    return decodeHealthCheckResponse(
      await this.call('/grpc.health.v1.Health/Check', encodeHealthCheckRequest(service)),
    );
  }

  close(): void {
    this.client.close();
  }
}

/** A request with one descriptor. */
export function oneDescriptor(domain: string, entries: Readonly<Record<string, string>>): RlsRequest {
  const list = Object.entries(entries).map(([key, value]) => ({ key, value }));
  return { domain, descriptors: [{ entries: list, negativeHits: false }], hitsAddend: 0 };
}
