/** HPACK for tests: a small encoder, with a dynamic table of its own, that can be told which form to use. */
import { STATIC_TABLE } from '../../../src/transport/http2/static-table';

export type HeaderLine = readonly [name: string, value: string];

/** How a field is written. */
export type Form = 'indexed' | 'added' | 'plain' | 'never';

/** The Huffman codes (RFC 7541, appendix B) of the characters that tests use, as text of bits. */
const CODES: Readonly<Record<string, string>> = {
  '0': '00000',
  '1': '00001',
  '2': '00010',
  a: '00011',
  c: '00100',
  e: '00101',
  i: '00110',
  o: '00111',
  s: '01000',
  t: '01001',
  ' ': '010100',
  '%': '010101',
  '-': '010110',
  '.': '010111',
  '/': '011000',
  '3': '011001',
  '4': '011010',
  '5': '011011',
  '6': '011100',
  '7': '011101',
  '8': '011110',
  '9': '011111',
  '=': '100000',
  A: '100001',
  _: '100010',
  b: '100011',
  d: '100100',
  f: '100101',
  g: '100110',
  h: '100111',
  l: '101000',
  m: '101001',
  n: '101010',
  p: '101011',
  r: '101100',
  u: '101101',
  ':': '1011100',
  B: '1011101',
  C: '1011110',
  D: '1011111',
  E: '1100000',
  F: '1100001',
  G: '1100010',
  H: '1100011',
  I: '1100100',
  J: '1100101',
  K: '1100110',
  L: '1100111',
  M: '1101000',
  N: '1101001',
  O: '1101010',
  P: '1101011',
  Q: '1101100',
  R: '1101101',
  S: '1101110',
  T: '1101111',
  U: '1110000',
  V: '1110001',
  W: '1110010',
  Y: '1110011',
  j: '1110100',
  k: '1110101',
  q: '1110110',
  v: '1110111',
  w: '1111000',
  x: '1111001',
  y: '1111010',
  z: '1111011',
  '&': '11111000',
  '*': '11111001',
  ',': '11111010',
  ';': '11111011',
  X: '11111100',
  Z: '11111101',
  '!': '1111111000',
  '"': '1111111001',
  '(': '1111111010',
  ')': '1111111011',
  '?': '1111111100',
  "'": '11111111010',
  '+': '11111111011',
  '|': '11111111100',
  '#': '111111111010',
  '>': '111111111011',
  '\0': '1111111111000',
  $: '1111111111001',
  '@': '1111111111010',
  '[': '1111111111011',
  ']': '1111111111100',
  '~': '1111111111101',
  '^': '11111111111100',
  '}': '11111111111101',
  '<': '111111111111100',
  '`': '111111111111101',
  '{': '111111111111110',
  '\r': '111111111111111111111111111101',
  '\n': '111111111111111111111111111100',
};

/** The characters that {@link huffman} can write. */
export const HUFFMAN_CHARACTERS = Object.keys(CODES).filter((character) => character >= ' ');

/** Text in Huffman code, padded with ones. */
export function huffman(text: string): Buffer {
  let bits = '';
  for (const character of text) bits += CODES[character] ?? '';
  return bitBytes(bits.padEnd(Math.ceil(bits.length / 8) * 8, '1'));
}

/** Bits as text, eight to a byte. */
export function bitBytes(bits: string): Buffer {
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** RFC 7541, section 5.1. */
export function integer(pattern: number, prefixBits: number, value: number): Buffer {
  const limit = 2 ** prefixBits - 1;
  if (value < limit) return Buffer.from([pattern | value]);
  const bytes = [pattern | limit];
  let rest = value - limit;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

export function text(value: string, coded: boolean): Buffer {
  const bytes = coded ? huffman(value) : Buffer.from(value, 'latin1');
  return Buffer.concat([integer(coded ? 0x80 : 0, 7, bytes.length), bytes]);
}

const PATTERNS = { added: [0x40, 6], plain: [0, 4], never: [0x10, 4] } as const;

/** Writes header blocks as a client may. */
export class TestEncoder {
  private table: HeaderLine[] = [];
  private maxBytes = 4_096;

  /** A size update, for the beginning of a block. */
  resize(maxBytes: number): Buffer {
    this.maxBytes = maxBytes;
    this.evict();
    return integer(0x20, 5, maxBytes);
  }

  /** How many fields the table has now, and their bytes. */
  get entries(): readonly HeaderLine[] {
    return this.table;
  }

  field(line: HeaderLine, form: Form = 'plain', coded = false): Buffer {
    const all = [...STATIC_TABLE, ...this.table];
    if (form === 'indexed') {
      const whole = all.findIndex(([name, value]) => name === line[0] && value === line[1]);
      if (whole >= 0) return integer(0x80, 7, whole + 1);
      return this.field(line, 'added', coded);
    }
    const named = all.findIndex(([name]) => name === line[0]);
    const [pattern, bits] = PATTERNS[form];
    const name =
      named >= 0
        ? integer(pattern, bits, named + 1)
        : Buffer.concat([Buffer.from([pattern]), text(line[0], coded)]);
    if (form === 'added') {
      this.table.unshift(line);
      this.evict();
    }
    return Buffer.concat([name, text(line[1], coded)]);
  }

  private evict(): void {
    const bytes = (): number =>
      this.table.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    while (bytes() > this.maxBytes) this.table.pop();
  }
}
