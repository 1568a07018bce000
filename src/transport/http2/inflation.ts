/** Decompresses messages, off the event loop and within a bound. */
import { gunzip, inflate, type InputType, type ZlibOptions } from 'node:zlib';
import { Encoding } from './field-kind';

type Inflate = (
  bytes: InputType,
  options: ZlibOptions,
  done: (error: Error | null, result: Buffer) => void,
) => void;

/**
 * Decompresses a message of `grpc-encoding` gzip or deflate.
 * @returns undefined when it is longer than `maxBytes`. Rejects when it is not of that encoding.
 */
export function inflated(encoding: number, bytes: Uint8Array, maxBytes: number): Promise<Buffer | undefined> {
  const decompress: Inflate = encoding === Encoding.GZIP ? gunzip : inflate;
  return new Promise((resolve, reject) => {
    decompress(bytes, { maxOutputLength: maxBytes }, (error, result) => {
      if (error === null) resolve(result);
      else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') resolve(undefined);
      else reject(error);
    });
  });
}
