/** Collects every mistake of a file, so that a user sees all of them at once. */
import type { ErrorCode } from '../../core/error-catalogue';
import { TidegateError, type SourcePosition } from '../../core/errors';

/** Mistakes listed of one file; further ones show once these are mended. */
const MAX_LISTED = 100;

/** The mistakes of one file. */
export class Diagnostics {
  readonly errors: TidegateError[] = [];
  readonly warnings: TidegateError[] = [];

  /** @param lenient what the reference accepts in silence becomes a warning instead of an error. */
  constructor(private readonly lenient: boolean) {}

  /** Adds a mistake that rejects the file. */
  error(code: ErrorCode, message: string, at: SourcePosition, remedy?: string): void {
    push(this.errors, code, message, at, remedy);
  }

  /** Adds a mistake that the reference server overlooks. */
  overlooked(code: ErrorCode, message: string, at: SourcePosition, remedy?: string): void {
    push(this.lenient ? this.warnings : this.errors, code, message, at, remedy);
  }
}

function push(
  list: TidegateError[],
  code: ErrorCode,
  message: string,
  at: SourcePosition,
  remedy?: string,
): void {
  if (list.length >= MAX_LISTED) return;
  list.push(new TidegateError(code, message, remedy === undefined ? { at } : { at, remedy }));
}
