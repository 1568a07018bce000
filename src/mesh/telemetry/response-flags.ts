/**
 * Envoy's response flags as bits of one number, and what a request with them counts as.
 * Source: envoy/data/accesslog/v3/accesslog.proto, "ResponseFlags"; the short names are those of Envoy's access log
 * documentation, "%RESPONSE_FLAGS%".
 */
import { lenTag, varintTag, type ByteCursor } from './byte-cursor';

/** Short names by the field's number less one, which is also the flag's bit. */
export const FLAG_NAMES: readonly string[] = [
  'LH',
  'UH',
  'UT',
  'LR',
  'UR',
  'UF',
  'UC',
  'UO',
  'NR',
  'DI',
  'FI',
  'RL',
  'UAEX',
  'RLSE',
  'DC',
  'URX',
  'SI',
  'IH',
  'DPE',
  'UMSDR',
  'RFCF',
  'NFCF',
  'DT',
  'UPE',
  'NC',
  'OM',
  'DF',
  'DR',
];

/** How a request ended, for the figures. */
export const Outcome = { GOOD: 0, ERROR: 1, LIMITED: 2 } as const;

const UNAUTHORIZED = lenTag(13);
const LAST_FLAG = FLAG_NAMES.length;

/** Reads a ResponseFlags message as bits. */
export function readResponseFlags(cursor: ByteCursor): number {
  let bits = 0;
  const outer = cursor.enter();
  while (cursor.at < cursor.end) {
    const tag = cursor.tag();
    const field = tag >>> 3;
    if (tag === UNAUTHORIZED) {
      bits |= 1 << (field - 1);
      cursor.skip(tag);
    } else if (field <= LAST_FLAG && tag === varintTag(field)) {
      if (cursor.flag()) bits |= 1 << (field - 1);
      else bits &= ~(1 << (field - 1));
    } else cursor.skip(tag);
  }
  cursor.leave(outer);
  return bits;
}

function bitsOf(...names: readonly string[]): number {
  return names.reduce((bits, name) => bits | (1 << FLAG_NAMES.indexOf(name)), 0);
}

const RATE_LIMITED = bitsOf('RL');
/** The upstream, or the way to it, failed, though an answer may have begun; what the client did is not among them. */
const FAILED = bitsOf('LH', 'UH', 'UT', 'LR', 'UR', 'UF', 'UC', 'UO', 'UMSDR', 'DT', 'UPE');
/**
 * UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE and DATA_LOSS: those that Envoy maps to 5xx.
 * Source: Envoy, "gRPC status to HTTP status".
 */
const FAILED_GRPC = (1 << 2) | (1 << 4) | (1 << 12) | (1 << 13) | (1 << 14) | (1 << 15);
const RESOURCE_EXHAUSTED = 8;

/** What a request counts as. @param grpcStatus -1 where there is none. */
export function outcomeOf(flags: number, status: number, grpcStatus: number): number {
  const limited = (flags & RATE_LIMITED) !== 0 || status === 429 || grpcStatus === RESOURCE_EXHAUSTED;
  if (limited) return Outcome.LIMITED;
  const failedGrpc = grpcStatus >= 0 && grpcStatus < 32 && (FAILED_GRPC & (1 << grpcStatus)) !== 0;
  return status >= 500 || failedGrpc || (flags & FAILED) !== 0 ? Outcome.ERROR : Outcome.GOOD;
}
