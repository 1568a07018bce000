/** Errors as plain data, which crosses between threads where an error's class, cause and stack do not. */
import type { ErrorCode } from './error-catalogue';
import { TidegateError, type SourcePosition } from './errors';

/** A TidegateError without its cause and stack. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
  readonly at?: SourcePosition;
}

/** Takes an error apart, so that it can cross. */
export function plainError(thrown: unknown): PlainError {
  const { code, message, remedy, at } = TidegateError.from(thrown);
  return { code, message, remedy, ...(at === undefined ? {} : { at }) };
}

/** Puts an error together that has crossed. */
export function errorOf({ code, message, remedy, at }: PlainError): TidegateError {
  return new TidegateError(code, message, { remedy, ...(at === undefined ? {} : { at }) });
}
