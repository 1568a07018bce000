/**
 * Reads HPACK's Huffman code (RFC 7541, section 5.2 and appendix B) a byte at a time: an automaton whose states are the
 * inner nodes of the code's tree. Its table takes 256 KiB, once a process. A value that nobody reads is only measured.
 */

/**
 * Bits of each octet's code, an octet a digit in base 36. The code is canonical: the lengths alone give it, and EOS is
 * the last of the 30-bit codes.
 */
const CODE_BITS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq';
const EOS = 256;
const EOS_BITS = 30;
const STATES = 256;
/** Padding is at most this many bits, all ones. */
const MAX_PADDING_BITS = 7;

/*
 * A transition: bits 0-7 the next state, 8-15 and 16-23 the octets that it completes (the shortest code has five bits,
 * so two at most), 24-25 how many, 26 that EOS was in it, 27 that one of the octets may be in no field value.
 */
const COUNT_SHIFT = 24;
const HAS_EOS = 1 << 26;
const HAS_BAD_OCTET = 1 << 27;

/** The value is not Huffman code. */
export const NOT_HUFFMAN = -1;

const { transitions: TRANSITIONS, mayEnd: MAY_END } = buildAutomaton();

/** The bytes that `wireBytes` of Huffman code can become at most, with what {@link decodeHuffman} may write beyond. */
export const decodedBound = (wireBytes: number): number => Math.ceil((wireBytes * 8) / 5) + 2;

/**
 * Decodes a range into `target`, which must have room for {@link decodedBound}.
 * @returns as {@link measureHuffman}.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let state = 0;
  let seen = 0;
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const step = TRANSITIONS[(state << 8) | bytes[at]!]!;
    state = step & 0xff;
    seen |= step;
    target[length] = step >>> 8;
    target[length + 1] = step >>> 16;
    length += (step >>> COUNT_SHIFT) & 3;
  }
  return verdict(seen, state, length);
}

/**
 * Checks a range and says how long it is decoded, without decoding it.
 * @returns the decoded length; {@link NOT_HUFFMAN}; or -2 - length, when it has an octet that no field value may have
 * (NUL, CR or LF: RFC 9113, section 8.2.1).
 */
export function measureHuffman(bytes: Uint8Array, start: number, end: number): number {
  let state = 0;
  let seen = 0;
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const step = TRANSITIONS[(state << 8) | bytes[at]!]!;
    state = step & 0xff;
    seen |= step;
    length += (step >>> COUNT_SHIFT) & 3;
  }
  return verdict(seen, state, length);
}

function verdict(seen: number, state: number, length: number): number {
  if ((seen & HAS_EOS) !== 0 || MAY_END[state] === 0) return NOT_HUFFMAN;
  return (seen & HAS_BAD_OCTET) === 0 ? length : -2 - length;
}

/** The code's tree: `children[2 * node + bit]` is a node, or -1 - symbol. Node 0 is the root. */
function buildTree(): Int16Array {
  const symbols = Array.from({ length: EOS + 1 }, (_, symbol) => ({
    symbol,
    bits: symbol === EOS ? EOS_BITS : Number.parseInt(CODE_BITS[symbol]!, 36),
  })).sort((a, b) => a.bits - b.bits || a.symbol - b.symbol);
  const children = new Int16Array(2 * STATES);
  let nodes = 1;
  let code = 0;
  let width = symbols[0]!.bits;
  for (const { symbol, bits } of symbols) {
    code <<= bits - width;
    width = bits;
    let node = 0;
    for (let bit = bits - 1; bit > 0; bit -= 1) {
      const edge = 2 * node + ((code >>> bit) & 1);
      if (children[edge] === 0) children[edge] = nodes++;
      node = children[edge]!;
    }
    children[2 * node + (code & 1)] = -1 - symbol;
    code += 1;
  }
  return children;
}

function buildAutomaton(): { transitions: Int32Array; mayEnd: Uint8Array } {
  const children = buildTree();
  const transitions = new Int32Array(STATES * 256);
  for (let index = 0; index < transitions.length; index += 1) transitions[index] = stepFrom(children, index);
  const mayEnd = new Uint8Array(STATES);
  for (let node = 0, bits = 0; bits <= MAX_PADDING_BITS; bits += 1) {
    mayEnd[node] = 1;
    node = children[2 * node + 1]!;
  }
  return { transitions, mayEnd };
}

function stepFrom(children: Int16Array, index: number): number {
  let node = index >>> 8;
  let count = 0;
  let step = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    const next = children[2 * node + ((index >>> bit) & 1)]!;
    node = Math.max(0, next);
    if (next >= 0) continue;
    const symbol = -1 - next;
    if (symbol === EOS) return HAS_EOS;
    if (symbol === 0 || symbol === 0x0a || symbol === 0x0d) step |= HAS_BAD_OCTET;
    step |= symbol << (8 + 8 * count);
    count += 1;
  }
  return step | (count << COUNT_SHIFT) | node;
}
