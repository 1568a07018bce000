/** What a caller is told of an error. */
import { formatPosition, type TidegateError } from '../../core/errors';

/** A caller's error message is no longer than this. */
const MAX_MESSAGE_CHARS = 1_024;
const UNKNOWN = 2;
const MAX_STATUS = 16;

/**
 * An error's gRPC status, and `CODE: where: what`. Of a fault of our own a caller is told the code only, since nobody
 * wrote that text for a caller.
 */
export function callStatus(error: TidegateError): { code: number; details: string } {
  const text =
    error.code === 'TG_INTERNAL'
      ? 'an internal error, see the log'
      : formatPosition(error.at) + error.message;
  const { grpcStatus } = error;
  const known = Number.isInteger(grpcStatus) && grpcStatus >= 0 && grpcStatus <= MAX_STATUS;
  return { code: known ? grpcStatus : UNKNOWN, details: printable(`${error.code}: ${text}`) };
}

/** The text without control characters and halves of characters, which grpc-message cannot carry, and not too long. */
function printable(text: string): string {
  return text
    .slice(0, MAX_MESSAGE_CHARS)
    .replace(/\p{Cc}/gu, ' ')
    .replace(/\p{Cs}/gu, '\ufffd');
}
