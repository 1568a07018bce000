/** Errors as the admin port answers them: `{code, message, at, remedy}` with a fitting HTTP status. */
import type { ErrorCode } from '../core/error-catalogue';
import { TidegateError, type SourcePosition } from '../core/errors';

/** An error in JSON. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  /** Where in the user's input it is; null when that means nothing. */
  readonly at: SourcePosition | null;
  readonly remedy: string;
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  TG_ADMIN_NOT_FOUND: 404,
  TG_ADMIN_BAD_REQUEST: 400,
  TG_ADMIN_NO_TOKEN: 403,
  TG_ADMIN_UNAUTHORIZED: 401,
  TG_ADMIN_CROSS_SITE: 403,
  TG_REQUEST_TOO_LARGE: 413,
  TG_FORECAST_UNKNOWN_CLASS: 404,
  TG_CONTROL_UNKNOWN_POOL: 404,
  TG_CONTROL_UNKNOWN_MEMBER: 404,
  TG_CONTROL_BAD_OVERRIDE: 400,
  TG_CONTROL_OFF: 409,
  TG_FORECAST_OFF: 409,
  TG_MESH_OFF: 409,
};

/** The HTTP status of an error: 400s for the caller's fault, 503 for what passes by itself, else 500. */
export function httpStatus(error: TidegateError): number {
  return STATUS[error.code] ?? (error.code.startsWith('TG_REQUEST_') ? 400 : error.transient ? 503 : 500);
}

/** An error as JSON. A fault of ours shows no details: those are in the log. */
export function errorBody(error: TidegateError): ErrorBody {
  const message = error.code === 'TG_INTERNAL' ? 'the request failed; the log says why' : error.message;
  return { code: error.code, message, at: error.at ?? null, remedy: error.remedy };
}

/** Reads what Fastify throws for a request it does not take. */
export function fromFastify(thrown: unknown): TidegateError {
  if (thrown instanceof TidegateError) return thrown;
  const { code, statusCode } = thrown as { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new TidegateError('TG_REQUEST_TOO_LARGE', 'the body is longer than admin.max_body_bytes', {
      remedy: 'send a smaller body, or raise admin.max_body_bytes',
    });
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return TidegateError.from(thrown, 'TG_ADMIN_BAD_REQUEST');
  }
  return TidegateError.from(thrown);
}
