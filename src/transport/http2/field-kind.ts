/**
 * What a request's header fields mean to a gRPC server. A field is kept as its kind and a number, so that the dynamic
 * table needs no strings; a field that nobody reads is only IGNORED.
 */

/** What a field is, by its name. The pseudo-header fields come first after IGNORED. */
export const Kind = {
  IGNORED: 0,
  METHOD: 1,
  SCHEME: 2,
  AUTHORITY: 3,
  PATH: 4,
  CONTENT_TYPE: 5,
  TE: 6,
  TIMEOUT: 7,
  ENCODING: 8,
  CONTENT_LENGTH: 9,
  TRACEPARENT: 10,
  /** A name that makes a request malformed: RFC 9113, sections 8.2.1, 8.2.2 and 8.3. */
  FORBIDDEN: 11,
} as const;

/** The numbers of `:method`. */
export const Method = { POST: 1, GET: 2, HEAD: 3, CONNECT: 4, OTHER: 5 } as const;
/** The numbers of `grpc-encoding`. */
export const Encoding = { IDENTITY: 0, GZIP: 1, DEFLATE: 2, UNKNOWN: 3 } as const;
/** The number of a `content-type` of gRPC. */
export const GRPC_CONTENT = 1;
/** The number of a value that cannot be. */
export const BAD_VALUE = -1;
/** The number of a path that is no method's. */
export const NO_ROUTE = -1;
/** The number of a path that does not begin with a slash and is not `*` (RFC 9113, section 8.3.1). */
export const BAD_PATH = -2;

const KINDS: ReadonlyMap<string, number> = new Map<string, number>([
  [':method', Kind.METHOD],
  [':scheme', Kind.SCHEME],
  [':authority', Kind.AUTHORITY],
  [':path', Kind.PATH],
  ['content-type', Kind.CONTENT_TYPE],
  ['te', Kind.TE],
  ['grpc-timeout', Kind.TIMEOUT],
  ['grpc-encoding', Kind.ENCODING],
  ['content-length', Kind.CONTENT_LENGTH],
  ['traceparent', Kind.TRACEPARENT],
  ['connection', Kind.FORBIDDEN],
  ['proxy-connection', Kind.FORBIDDEN],
  ['keep-alive', Kind.FORBIDDEN],
  ['transfer-encoding', Kind.FORBIDDEN],
  ['upgrade', Kind.FORBIDDEN],
]);
const METHODS: ReadonlyMap<string, number> = new Map([
  ['POST', Method.POST],
  ['GET', Method.GET],
  ['HEAD', Method.HEAD],
  ['CONNECT', Method.CONNECT],
]);
const ENCODINGS: ReadonlyMap<string, number> = new Map([
  ['identity', Encoding.IDENTITY],
  ['gzip', Encoding.GZIP],
  ['deflate', Encoding.DEFLATE],
]);
/** RFC 9110, section 5.6.2, without upper case. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const GRPC_TYPE = /^application\/grpc(?:$|[+;])/;
/** The gRPC protocol over HTTP/2: at most eight digits and a unit. */
const TIMEOUT = /^([0-9]{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** The kind of a field by its name. */
export function kindOf(name: string): number {
  return KINDS.get(name) ?? (NAME.test(name) ? Kind.IGNORED : Kind.FORBIDDEN);
}

/** Whether a field's value is read, so that it has to be decoded. */
export function isRead(kind: number): boolean {
  return kind === Kind.METHOD || (kind >= Kind.PATH && kind <= Kind.TRACEPARENT);
}

/** The number of a value that is read; paths and lengths are not looked up here. */
export function valueOf(kind: number, text: string): number {
  switch (kind) {
    case Kind.METHOD:
      return METHODS.get(text) ?? Method.OTHER;
    case Kind.CONTENT_TYPE:
      return GRPC_TYPE.test(text) ? GRPC_CONTENT : 0;
    case Kind.TE:
      return text === 'trailers' ? 0 : BAD_VALUE;
    case Kind.TIMEOUT:
      return timeoutMs(text);
    case Kind.ENCODING:
      return ENCODINGS.get(text) ?? Encoding.UNKNOWN;
    default:
      return 0;
  }
}

/** The number that decimal digits are, at most 15 of them; many clients send one with every call. */
export function decimal(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start || end - start > 15) return BAD_VALUE;
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return BAD_VALUE;
    value = value * 10 + digit;
  }
  return value;
}

function timeoutMs(text: string): number {
  const match = TIMEOUT.exec(text);
  return match === null ? BAD_VALUE : Number(match[1]) * (UNIT_MS[match[2]!] ?? 0);
}
