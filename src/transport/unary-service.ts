/** Puts our unary handlers, bytes in and bytes out, behind grpc-js. */
import { Later } from '../core/later';
import {
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { TidegateError } from '../core/errors';
import type { CallContext, UnaryHandler, UnaryMethods } from '../core/ports';
import { callStatus } from './http2/call-status';

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
    if (result instanceof Uint8Array) reply(null, result);
    else Later.from(result).done((bytes) => reply(null, bytes), failed);
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

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
