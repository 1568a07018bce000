/** A hash of a message's bytes: four bytes a step, mixed as MurmurHash3 does (https://github.com/aappleby/smhasher, public domain). */

const C1 = 0xcc9e2d51 | 0;
const C2 = 0x1b873593;

/**
 * @param seed a whole number of 32 bits; whoever does not know it cannot tell which messages share a hash, but for those that
 * share it with any seed: a user of the hash must bear some that do.
 * @returns a small integer, so that a Map holds it without an object of its own.
 */
export function hashOfBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed ^ (end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash = mixed(hash, word);
  }
  let rest = 0;
  for (; at < end; at += 1) rest = (rest << 8) | bytes[at]!;
  hash = mixed(hash, rest);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  // 30 bits are a small integer on every build of V8.
  return (hash ^ (hash >>> 16)) & 0x3fff_ffff;
}

function mixed(hash: number, word: number): number {
  const scrambled = Math.imul(word, C1);
  const added = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), C2);
  return (Math.imul((added << 13) | (added >>> 19), 5) + 0xe6546b64) | 0;
}
