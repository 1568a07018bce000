/** A gRPC client that sends and receives bytes. */
import { Client, credentials, Metadata, type ChannelCredentials, type ClientOptions } from '@grpc/grpc-js';
import type { BoundAddress } from '../../src/core/ports';

/** How a call ended: gRPC's status and message, and the answer when there is one. */
export interface Ended {
  readonly code: number;
  readonly details: string;
  readonly answer: Uint8Array | undefined;
}

export interface CallOptions {
  readonly deadlineMs?: number;
  readonly metadata?: Record<string, string>;
}

/** One channel to a server. Calls never reject. */
export class RawClient {
  readonly #client: Client;

  constructor(
    address: string | BoundAddress,
    channel: ChannelCredentials = credentials.createInsecure(),
    options: ClientOptions = {},
  ) {
    this.#client = new Client(typeof address === 'string' ? address : address.address, channel, {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_channelz': 0,
      'grpc.enable_retries': 0,
      ...options,
    });
  }

  call(path: string, message: Uint8Array, options: CallOptions = {}): Promise<Ended> {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(options.metadata ?? {})) metadata.set(key, value);
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        path,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer) => bytes,
        message,
        metadata,
        { deadline: Date.now() + (options.deadlineMs ?? 10_000) },
        (error, answer) =>
          resolve(
            error === null
              ? { code: 0, details: '', answer }
              : { code: error.code, details: error.details, answer: undefined },
          ),
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** Waits for a condition, looking every few milliseconds. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 15_000,
): Promise<void> {
  const giveUpMs = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > giveUpMs) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
