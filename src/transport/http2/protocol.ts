/** The numbers of HTTP/2. Source: RFC 9113, sections 4.1, 6, 7 and 11. */

/** Frame types. */
export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** Frame flags; ACK and END_STREAM share a bit. */
export const Flag = { ACK: 1, END_STREAM: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

/** Error codes of RST_STREAM and GOAWAY. */
export const ErrorCode = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
} as const;

/** Parameters of SETTINGS. */
export const Setting = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

/** A frame's head, bytes. */
export const FRAME_HEAD_BYTES = 9;
/** What a payload may have at most until SETTINGS say otherwise; we never do. Bytes. */
export const DEFAULT_MAX_FRAME_BYTES = 16_384;
/** The longest payload that SETTINGS may allow, bytes. */
export const MAX_FRAME_BYTES = 16_777_215;
/** A flow-control window before any SETTINGS or WINDOW_UPDATE, bytes. */
export const DEFAULT_WINDOW_BYTES = 65_535;
/** The largest window, increment and stream identifier. */
export const MAX_31_BITS = 0x7fff_ffff;
/** The dynamic table of either side before SETTINGS, bytes. */
export const DEFAULT_HEADER_TABLE_BYTES = 4_096;

/** What a client says first (section 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Four bytes, big-endian, unsigned. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** The lower 31 bits of four bytes: a stream identifier or an increment. */
export function readUint31(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! & 0x7f) << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
