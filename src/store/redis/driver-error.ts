/** What an error of the driver or an error reply of Redis means, and the TidegateError to give for it. */
import type { ErrorCode } from '../../core/error-catalogue';
import { TidegateError } from '../../core/errors';

/**
 * What to do about a failed script call. All but `failed` tell for certain that the script did not run, so it may be
 * sent again; `failed` may have run.
 */
export type Failure =
  | { readonly kind: 'moved' | 'ask'; readonly slot: number; readonly address: string }
  | { readonly kind: 'try-again' | 'no-script' | 'cluster-down' }
  | { readonly kind: 'failed' };

/** Reads an error of a script call. */
export function readFailure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : '';
  const [word, slot, address] = message.split(' ', 3);
  switch (word) {
    case 'MOVED':
    case 'ASK':
      if (slot === undefined || address === undefined) return { kind: 'failed' };
      return { kind: word === 'MOVED' ? 'moved' : 'ask', slot: Number(slot), address };
    case 'TRYAGAIN':
      return { kind: 'try-again' };
    case 'NOSCRIPT':
      return { kind: 'no-script' };
    case 'CLUSTERDOWN':
      return { kind: 'cluster-down' };
    default:
      return { kind: 'failed' };
  }
}

/** Error replies by their first word. */
const REPLY_CODES: Readonly<Record<string, ErrorCode>> = {
  NOAUTH: 'TG_STORE_AUTH',
  WRONGPASS: 'TG_STORE_AUTH',
  NOPERM: 'TG_STORE_AUTH',
  LOADING: 'TG_STORE_UNAVAILABLE',
  MASTERDOWN: 'TG_STORE_UNAVAILABLE',
  CLUSTERDOWN: 'TG_STORE_UNAVAILABLE',
  READONLY: 'TG_STORE_UNAVAILABLE',
  MOVED: 'TG_STORE_UNAVAILABLE',
  ASK: 'TG_STORE_UNAVAILABLE',
  TRYAGAIN: 'TG_STORE_UNAVAILABLE',
  BUSY: 'TG_STORE_UNAVAILABLE',
  NOREPLICAS: 'TG_STORE_UNAVAILABLE',
  ERR: 'TG_STORE_REPLY',
  NOSCRIPT: 'TG_STORE_REPLY',
  OOM: 'TG_STORE_REPLY',
  MISCONF: 'TG_STORE_REPLY',
  WRONGTYPE: 'TG_STORE_REPLY',
};

/**
 * Turns anything the driver throws into an error with a code.
 * @param node the node's name, for the message.
 */
export function toStoreError(thrown: unknown, node: string): TidegateError {
  if (thrown instanceof TidegateError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  // Redis before 6 refuses a password with a plain ERR.
  const code = /^ERR .*\b(invalid password|AUTH)\b/.test(message)
    ? 'TG_STORE_AUTH'
    : (REPLY_CODES[message.split(' ', 1)[0] ?? ''] ?? 'TG_STORE_UNAVAILABLE');
  return new TidegateError(code, `Redis at ${node}: ${message}`, { cause: plainCause(thrown, message) });
}

/** A cause without the command that failed: the driver attaches it, and with it an AUTH's password. */
function plainCause(thrown: unknown, message: string): Error {
  const cause = new Error(message);
  if (thrown instanceof Error) {
    cause.name = thrown.name;
    if (thrown.stack !== undefined) cause.stack = thrown.stack;
  }
  return cause;
}
