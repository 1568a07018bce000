/** The streams that Envoys send telemetry on: bounded in number, each ended by the first message that is none. */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { TidegateError } from '../../core/errors';
import type { Logger } from '../../core/ports';
import type { GrpcService } from '../xds-services';

/** A duplex call whose messages are bytes. */
type Call = ServerDuplexStream<Buffer, Uint8Array>;

/** What a method does with its messages. */
export interface TelemetryMethod {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Takes a message; throws `TG_MESH_BAD_REQUEST`, and has done nothing then. */
  readonly take: (bytes: Uint8Array) => void;
  /** Sent after the first message, or when the client has ended. */
  readonly answer: { readonly bytes: Uint8Array; readonly when: 'first' | 'end' };
}

/** What streams stand on. */
export interface StreamsOptions {
  readonly maxStreams: number;
  readonly nowMs: () => number;
  readonly log: Logger;
}

/** A stream that was silent for so long gives way to another when there are too many, ms. */
const SILENT_MS = 30_000;
/** Faults of streams are told no more often, ms. */
const TELL_MS = 10_000;

interface Stream {
  readonly call: Call;
  readonly method: TelemetryMethod;
  heardAtMs: number;
  heard: boolean;
}

/** See the file's head. */
export class TelemetryStreams {
  /** Refused, or closed to make room. */
  refused = 0;
  /** Ended by a message that is none. */
  malformed = 0;
  readonly #options: StreamsOptions;
  readonly #streams = new Set<Stream>();
  #toldAtMs = -Infinity;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /** Open streams. */
  get size(): number {
    return this.#streams.size;
  }

  /** A method as a service of a gRPC server. Messages are bytes; the server bounds their size. */
  service(method: TelemetryMethod): GrpcService {
    const { path } = method;
    return {
      definition: {
        [path]: {
          path,
          requestStream: true,
          // One answer at the end of a client's stream is the same on the wire.
          responseStream: true,
          requestSerialize: asBuffer,
          requestDeserialize: (bytes: Buffer) => bytes,
          responseSerialize: asBuffer,
          responseDeserialize: (bytes: Buffer) => bytes,
        },
      },
      implementation: { [path]: (call: Call) => this.#open(call, method) },
    };
  }

  /** Ends all streams; Envoys connect elsewhere, or again. */
  close(): void {
    for (const stream of [...this.#streams]) this.#end(stream);
  }

  #open(call: Call, method: TelemetryMethod): void {
    const nowMs = this.#options.nowMs();
    call.on('error', () => {});
    if (!this.#makeRoom(nowMs)) {
      this.refused += 1;
      const { maxStreams } = this.#options;
      fail(call, new TidegateError('TG_MESH_STREAM_LIMIT', `more than ${maxStreams} streams of telemetry`));
      return;
    }
    const stream: Stream = { call, method, heardAtMs: nowMs, heard: false };
    this.#streams.add(stream);
    const gone = (): void => void this.#streams.delete(stream);
    call.on('data', (bytes: Buffer) => this.#read(stream, bytes));
    call.on('end', () => this.#end(stream));
    call.on('cancelled', gone);
    call.on('close', gone);
    call.on('error', gone);
  }

  /** Whether one more may come: where there are too many, the one that was silent for longest has to go. */
  #makeRoom(nowMs: number): boolean {
    if (this.#streams.size < this.#options.maxStreams) return true;
    let silent: Stream | undefined;
    for (const stream of this.#streams) {
      if (silent === undefined || stream.heardAtMs < silent.heardAtMs) silent = stream;
    }
    if (silent === undefined || nowMs - silent.heardAtMs < SILENT_MS) return false;
    this.refused += 1;
    this.#end(silent);
    return true;
  }

  #read(stream: Stream, bytes: Buffer): void {
    if (!this.#streams.has(stream)) return;
    const { call, method } = stream;
    stream.heardAtMs = this.#options.nowMs();
    try {
      method.take(bytes);
    } catch (thrown) {
      this.#streams.delete(stream);
      const error = TidegateError.from(thrown);
      this.malformed += 1;
      this.#tell(method, error);
      fail(call, error);
      return;
    }
    if (method.answer.when === 'first' && !stream.heard) call.write(method.answer.bytes);
    stream.heard = true;
  }

  #end(stream: Stream): void {
    if (!this.#streams.delete(stream)) return;
    const { call, method } = stream;
    if (method.answer.when === 'end') call.write(method.answer.bytes);
    call.end();
  }

  /** The code and the place only: what is in a message may be anything. */
  #tell(method: TelemetryMethod, error: TidegateError): void {
    const nowMs = this.#options.nowMs();
    if (nowMs - this.#toldAtMs < TELL_MS) return;
    this.#toldAtMs = nowMs;
    const fields = { method: method.path, code: error.code, reason: error.message };
    if (error.code === 'TG_INTERNAL') this.#options.log.error({ ...fields, err: error }, 'telemetry failed');
    else this.#options.log.warn(fields, 'a stream of telemetry is ended: a message is malformed');
  }
}

function fail(call: Call, error: TidegateError): void {
  call.emit('error', { code: error.grpcStatus, details: `${error.code}: ${error.message}` });
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
