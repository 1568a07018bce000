/** What one peer, and all of them together, may make the server keep and do. Every limit has a default. */

/** Limits of a server; those that the settings know, and those that are fixed unless tests change them. */
export interface Http2Limits {
  /** The longest message, bytes; also after decompression. */
  readonly maxMessageBytes: number;
  /** Calls in flight that one connection may have; one more is refused. */
  readonly maxConcurrentStreams: number;
  /** When a connection is asked to close, give or take 10 %; Infinity never. */
  readonly maxConnectionAgeMs: number;
  readonly maxConnectionAgeGraceMs: number;
  /** A connection without a call for this long is asked to close. */
  readonly maxIdleMs: number;
  /** All fields of a request, decoded, as SETTINGS_MAX_HEADER_LIST_SIZE counts them; a longer one is refused. */
  readonly maxHeaderListBytes: number;
  /** A header block on the wire; a longer one ends the connection. */
  readonly maxHeaderBlockBytes: number;
  /** CONTINUATION frames of one header block; one more ends the connection. */
  readonly maxContinuations: number;
  /** Bytes of messages that are not complete: of one connection, and of all. A call beyond that is refused. */
  readonly maxPartialBytes: number;
  readonly maxPartialBytesOfAll: number;
  /** Bytes of answers that wait for a peer to read or to open a window: reading from it stops there. */
  readonly maxBacklogBytes: number;
  /** Frames beyond good calls: so many at once, and so many a second. A connection that sends more is ended. */
  readonly abuseBurst: number;
  readonly abusePerS: number;
  /** From the connection to the preface and SETTINGS; and from HEADERS to the end of their block, or of any frame. */
  readonly handshakeMs: number;
  /** From HEADERS to the request's end. */
  readonly requestMs: number;
  /** How long a peer may leave answers unread before it is cut. */
  readonly stalledMs: number;
  /** How often all this is looked at. */
  readonly sweepMs: number;
}

const MIB = 1_048_576;

/** What a server has unless it is told otherwise. */
export const DEFAULT_LIMITS: Http2Limits = {
  maxMessageBytes: MIB,
  maxConcurrentStreams: 1_000,
  maxConnectionAgeMs: Infinity,
  maxConnectionAgeGraceMs: Infinity,
  maxIdleMs: 3_600_000,
  maxHeaderListBytes: 16_384,
  maxHeaderBlockBytes: 65_536,
  maxContinuations: 16,
  maxPartialBytes: 4 * MIB,
  maxPartialBytesOfAll: 128 * MIB,
  maxBacklogBytes: 262_144,
  abuseBurst: 5_000,
  abusePerS: 1_000,
  handshakeMs: 10_000,
  requestMs: 60_000,
  stalledMs: 30_000,
  sweepMs: 1_000,
};

/** The limits with defaults; partial messages may be at least as long as one message. */
export function limitsOf(given: Partial<Http2Limits>): Http2Limits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  const atLeast = limits.maxMessageBytes + 5;
  return {
    ...limits,
    maxPartialBytes: Math.max(limits.maxPartialBytes, atLeast),
    maxPartialBytesOfAll: Math.max(limits.maxPartialBytesOfAll, atLeast),
  };
}
