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

/**
 * Applies the parameters in order; unknown ones are passed over.
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
  for (let entry = at; entry < end; entry += ENTRY_BYTES) {
    const parameter = (bytes[entry]! << 8) | bytes[entry + 1]!;
    const error = apply(parameter, readUint32(bytes, entry + 2), sender, streams);
    if (error !== ErrorCode.NO_ERROR) return error;
  }
  return ErrorCode.NO_ERROR;
}

function apply(parameter: number, value: number, sender: Sender, streams: StreamTable): number {
  switch (parameter) {
    case Setting.HEADER_TABLE_SIZE:
      sender.resizeTable(value);
      return ErrorCode.NO_ERROR;
    case Setting.ENABLE_PUSH:
      return value > 1 ? ErrorCode.PROTOCOL_ERROR : ErrorCode.NO_ERROR;
    case Setting.INITIAL_WINDOW_SIZE: {
      if (value > MAX_31_BITS) return ErrorCode.FLOW_CONTROL_ERROR;
      let overflows = false;
      streams.forEachActive((stream) => (overflows ||= sender.wouldOverflow(stream, value)));
      if (overflows) return ErrorCode.FLOW_CONTROL_ERROR;
      sender.resizeWindows(value);
      return ErrorCode.NO_ERROR;
    }
    case Setting.MAX_FRAME_SIZE:
      if (value < DEFAULT_MAX_FRAME_BYTES || value > MAX_FRAME_BYTES) return ErrorCode.PROTOCOL_ERROR;
      sender.resizeFrames(value);
      return ErrorCode.NO_ERROR;
    default:
      return ErrorCode.NO_ERROR;
  }
}
