/**
 * Decompresses messages off the event loop, few at a time and each within a bound: what waits holds no more than its
 * compressed bytes.
 */
import { gunzip, inflate, type InputType, type ZlibOptions } from 'node:zlib';
import { Encoding } from './field-kind';

type Inflate = (
  bytes: InputType,
  options: ZlibOptions,
  done: (error: Error | null, result: Buffer) => void,
) => void;

/** As many as the runtime has threads for. */
const AT_ONCE = 4;

/** One server's decompression. */
export class Inflater {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly maxBytes: number) {}

  /**
   * Decompresses a message of `grpc-encoding` gzip or deflate.
   * @returns undefined when it is longer than allowed. Rejects when it is not of that encoding.
   */
  async inflate(encoding: number, bytes: Uint8Array): Promise<Buffer | undefined> {
    if (this.running >= AT_ONCE) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.running += 1;
    try {
      return await inflated(encoding, bytes, this.maxBytes);
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running -= 1;
      else next();
    }
  }
}

function inflated(encoding: number, bytes: Uint8Array, maxBytes: number): Promise<Buffer | undefined> {
  const decompress: Inflate = encoding === Encoding.GZIP ? gunzip : inflate;
  return new Promise((resolve, reject) => {
    decompress(bytes, { maxOutputLength: maxBytes }, (error, result) => {
      if (error === null) resolve(result);
      else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') resolve(undefined);
      else reject(error);
    });
  });
}
