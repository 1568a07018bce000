/** Header blocks: RFC 7541's own examples, and random ones against a model that keeps every string. */
import fc from 'fast-check';
import { DynamicTable } from '../../../src/transport/http2/dynamic-table';
import {
  BAD_PATH,
  Encoding,
  GRPC_CONTENT,
  Kind,
  Method,
  NO_ROUTE,
} from '../../../src/transport/http2/field-kind';
import { HeaderDecoder } from '../../../src/transport/http2/header-decoder';
import { RequestHead } from '../../../src/transport/http2/request-head';
import { STATIC_TABLE } from '../../../src/transport/http2/static-table';
import {
  type Form,
  type HeaderLine,
  huffman,
  HUFFMAN_CHARACTERS,
  integer,
  TestEncoder,
  text,
} from './hpack-bytes';

const ROUTES = new Map([
  ['/', 0],
  ['/index.html', 1],
  ['/t.Echo/Now', 2],
]);
const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');

function decode(decoder: HeaderDecoder, bytes: Buffer): RequestHead | undefined {
  const head = new RequestHead();
  const framed = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]);
  return decoder.decode(framed, 6, 6 + bytes.length, head) ? head : undefined;
}

const listBytes = (lines: readonly HeaderLine[]): number =>
  lines.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);

describe('RFC 7541, appendix C: requests', () => {
  const requests: readonly (readonly HeaderLine[])[] = [
    [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'www.example.com'],
    ],
    [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'www.example.com'],
      ['cache-control', 'no-cache'],
    ],
    [
      [':method', 'GET'],
      [':scheme', 'https'],
      [':path', '/index.html'],
      [':authority', 'www.example.com'],
      ['custom-key', 'custom-value'],
    ],
  ];
  test.each([
    [
      'C.3, without Huffman code',
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
    ],
    [
      'C.4, with it',
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
    ],
  ])('%s', (_name, blocks) => {
    const decoder = new HeaderDecoder(ROUTES, true);
    blocks.forEach((block, index) => {
      const head = decode(decoder, hex(block))!;
      expect(head.isRequest()).toBe(true);
      expect(head.method).toBe(Method.GET);
      expect(head.route).toBe(index === 2 ? 1 : 0);
      expect(head.listBytes).toBe(listBytes(requests[index]!));
    });
  });

  test('C.2.1 to C.2.3: literals in each form', () => {
    const decoder = new HeaderDecoder(ROUTES, true);
    for (const [block, bytes] of [
      ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', 55],
      ['be', 55],
      ['040c 2f73 616d 706c 652f 7061 7468', 17 + 32],
      ['1008 7061 7373 776f 7264 0673 6563 7265 74', 14 + 32],
    ] as const) {
      expect(decode(decoder, hex(block))!.listBytes).toBe(bytes);
    }
    expect(decode(decoder, hex('bf'))).toBeUndefined();
  });
});

test('C.5: the dynamic table evicts by size', () => {
  const table = new DynamicTable();
  expect(table.resize(256)).toBe(true);
  const add = ([name, value]: HeaderLine): void =>
    table.add(Kind.IGNORED, name.length, value.length, 0, undefined);
  const sizes = (): number[] => Array.from({ length: table.count }, (_, age) => table.size(table.slot(age)));
  const date = 'Mon, 21 Oct 2013 20:13:21 GMT';
  for (const line of [
    [':status', '302'],
    ['cache-control', 'private'],
    ['date', date],
  ] as const)
    add(line);
  add(['location', 'https://www.example.com']);
  expect(sizes()).toEqual([63, 65, 52, 42]);
  add([':status', '307']);
  expect(sizes()).toEqual([42, 63, 65, 52]);
  add(['date', date]);
  add(['content-encoding', 'gzip']);
  add(['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1']);
  expect(sizes()).toEqual([98, 52, 65]);
  table.add(Kind.IGNORED, 300, 0, 0, undefined);
  expect(table.count).toBe(0);
  expect(table.resize(4_097)).toBe(false);
});

describe('what a gRPC server reads', () => {
  const call: HeaderLine[] = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', '/t.Echo/Now'],
    [':authority', 'a'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ];
  const block = (lines: readonly HeaderLine[], coded = false): Buffer => {
    const encoder = new TestEncoder();
    return Buffer.concat(lines.map((line) => encoder.field(line, 'plain', coded)));
  };
  const headOf = (lines: readonly HeaderLine[], coded = false): RequestHead =>
    decode(new HeaderDecoder(ROUTES, true), block(lines, coded))!;

  test.each([true, false])('a call (Huffman %s)', (coded) => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const head = headOf(
      [
        ...call,
        ['grpc-timeout', '250m'],
        ['grpc-encoding', 'gzip'],
        ['traceparent', traceparent],
        ['content-length', '7'],
      ],
      coded,
    );
    expect(head.isRequest()).toBe(true);
    expect(head).toMatchObject({
      method: Method.POST,
      route: 2,
      contentType: GRPC_CONTENT,
      timeoutMs: 250,
      encoding: Encoding.GZIP,
      traceparent,
      contentLength: 7,
    });
  });

  test('traces are as any other header where nobody reads them', () => {
    const head = decode(new HeaderDecoder(ROUTES, false), block([...call, ['traceparent', 'x']]))!;
    expect(head.traceparent).toBeUndefined();
    expect(head.isRequest()).toBe(true);
  });

  test.each([
    ['1H', 3_600_000],
    ['99999999M', 5_999_999_940_000],
    ['2S', 2_000],
    ['7m', 7],
    ['1500u', 1.5],
    ['1500000n', 1.5],
    ['', -1],
    ['10', -1],
    ['m', -1],
    ['123456789m', -1],
    ['1.5S', -1],
    ['-1S', -1],
    ['1s', -1],
  ])('a grpc-timeout of %j is %d ms', (value, timeoutMs) => {
    expect(headOf([...call, ['grpc-timeout', value]]).timeoutMs).toBeCloseTo(timeoutMs, 9);
  });

  test.each([
    ['application/grpc', true],
    ['application/grpc+proto', true],
    ['application/grpc;charset=utf-8', true],
    ['application/grpc-web', false],
    ['text/html', false],
    ['', false],
  ])('a content-type of %j: %s', (value, grpc) => {
    const head = headOf([...call.filter(([name]) => name !== 'content-type'), ['content-type', value]]);
    expect(head.contentType === GRPC_CONTENT).toBe(grpc);
  });

  test('a path is looked up anew when its bytes are other ones', () => {
    const decoder = new HeaderDecoder(ROUTES, true);
    const route = (path: string, coded: boolean): number =>
      decode(decoder, block([[':path', path]], coded))!.route;
    expect(route('/t.Echo/Now', true)).toBe(2);
    expect(route('/t.Echo/Now', true)).toBe(2);
    expect(route('/t.Echo/Not', true)).toBe(NO_ROUTE);
    expect(route('/t.Echo/Now', false)).toBe(2);
    expect(route(huffman('/t.Echo/Now').toString('latin1'), false)).toBe(BAD_PATH);
    expect(route('/index.html', true)).toBe(1);
    expect(route(`/${'x'.repeat(2_000)}`, false)).toBe(NO_ROUTE);
  });

  test.each<[string, HeaderLine[]]>([
    ['no method', call.slice(1)],
    ['no scheme', call.filter(([name]) => name !== ':scheme')],
    ['no path', call.filter(([name]) => name !== ':path')],
    ['an empty path', call.map(([name, value]) => [name, name === ':path' ? '' : value])],
    ['a path without a slash', call.map(([name, value]) => [name, name === ':path' ? 'a' : value])],
    ['two methods', [[':method', 'POST'], ...call]],
    ['a pseudo-header field after others', [...call, [':authority', 'b']]],
    ['one of responses', [[':status', '200'], ...call]],
    ['one that nobody knows', [[':what', 'x'], ...call]],
    ['upper case', [...call, ['X-Upper', 'x']]],
    ['a name with a space', [...call, ['x y', 'x']]],
    ['no name', [...call, ['', 'x']]],
    ['connection', [...call, ['connection', 'close']]],
    ['transfer-encoding', [...call, ['transfer-encoding', 'chunked']]],
    ['te other than trailers', [...call, ['te', 'gzip']]],
    ['a line break in a value', [...call, ['x', 'a\r\nb: c']]],
    ['a NUL in a value', [...call, ['x', 'a\0b']]],
    ['a content-length that is none', [...call, ['content-length', '-1']]],
    ['two content-lengths', [...call, ['content-length', '1'], ['content-length', '2']]],
  ])('%s: malformed', (_name, lines) => {
    expect(headOf(lines).isRequest()).toBe(false);
  });

  test('what is malformed stays so when it comes from the table', () => {
    const decoder = new HeaderDecoder(ROUTES, true);
    const encoder = new TestEncoder();
    const lines = (): Buffer =>
      Buffer.concat([...call.map((line) => encoder.field(line)), encoder.field(['x', 'a\nb'], 'indexed')]);
    expect(decode(decoder, lines())!.isRequest()).toBe(false);
    expect(decode(decoder, lines())!.isRequest()).toBe(false);
    expect(decode(decoder, block(call))!.isRequest()).toBe(true);
  });
});

describe('blocks that are not HPACK', () => {
  test.each([
    ['index 0', '80'],
    ['an index beyond the tables', 'be'],
    ['a name beyond the tables', '7e 01 61'],
    ['an integer without end', 'ff ff ff ff ff ff ff ff ff 01'],
    ['an integer that is cut', 'ff 80'],
    ['a name that is cut', '40 05 61'],
    ['no value', '40 01 61'],
    ['a value that is cut', '40 01 61 05 62'],
    ['a name that is no Huffman code', '40 81 00 01 61'],
    ['a size update beyond what is allowed', '3f e2 1f'],
    ['a size update after a field', '82 20'],
  ])('%s', (_name, bytes) => {
    expect(decode(new HeaderDecoder(ROUTES, true), hex(bytes))).toBeUndefined();
  });

  test('any bytes are taken or refused', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (blocks) => {
        const decoder = new HeaderDecoder(ROUTES, true);
        for (const bytes of blocks) decode(decoder, Buffer.from(bytes));
      }),
      { numRuns: 1_000 },
    );
  });
});

test('random blocks, in every form, keep the table as a model with strings has it', () => {
  const characters = fc.constantFrom(...HUFFMAN_CHARACTERS.filter((one) => /[ -~]/.test(one)));
  const value = fc.array(characters, { maxLength: 60 }).map((parts) => parts.join(''));
  const name = fc.constantFrom(
    'x-a',
    'x-b',
    'traceparent',
    'grpc-timeout',
    'user-agent',
    'x-request-id',
    'content-type',
    'accept',
  );
  const form = fc.constantFrom<Form>('indexed', 'added', 'plain', 'never');
  const field = fc.tuple(fc.tuple(name, value), form, fc.boolean());
  const update = fc.option(fc.integer({ min: 0, max: 4_096 }), { freq: 4, nil: undefined });
  const blocks = fc.array(fc.tuple(update, fc.array(field, { maxLength: 20 })), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(blocks, (all) => {
      const encoder = new TestEncoder();
      const decoder = new HeaderDecoder(ROUTES, true);
      for (const [maxBytes, fields] of all) {
        const updates = maxBytes === undefined ? [] : [encoder.resize(maxBytes)];
        const bytes = fields.map(([line, how, coded]) => encoder.field(line, how, coded));
        const head = decode(decoder, Buffer.concat([...updates, ...bytes]));
        expect(head?.listBytes).toBe(listBytes(fields.map(([line]) => line)));
        const trace = fields.find(([line]) => line[0] === 'traceparent')?.[0][1];
        expect(head?.traceparent).toBe(trace);
        // Every entry of the table has the size that the model has for it, and there is none beyond.
        encoder.entries.forEach((line, age) => {
          expect(decode(decoder, integer(0x80, 7, STATIC_TABLE.length + 1 + age))?.listBytes).toBe(
            listBytes([line]),
          );
        });
        const beyond = STATIC_TABLE.length + 1 + encoder.entries.length;
        expect(decode(decoder, integer(0x80, 7, beyond))).toBeUndefined();
      }
    }),
    { numRuns: 200 },
  );
});

test('the static table is the one of appendix A', () => {
  expect(STATIC_TABLE).toHaveLength(61);
  expect([1, 2, 8, 14, 16, 31, 32, 61].map((index) => STATIC_TABLE[index - 1]!.join('='))).toEqual([
    ':authority=',
    ':method=GET',
    ':status=200',
    ':status=500',
    'accept-encoding=gzip, deflate',
    'content-type=',
    'cookie=',
    'www-authenticate=',
  ]);
  expect(text('a', false)).toEqual(Buffer.from([1, 0x61]));
});
