/** The request decoder on what valid encoders may write, on what no encoder writes, and on noise. */
import { isDeepStrictEqual } from 'node:util';
import { TidegateError } from '../../src/core/errors';
import type { RlsRequest } from '../../src/core/rls';
import { decodeRateLimitRequest, encodeRateLimitRequest } from '../../src/wire';

const from = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TidegateError) return error.code;
    throw error;
  }
  return 'accepted';
}

const EMPTY: RlsRequest = { domain: '', descriptors: [], hitsAddend: 0 };
const bare = { entries: [], negativeHits: false };
const only = (descriptor: object): RlsRequest => ({
  ...EMPTY,
  descriptors: [{ ...bare, ...descriptor }],
});

describe('decodeRateLimitRequest', () => {
  const accepted: [string, string, RlsRequest][] = [
    ['an empty message', '', EMPTY],
    ['fields in any order', '18 05 0a 01 61', { ...EMPTY, domain: 'a', hitsAddend: 5 }],
    [
      'the last of several scalars',
      '0a 01 61 18 05 0a 01 62 18 06',
      { ...EMPTY, domain: 'b', hitsAddend: 6 },
    ],
    ['an empty descriptor', '12 00', only({})],
    ['a peek: the wrapper is there, its value is not', '12 02 1a 00', only({ hitsAddend: 0 })],
    ['a wrapper given twice, merged', '12 06 1a 02 08 07 1a 00', only({ hitsAddend: 7 })],
    [
      'an override given twice, merged',
      '12 08 12 02 08 09 12 02 10 02',
      only({ limit: { requestsPerUnit: 9, unit: 2 } }),
    ],
    [
      'an override unit that no enum has',
      '12 04 12 02 10 63',
      only({ limit: { requestsPerUnit: 0, unit: 99 } }),
    ],
    [
      'a negative enum in ten bytes',
      '12 0d 12 0b 10 ff ff ff ff ff ff ff ff ff 01',
      only({ limit: { requestsPerUnit: 0, unit: -1 } }),
    ],
    ['a uint32 of which the lower 32 bits count', '18 85 80 80 80 10', { ...EMPTY, hitsAddend: 5 }],
    ['a uint32 of ten bytes', '18 ff ff ff ff ff ff ff ff ff 01', { ...EMPTY, hitsAddend: 0xffff_ffff }],
    ['a varint with needless zero bytes', '18 85 80 80 80 80 80 80 80 80 00', { ...EMPTY, hitsAddend: 5 }],
    [
      'the largest uint64, as the largest whole number',
      '12 0d 1a 0b 08 ff ff ff ff ff ff ff ff ff 01',
      only({ hitsAddend: Number.MAX_SAFE_INTEGER }),
    ],
    [
      '2^53 - 1 exactly',
      '12 0b 1a 09 08 ff ff ff ff ff ff ff 0f',
      only({ hitsAddend: Number.MAX_SAFE_INTEGER }),
    ],
    ['2^32 + 1 exactly', '12 08 1a 06 08 81 80 80 80 10', only({ hitsAddend: 2 ** 32 + 1 })],
    ['a refund', '12 02 20 01', only({ negativeHits: true })],
    ['a bool of which only a high bit is set', '12 07 20 80 80 80 80 80 01', only({ negativeHits: true })],
    [
      'unknown fields of every wire type',
      '20 01 29 0102030405060708 32 01 00 3d 01020304 43 08 01 44',
      EMPTY,
    ],
    ['groups in groups', 'fb01 0b 08 01 0c fc01', EMPTY],
    ['a known field of another wire type, skipped', '08 01 10 02 1a 03 616263', EMPTY],
    ['a packed list in place of a number, skipped', '1a 03 01 02 03 18 04', { ...EMPTY, hitsAddend: 4 }],
    ['a byte order mark, kept', '0a 04 efbbbf61', { ...EMPTY, domain: '\ufeffa' }],
    ['text of every length in UTF-8', '0a 0a 41 c3a9 e282ac f09f9880', { ...EMPTY, domain: 'Aé€😀' }],
  ];
  it.each(accepted)('reads %s', (_name, hex, request) => {
    expect(decodeRateLimitRequest(from(hex))).toEqual(request);
  });

  const refused: [string, string, string][] = [
    ['a field without a value', '18', 'TG_REQUEST_MALFORMED'],
    ['a varint that never ends', '18 ff ff ff', 'TG_REQUEST_MALFORMED'],
    ['a varint of eleven bytes', '18 ff ff ff ff ff ff ff ff ff ff 01', 'TG_REQUEST_MALFORMED'],
    ['a varint of more than 64 bits', '18 ff ff ff ff ff ff ff ff ff 02', 'TG_REQUEST_MALFORMED'],
    ['text that is cut short', '0a 05 61', 'TG_REQUEST_MALFORMED'],
    ['text longer than any memory', '0a ff ff ff ff 0f', 'TG_REQUEST_MALFORMED'],
    ['a length of 64 bits', '0a 80 80 80 80 80 80 80 80 80 01', 'TG_REQUEST_MALFORMED'],
    ['a descriptor that is cut short', '12 05 0a', 'TG_REQUEST_MALFORMED'],
    ['an entry longer than its descriptor', '12 02 0a 05 0a 03 616263', 'TG_REQUEST_MALFORMED'],
    ['field number 0', '00 01', 'TG_REQUEST_MALFORMED'],
    ['a field number over 2^29 - 1', '80 80 80 80 10 00', 'TG_REQUEST_MALFORMED'],
    ['wire type 6', '0e', 'TG_REQUEST_MALFORMED'],
    ['wire type 7', '0f', 'TG_REQUEST_MALFORMED'],
    ['a group that never ends', '0b 08 01', 'TG_REQUEST_MALFORMED'],
    ['a group that ends as another', '0b 14', 'TG_REQUEST_MALFORMED'],
    ['an end without a group', '0c', 'TG_REQUEST_MALFORMED'],
    ['groups 1,000 deep', '0b'.repeat(1_000) + '0c'.repeat(1_000), 'TG_REQUEST_MALFORMED'],
    ['a domain of Latin-1', '0a 01 e9', 'TG_REQUEST_BAD_UTF8'],
    ['a surrogate in UTF-8', '0a 03 eda080', 'TG_REQUEST_BAD_UTF8'],
    ['overlong UTF-8', '0a 02 c080', 'TG_REQUEST_BAD_UTF8'],
    ['text cut within a character', '0a 02 e282', 'TG_REQUEST_BAD_UTF8'],
    ['a bad key', '12 05 0a 03 0a 01 ff', 'TG_REQUEST_BAD_UTF8'],
    ['a bad value', '12 05 0a 03 12 01 ff', 'TG_REQUEST_BAD_UTF8'],
  ];
  it.each(refused)('refuses %s', (_name, hex, code) => {
    expect(codeOf(() => decodeRateLimitRequest(from(hex)))).toBe(code);
  });

  it('says at which byte', () => {
    expect(() => decodeRateLimitRequest(from('0a 01 61 0a 05 62'))).toThrow(
      'a field is cut short, at byte 5',
    );
  });

  describe('within bounds', () => {
    const bounds = { maxMessageBytes: 100, maxDescriptors: 2, maxEntries: 3 };
    const cases: [string, string, string][] = [
      ['as many descriptors as allowed', '12 00'.repeat(2), 'accepted'],
      ['one descriptor too many', '12 00'.repeat(3), 'TG_REQUEST_TOO_LARGE'],
      ['as many entries as allowed', '12 06' + '0a 00'.repeat(3), 'accepted'],
      ['one entry too many', '12 08' + '0a 00'.repeat(4), 'TG_REQUEST_TOO_LARGE'],
      ['as many bytes as allowed', '0a 62' + '61'.repeat(98), 'accepted'],
      ['one byte too many', '0a 63' + '61'.repeat(99), 'TG_REQUEST_TOO_LARGE'],
    ];
    it.each(cases)('%s', (_name, hex, code) => {
      expect(codeOf(() => decodeRateLimitRequest(from(hex), bounds))).toBe(code);
    });
  });

  it('reads from the middle of a larger buffer', () => {
    const whole = from('ff ff 0a 01 61 ff');
    expect(decodeRateLimitRequest(whole.subarray(2, 5)).domain).toBe('a');
  });
});

/** A small seeded generator (mulberry32): the same cases in every run. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const SAMPLE = encodeRateLimitRequest({
  domain: 'edge',
  hitsAddend: 300,
  descriptors: [
    {
      entries: [
        { key: 'path', value: '/é' },
        { key: 'remote_address', value: '10.0.0.1' },
      ],
      negativeHits: true,
      hitsAddend: 2 ** 40,
      limit: { requestsPerUnit: 70_000, unit: 2 },
    },
    { entries: [{ key: 'k', value: '' }], negativeHits: false, hitsAddend: 0 },
  ],
});

/** Noise, or a valid message with some bytes changed, cut, doubled or put in. */
function mutated(random: (below: number) => number): Uint8Array {
  if (random(3) === 0) return Uint8Array.from({ length: random(40) }, () => random(256));
  const message = Array.from(SAMPLE);
  for (let changes = 1 + random(4); changes > 0; changes -= 1) {
    const at = random(message.length);
    const kind = random(4);
    if (kind === 0) message[at] = random(256);
    else if (kind === 1) message.splice(at, 1 + random(4));
    else if (kind === 2) message.splice(at, 0, ...message.slice(at, at + 1 + random(30)));
    else message.splice(at, 0, random(256));
    if (message.length === 0) break;
  }
  return Uint8Array.from(message);
}

describe('the decoder on 150,000 broken messages', () => {
  // Nobody looks at the stacks here, and taking them costs more than everything else.
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    Error.stackTraceLimit = 0;
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  it('either throws a coded error or reads what it can write and read again', () => {
    const random = seeded(20_261);
    const seen = new Map<string, number>();
    const startMs = performance.now();
    for (let i = 0; i < 150_000; i += 1) {
      const message = mutated(random);
      let request: RlsRequest | undefined;
      const code = codeOf(() => (request = decodeRateLimitRequest(message)));
      seen.set(code, (seen.get(code) ?? 0) + 1);
      if (request === undefined) continue;
      const again = decodeRateLimitRequest(encodeRateLimitRequest(request));
      // Not expect(): at this many cases it alone would take most of the time.
      if (!isDeepStrictEqual(again, request)) throw new Error(Buffer.from(message).toString('hex'));
    }
    expect([...seen.keys()].sort()).toEqual(['TG_REQUEST_BAD_UTF8', 'TG_REQUEST_MALFORMED', 'accepted']);
    expect(Math.min(...seen.values())).toBeGreaterThan(1_000);
    expect(performance.now() - startMs).toBeLessThan(30_000);
  });

  it('takes time in proportion to the message, and holds nothing', () => {
    const bounds = { maxMessageBytes: 8_000_000, maxDescriptors: 8_000_000, maxEntries: 64 };
    const shapes = [
      Buffer.alloc(4_000_000, from('12 00')),
      Buffer.alloc(4_000_000, from('0b')),
      Buffer.alloc(4_000_000, from('18 80')),
      Buffer.alloc(4_000_000, from('20 01')),
    ];
    for (const shape of shapes) {
      const startMs = performance.now();
      codeOf(() => decodeRateLimitRequest(shape, bounds));
      expect(performance.now() - startMs).toBeLessThan(10_000);
    }
  });
});
