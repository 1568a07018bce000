/** Whether two stretches of bytes are the same, for stretches too short to be worth a call of native code. */

/**
 * Compares `length` bytes of `a` from `fromA` on with those of `b` from `fromB` on; they have to be there. From the end on, where
 * messages of one service differ, and four at a time, since a branch a byte is most of what comparing costs.
 */
export function sameBytes(
  a: Uint8Array,
  fromA: number,
  b: Uint8Array,
  fromB: number,
  length: number,
): boolean {
  let i = fromA + length - 1;
  let j = fromB + length - 1;
  for (; i - 3 >= fromA; i -= 4, j -= 4) {
    const differ =
      (a[i]! ^ b[j]!) | (a[i - 1]! ^ b[j - 1]!) | (a[i - 2]! ^ b[j - 2]!) | (a[i - 3]! ^ b[j - 3]!);
    if (differ !== 0) return false;
  }
  for (; i >= fromA; i -= 1, j -= 1) if (a[i] !== b[j]) return false;
  return true;
}
