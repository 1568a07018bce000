/** Answers that come without a handler: what is wrong with the request, in HTTP or in gRPC. */
import { type Field, GRPC_HEAD, httpHead } from './answer-writer';

/** gRPC status numbers. Source: https://grpc.github.io/grpc/core/md_doc_statuscodes.html. */
export const GrpcStatus = {
  UNKNOWN: 2,
  DEADLINE_EXCEEDED: 4,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
} as const;

/** A whole answer: one header block, and maybe a body. */
export interface Refusal {
  readonly fields: readonly Field[];
  readonly body?: Buffer;
}

/** The header block of a gRPC error: all of the answer ("Trailers-Only"). */
export function grpcError(code: number, message: string, more: readonly Field[] = []): Refusal {
  const fields: Field[] = [...GRPC_HEAD, ['grpc-status', String(code)]];
  if (message !== '') fields.push(['grpc-message', percentEncode(message)]);
  return { fields: [...fields, ...more] };
}

/**
 * A message as `grpc-message` carries it: bytes of its UTF-8 other than printable ASCII, and percent signs, as %XX;
 * also spaces at its ends, which no field may have there. Source: gRPC over HTTP/2, "Responses"; RFC 9113, 8.2.1.
 */
export function percentEncode(message: string): string {
  const bytes = Buffer.from(message, 'utf8');
  let encoded = '';
  bytes.forEach((byte, index) => {
    const outermost = index === 0 || index === bytes.length - 1;
    const kept = byte > 0x20 ? byte <= 0x7e && byte !== 0x25 : byte === 0x20 && !outermost;
    encoded += kept ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return encoded;
}

const ACCEPT_ENCODING: Field = ['grpc-accept-encoding', 'identity,deflate,gzip'];

/** Every refusal whose text does not depend on the request. */
export const REFUSALS = {
  notFound: {
    fields: httpHead(404, 'text/plain'),
    body: Buffer.from('This port answers gRPC calls only.\n'),
  },
  notFoundHead: { fields: httpHead(404, 'text/plain') },
  badMethod: { fields: httpHead(405) },
  notGrpc: { fields: httpHead(415) },
  headersTooLarge: grpcError(GrpcStatus.RESOURCE_EXHAUSTED, 'the headers are larger than allowed'),
  badTimeout: grpcError(GrpcStatus.INTERNAL, 'the grpc-timeout cannot be read'),
  unknownMethod: grpcError(GrpcStatus.UNIMPLEMENTED, 'the server does not implement this method'),
  unknownEncoding: grpcError(
    GrpcStatus.UNIMPLEMENTED,
    'the message is compressed with an encoding that is not supported',
    [ACCEPT_ENCODING],
  ),
  noMessage: grpcError(GrpcStatus.UNIMPLEMENTED, 'a unary call needs one message, and there was none'),
  twoMessages: grpcError(GrpcStatus.UNIMPLEMENTED, 'a unary call takes one message, and there was more'),
  cutMessage: grpcError(GrpcStatus.INTERNAL, 'the message ended before its length'),
  badFlag: grpcError(GrpcStatus.INTERNAL, 'the compressed flag of the message is neither 0 nor 1'),
  compressedIdentity: grpcError(
    GrpcStatus.INTERNAL,
    'the message is compressed, but no grpc-encoding says how',
  ),
  badCompression: grpcError(GrpcStatus.INTERNAL, 'the message cannot be decompressed'),
  tooManyPartial: grpcError(GrpcStatus.RESOURCE_EXHAUSTED, 'too many messages are on their way at once'),
  deadlineExceeded: grpcError(GrpcStatus.DEADLINE_EXCEEDED, 'Deadline exceeded'),
} as const satisfies Record<string, Refusal>;

/** The message is longer than allowed. */
export const messageTooLarge = (maxBytes: number): Refusal =>
  grpcError(GrpcStatus.RESOURCE_EXHAUSTED, `the message is larger than the ${maxBytes} bytes allowed`);
