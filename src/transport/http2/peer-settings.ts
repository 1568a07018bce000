/** Takes over what the peer says in SETTINGS. Source: RFC 9113, section 6.5. */
import {
  DEFAULT_MAX_FRAME_BYTES,
  ErrorCode,
  MAX_31_BITS,
  MAX_FRAME_BYTES,
  readUint32,
  Setting,
} from './protocol';
import type { Sender } from './sender';
import type { StreamTable } from './stream-table';

const ENTRY_BYTES = 6;

/** What one SETTINGS frame comes to; undefined is what it does not say. */
interface Said {
  /** The smallest and the last header table size, which both count (RFC 7541, section 4.2). */
  smallestTableBytes: number;
  tableBytes: number | undefined;
  windowBytes: number | undefined;
  frameBytes: number | undefined;
}

/**
 * Applies the parameters; unknown ones are passed over. Each is checked, but only the last value of one takes effect:
 * a frame has room for thousands, and some of them concern every stream.
 * @returns the connection error that one of them is, or NO_ERROR.
 */
export function applySettings(
  bytes: Uint8Array,
  at: number,
  end: number,
  sender: Sender,
  streams: StreamTable,
): number {
  if ((end - at) % ENTRY_BYTES !== 0) return ErrorCode.FRAME_SIZE_ERROR;
  const said: Said = {
    smallestTableBytes: Infinity,
    tableBytes: undefined,
    windowBytes: undefined,
    frameBytes: undefined,
  };
  for (let entry = at; entry < end; entry += ENTRY_BYTES) {
    const parameter = (bytes[entry]! << 8) | bytes[entry + 1]!;
    const error = note(said, parameter, readUint32(bytes, entry + 2));
    if (error !== ErrorCode.NO_ERROR) return error;
  }
  const { windowBytes, tableBytes, frameBytes, smallestTableBytes } = said;
  if (windowBytes !== undefined) {
    let overflows = false;
    streams.forEachActive((stream) => (overflows ||= sender.wouldOverflow(stream, windowBytes)));
    if (overflows) return ErrorCode.FLOW_CONTROL_ERROR;
    sender.resizeWindows(windowBytes);
  }
  if (tableBytes !== undefined) sender.resizeTable(smallestTableBytes, tableBytes);
  if (frameBytes !== undefined) sender.resizeFrames(frameBytes);
  return ErrorCode.NO_ERROR;
}

function note(said: Said, parameter: number, value: number): number {
  switch (parameter) {
    case Setting.HEADER_TABLE_SIZE:
      said.smallestTableBytes = Math.min(said.smallestTableBytes, value);
      said.tableBytes = value;
      return ErrorCode.NO_ERROR;
    case Setting.ENABLE_PUSH:
      return value > 1 ? ErrorCode.PROTOCOL_ERROR : ErrorCode.NO_ERROR;
    case Setting.INITIAL_WINDOW_SIZE:
      said.windowBytes = value;
      return value > MAX_31_BITS ? ErrorCode.FLOW_CONTROL_ERROR : ErrorCode.NO_ERROR;
    case Setting.MAX_FRAME_SIZE:
      said.frameBytes = value;
      return value < DEFAULT_MAX_FRAME_BYTES || value > MAX_FRAME_BYTES
        ? ErrorCode.PROTOCOL_ERROR
        : ErrorCode.NO_ERROR;
    default:
      return ErrorCode.NO_ERROR;
  }
}
