/** Which of a Redis Cluster's slots a key belongs to. Source: the Redis Cluster specification, "Key distribution model". */

/** The number of slots of every Redis Cluster. */
export const SLOT_COUNT = 16_384;

/** CRC16-XMODEM (polynomial 0x1021, no reflection), a byte at a time. */
const TABLE: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) !== 0 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/** The part of a key that decides its slot: what is between the first `{` and the next `}`, when it is not empty. */
function taggedPart(key: string): string {
  const open = key.indexOf('{');
  if (open < 0) return key;
  const close = key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : key;
}

/** The slot of a key, 0 to 16383. */
export function hashSlot(key: string): number {
  const tag = taggedPart(key);
  let crc = 0;
  for (let at = 0; at < tag.length; at++) {
    const unit = tag.charCodeAt(at);
    if (unit > 0x7f) return slotOfBytes(Buffer.from(tag));
    crc = ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ unit] ?? 0);
  }
  return crc % SLOT_COUNT;
}

function slotOfBytes(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ byte] ?? 0);
  return crc % SLOT_COUNT;
}
