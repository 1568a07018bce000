/** HPACK's Huffman code: RFC 7541's own examples, random text, and codes that are none. */
import fc from 'fast-check';
import {
  decodedBound,
  decodeHuffman,
  measureHuffman,
  NOT_HUFFMAN,
} from '../../../src/transport/http2/huffman';
import { bitBytes, huffman, HUFFMAN_CHARACTERS } from './hpack-bytes';

const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');

describe('Huffman code', () => {
  const decoded = (bytes: Buffer): string | number => {
    const target = Buffer.alloc(decodedBound(bytes.length));
    const length = decodeHuffman(bytes, 0, bytes.length, target);
    expect(measureHuffman(bytes, 0, bytes.length)).toBe(length);
    return length < 0 ? length : target.toString('latin1', 0, length);
  };

  test.each([
    ['f1e3 c2e5 f23a 6ba0 ab90 f4ff', 'www.example.com'],
    ['a8eb 1064 9cbf', 'no-cache'],
    ['25a8 49e9 5ba9 7d7f', 'custom-key'],
    ['25a8 49e9 5bb8 e8b4 bf', 'custom-value'],
    ['6402', '302'],
    ['aec3 771a 4b', 'private'],
    ['d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3', 'https://www.example.com'],
    [
      '94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    ],
  ])('%s is %s (RFC 7541, appendix C)', (bytes, expected) => {
    expect(decoded(hex(bytes))).toBe(expected);
  });

  test('what is written in it is read', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...HUFFMAN_CHARACTERS), { maxLength: 200 }), (characters) => {
        expect(decoded(huffman(characters.join('')))).toBe(characters.join(''));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['padding of eight bits', Buffer.concat([huffman('aaaaaaaa'), Buffer.from([0xff])])],
    ['padding that is not all ones', bitBytes('00011000')],
    ['EOS', bitBytes(`${'1'.repeat(30)}11`)],
    ['EOS amid text', bitBytes(`00011${'1'.repeat(30)}00011`)],
    ['a code that is cut', bitBytes('11111110')],
  ])('%s is refused', (_name, bytes) => {
    expect(decoded(bytes)).toBe(NOT_HUFFMAN);
  });

  test.each(['\0', '\r', '\n'])('octets that no value may have are told: %j', (octet) => {
    expect(decoded(huffman(`a${octet}b`))).toBe(-2 - 3);
  });

  test('never writes beyond its bound, whatever it is given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const bound = decodedBound(bytes.length);
        const target = new Uint8Array(bound + 8).fill(7, bound);
        const length = decodeHuffman(bytes, 0, bytes.length, target);
        expect(length).toBeLessThanOrEqual(bound);
        expect([...target.subarray(bound)]).toEqual([7, 7, 7, 7, 7, 7, 7, 7]);
        expect(measureHuffman(bytes, 0, bytes.length)).toBe(length);
      }),
      { numRuns: 500 },
    );
  });
});
