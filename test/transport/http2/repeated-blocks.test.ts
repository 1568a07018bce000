/** Header blocks that come again and again: whoever remembers the last one reads what whoever does not reads. */
import fc from 'fast-check';
import { HeaderDecoder } from '../../../src/transport/http2/header-decoder';
import { RepeatedBlock } from '../../../src/transport/http2/repeated-block';
import { RequestHead } from '../../../src/transport/http2/request-head';
import { integer, TestEncoder, text } from './hpack-bytes';

const ROUTES = new Map([['/t.Echo/Now', 2]]);

/** What is asked of a head. */
function shown(head: RequestHead): object {
  const { method, route, contentType, timeoutMs, encoding, contentLength, traceparent, listBytes } = head;
  return {
    ...{ method, route, contentType, timeoutMs, encoding, contentLength, traceparent, listBytes },
    ...{ request: head.isRequest(), trailers: head.isTrailers() },
  };
}

const added = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0x40]), text(name, true), text(value, true)]);
const plain = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0]), text(name, false), text(value, false)]);

/** Pieces of blocks: fields of the static table, of whatever the dynamic table has, and literals, some of which are added. */
const piece = fc.constantFrom(
  ...[0x82, 0x83, 0x84, 0x86, 0xbe, 0xbf, 0xc0].map((byte) => Buffer.from([byte])),
  added('grpc-timeout', '1S'),
  added('grpc-timeout', '20m'),
  added(':path', '/t.Echo/Now'),
  plain(':path', '/t.Echo/Now'),
  plain(':path', '/t.Echo/Never'),
  plain('traceparent', '00-1-2-3'),
  plain('x-long', 'l'.repeat(300)),
  integer(0x20, 5, 0),
  integer(0x20, 5, 4_096),
);
const block = fc.array(piece, { maxLength: 6 }).map((pieces) => Buffer.concat(pieces));
/** A few blocks, each of them in runs. */
const sequence = fc.array(block, { minLength: 1, maxLength: 4 }).chain((blocks) =>
  fc.array(fc.tuple(fc.constantFrom(...blocks), fc.integer({ min: 1, max: 20 })), {
    minLength: 1,
    maxLength: 8,
  }),
);

describe('a header block that comes again', () => {
  it('is read as if it had not come before', () => {
    fc.assert(
      fc.property(sequence, (runs) => {
        const [remembers, forgets] = [new HeaderDecoder(ROUTES, true), new HeaderDecoder(ROUTES, true)];
        const head = new RequestHead();
        for (const [bytes, times] of runs) {
          for (let time = 0; time < times; time += 1) {
            const framed = Buffer.concat([Buffer.alloc(time % 3), bytes]);
            const isRead = remembers.decode(framed, time % 3, framed.length, head);
            const other = new RequestHead();
            expect(forgets.decode(bytes, 0, bytes.length, other)).toBe(isRead);
            if (!isRead) return;
            expect(shown(head)).toEqual(shown(other));
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('means another thing once the dynamic table has changed', () => {
    const decoder = new HeaderDecoder(ROUTES, false);
    const head = new RequestHead();
    const encoder = new TestEncoder();
    const decode = (bytes: Buffer): number => {
      expect(decoder.decode(bytes, 0, bytes.length, head)).toBe(true);
      return head.timeoutMs;
    };
    const newest = Buffer.from([0x80 | 62]);
    expect(decode(encoder.field(['grpc-timeout', '1S'], 'added'))).toBe(1_000);
    for (let time = 0; time < 30; time += 1) expect(decode(newest)).toBe(1_000);
    expect(decode(encoder.field(['grpc-timeout', '2S'], 'added'))).toBe(2_000);
    for (let time = 0; time < 30; time += 1) expect(decode(newest)).toBe(2_000);
  });

  it('is noted one time in eight, when it is short, and told by its bytes and by the table', () => {
    const repeated = new RepeatedBlock();
    const bytes = Buffer.from([1, 2, 3]);
    const noted = Array.from({ length: 8 }, () => {
      repeated.note(bytes, 0, 3, 5);
      return repeated.is(bytes, 0, 3, 5);
    });
    expect(noted).toEqual([...Array<boolean>(7).fill(false), true]);
    expect(repeated.is(bytes, 0, 3, 6)).toBe(false);
    expect(repeated.is(bytes, 0, 2, 5)).toBe(false);
    expect(repeated.is(Buffer.from([1, 2, 4]), 0, 3, 5)).toBe(false);
    repeated.forget();
    expect(repeated.is(bytes, 0, 3, 5)).toBe(false);
    for (let time = 0; time < 20; time += 1) repeated.note(Buffer.alloc(1_000), 0, 1_000, 5);
    expect(repeated.is(Buffer.alloc(1_000), 0, 1_000, 5)).toBe(false);
  });
});
