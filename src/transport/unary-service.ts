/** Puts our unary handlers, bytes in and bytes out, behind grpc-js. */
import {
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { formatPosition, TidegateError } from '../core/errors';
import type { CallContext, UnaryHandler, UnaryMethods } from '../core/ports';

/** A caller's error message is no longer than this. */
const MAX_MESSAGE_CHARS = 1_024;

type Call = ServerUnaryCall<Buffer, Uint8Array>;
type Reply = sendUnaryData<Uint8Array>;

/** A service definition for grpc-js that leaves messages as bytes, and its implementation. */
export function unaryService(methods: UnaryMethods): {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
} {
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const [path, handler] of methods) {
    definition[path] = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: asBuffer,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: asBuffer,
      responseDeserialize: (bytes: Buffer) => bytes,
    };
    implementation[path] = (call: Call, reply: Reply) => answer(handler, call, reply);
  }
  return { definition, implementation };
}

function answer(handler: UnaryHandler, call: Call, reply: Reply): void {
  const failed = (thrown: unknown): void => reply(callStatus(TidegateError.from(thrown)));
  try {
    const result = handler(call.request, contextOf(call));
    if (result instanceof Promise) result.then((bytes) => reply(null, bytes), failed);
    else reply(null, result);
  } catch (thrown) {
    failed(thrown);
  }
}

function contextOf(call: Call): CallContext {
  const deadline = call.getDeadline();
  const deadlineMs = typeof deadline === 'number' ? deadline : deadline.getTime();
  const timeoutMs = deadlineMs === Infinity ? Infinity : Math.max(0, deadlineMs - Date.now());
  const traceparent = call.metadata.get('traceparent')[0];
  return typeof traceparent === 'string' ? { timeoutMs, traceparent } : { timeoutMs };
}

/**
 * What a caller is told of an error: its gRPC status, and `CODE: where: what`. Of a fault of our own it is told the
 * code only, since nobody wrote that text for a caller.
 */
export function callStatus(error: TidegateError): { code: status; details: string } {
  const text =
    error.code === 'TG_INTERNAL'
      ? 'an internal error, see the log'
      : formatPosition(error.at) + error.message;
  return { code: statusOf(error.grpcStatus), details: printable(`${error.code}: ${text}`) };
}

const statusOf = (number: number): status => (number in status ? number : status.UNKNOWN);

/** The text without control characters and halves of characters, which grpc-message cannot carry, and not too long. */
function printable(text: string): string {
  return text
    .slice(0, MAX_MESSAGE_CHARS)
    .replace(/\p{Cc}/gu, ' ')
    .replace(/\p{Cs}/gu, '\ufffd');
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
