/** What Envoys are asked to report. Source: envoy/service/load_stats/v3/lrs.proto, LoadStatsResponse. */
import { lenTag, varintTag } from './byte-cursor';

const NS_PER_MS = 1_000_000;

/** A LoadStatsResponse: all clusters, with their endpoints, at this interval. */
export function loadReportAnswer(intervalMs: number): Uint8Array {
  const seconds = Math.floor(intervalMs / 1_000);
  const nanos = Math.round((intervalMs % 1_000) * NS_PER_MS);
  const duration = [varintTag(1), ...varint(seconds), varintTag(2), ...varint(nanos)];
  return Uint8Array.of(lenTag(2), duration.length, ...duration, varintTag(3), 1, varintTag(4), 1);
}

/** A number under 2^31 as a varint. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return bytes;
}
