/** Tells a damaged document from a whole one. It is no signature: who changes a document can change its checksum. */

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = (rest & 1) !== 0 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

/**
 * CRC-32 (ISO 3309) of JSON whatever the order of its keys, over each UTF-16 unit's low and high byte.
 * @returns 8 hexadecimal digits.
 */
export function checksumOf(json: unknown): string {
  const text = JSON.stringify(sorted(json)) ?? '';
  let rest = -1;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    rest = (rest >>> 8) ^ TABLE[(rest ^ unit) & 255]!;
    rest = (rest >>> 8) ^ TABLE[(rest ^ (unit >>> 8)) & 255]!;
  }
  return ((rest ^ -1) >>> 0).toString(16).padStart(8, '0');
}

function sorted(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(sorted);
  if (typeof json !== 'object' || json === null) return json;
  const entries = Object.entries(json).filter(([, value]) => value !== undefined);
  return entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, sorted(value)]);
}
