/** The one error type: a stable code, what was wrong, where, and what to do. */
import { CATALOGUE, type ErrorCode } from './error-catalogue';

/** Where in a user's input a mistake is. Line and column count from 1. */
export interface SourcePosition {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** The path of keys to it, such as `descriptors[0].rate_limit.unit`. */
  readonly key?: string;
}

/** What may be added to an error beside its code and message. */
export interface ErrorDetails {
  readonly at?: SourcePosition;
  /** What to do, where the catalogue's advice can be made more exact. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** An error with a code of the catalogue. Its message is for people, its code for programs. */
export class TidegateError extends Error {
  readonly code: ErrorCode;
  readonly at: SourcePosition | undefined;
  readonly remedy: string;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'TidegateError';
    this.code = code;
    this.at = details.at;
    this.remedy = details.remedy ?? CATALOGUE[code].remedy;
  }

  /** Whether the same call may succeed later without a change by the caller. */
  get transient(): boolean {
    return CATALOGUE[this.code].transient;
  }

  /** The gRPC status code (google.rpc.Code's number) for a caller. */
  get grpcStatus(): number {
    return CATALOGUE[this.code].grpcStatus;
  }

  /** `CODE: file:line:column: key: message (remedy)`, in one line. */
  override toString(): string {
    return `${this.code}: ${formatPosition(this.at)}${this.message} (${this.remedy})`;
  }

  /**
   * Wraps anything thrown.
   * @returns the same error when it is one already, else an `TG_INTERNAL` with it as its cause.
   */
  static from(thrown: unknown, code: ErrorCode = 'TG_INTERNAL'): TidegateError {
    if (thrown instanceof TidegateError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new TidegateError(code, message, { cause: thrown });
  }
}

/** `file:line:column: key: `, as much of it as is known; empty when nothing is. */
export function formatPosition(at: SourcePosition | undefined): string {
  if (at === undefined) return '';
  const place = [at.file, at.line, at.column].filter((part) => part !== undefined).join(':');
  return [place, at.key]
    .filter((part) => part !== undefined && part !== '')
    .map((part) => `${part}: `)
    .join('');
}
