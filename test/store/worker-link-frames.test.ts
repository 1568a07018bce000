import fc from 'fast-check';
import { TidegateError } from '../../src/core/errors';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { writeFailed, writeMoved, writeResults } from '../../src/store/worker-link/answers';
import { FrameReader } from '../../src/store/worker-link/frame-reader';
import { FrameWriter } from '../../src/store/worker-link/frame-writer';
import { KeyNumbers } from '../../src/store/worker-link/key-numbers';
import { LinkServer, SharedParams } from '../../src/store/worker-link/link-server';
import { LinkStore } from '../../src/store/worker-link/link-store';
import { call, daily, request } from './contract-form';
import { LinkedPrimary, outputTo } from './linked-primary';
import { SimulatedClock } from './simulated-clock';

/** Bytes of one frame with these words. */
function frame(...words: readonly number[]): Uint8Array {
  return new Uint8Array(Float64Array.of(words.length, ...words).buffer);
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks));
}

const serverAlone = (): LinkServer =>
  new LinkServer(
    new MemoryStore({ clock: new SimulatedClock() }),
    new SharedParams(),
    outputTo(() => undefined),
  );
const storeAlone = (): LinkStore =>
  new LinkStore({ output: outputTo(() => undefined), nowMs: () => performance.now() });

describe('frames', () => {
  const item = fc.oneof(
    fc.double(),
    fc.string({ unit: 'binary', maxLength: 50 }),
    fc.constantFrom('', '\ud800', 'é'.repeat(9_000), '鍵'.repeat(9_000)),
  );

  test('bring words and texts as they were, however they are cut', () => {
    const frames = fc.array(fc.array(item, { minLength: 1, maxLength: 20 }), { maxLength: 10 });
    fc.assert(
      fc.property(frames, fc.array(fc.nat(30_000), { maxLength: 12 }), (sent, cuts) => {
        const bytes: Uint8Array[] = [];
        const writer = new FrameWriter();
        for (const items of sent) {
          for (const one of items) {
            const at = writer.reserve(1);
            const word = typeof one === 'number' ? one : writer.text(one);
            writer.words[at] = word;
          }
          writer.flush(outputTo((whole) => bytes.push(whole)));
        }
        const got: (string | number)[][] = [];
        const reader: FrameReader = new FrameReader(() => {
          const items = sent[got.length] ?? [];
          got.push(
            items.map((one) => (typeof one === 'number' ? reader.next() : reader.text(reader.next()))),
          );
        });
        const all = joined(bytes);
        const places = [0, ...cuts.map((cut) => cut % (all.length + 1)).sort((a, b) => a - b), all.length];
        places.slice(1).forEach((to, i) => reader.receive(all.subarray(places[i], to)));
        expect(got).toEqual(sent);
      }),
      { numRuns: 120 },
    );
  });

  const server = (): { receive(chunk: Uint8Array): void } => serverAlone();
  const store = (): { receive(chunk: Uint8Array): void } => storeAlone();
  const params = [1, 0, 0, 10, 60_000_000, 10, 166_667, 0];
  test.each([
    ['a length that is no number', server, frame(2).fill(0xff)],
    ['a length of nothing', server, new Uint8Array(8)],
    ['a length beyond the bound', server, new Uint8Array(Float64Array.of(2 ** 20, 0).buffer)],
    ['an unknown ask', server, frame(9)],
    ['a record that is cut off', server, frame(2, 0)],
    ['parameters that cannot be', server, frame(1, 0, 0, -10, 60_000_000, 10, 166_667, 0)],
    ['parameters of an unknown algorithm', server, frame(1, 0, 7, 10, 60_000_000, 10, 166_667, 0)],
    ['parameters by too high a number', server, frame(1, 8_192, 0, 10, 60_000_000, 10, 166_667, 0)],
    ['parameters that were not told', server, frame(2, 0, 1, 1, 5, 0, 0)],
    ['a key that was not told', server, frame(...params, 2, 0, 1, 1, 0, 0, 3)],
    ['a key by too high a number', server, frame(...params, 2, 0, 1, 1, 0, 0, -3, 2 ** 17, 0)],
    ['a text longer than its frame', server, frame(...params, 2, 0, 1, 1, 0, 0, -1_000, -1)],
    ['a text without a length', server, frame(...params, 2, 0, 1, 1, 0, 0, -2.5, -1)],
    ['too many calls', server, frame(...params, 2, 0, 8_193)],
    ['flags without a meaning', server, frame(...params, 2, 16, 1, 1, 0, 0, -1, -1)],
    ['a role without a meaning', server, frame(...params, 2, 0, 1, 1, 0, 3, -1, -1)],
    ['an unknown answer', store, frame(9)],
    ['results that nobody asked for', store, frame(1, 1, 5, 5, 5, 0, 0)],
    ['a grant that nobody asked for', store, frame(2, 1, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['a transfer that nobody asked for', store, frame(3, 0, 0)],
    ['an error that nobody asked for', store, frame(4, -1)],
  ])('with %s are refused', (_, side, bytes) => {
    expect(() => side().receive(bytes)).toThrow(TidegateError);
  });

  test('an answer of another size than what was asked is refused', async () => {
    const link = storeAlone();
    void link.decide(request([call('k', daily('token_bucket', 5), 1)]));
    expect(() => link.receive(frame(1, 0))).toThrow('an answer to something else');
    await link.close();
  });

  test('of any bytes do no harm but to their own link', async () => {
    const primary = new LinkedPrimary();
    const link = primary.link();
    const asked = ['a', 'bé', '鍵'].flatMap((key) => [
      link.decide(request([call(key, daily('token_bucket', 5), 1), call('k', daily('fixed_window', 5), 2)])),
    ]);
    await Promise.all(asked.map((one) => Promise.resolve(one)));
    const sound = joined(primary.frames);
    const change = fc.tuple(fc.nat(sound.length - 1), fc.nat(255));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.array(fc.double(), { minLength: 1, maxLength: 20 }).map((words) => frame(...words)),
          fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
            const bytes = Uint8Array.from(sound);
            for (const [at, byte] of changes) bytes[at] = byte;
            return bytes;
          }),
        ),
        (bytes) => {
          for (const side of [serverAlone(), storeAlone()]) {
            try {
              side.receive(bytes);
            } catch (thrown) {
              expect(thrown).toBeInstanceOf(TidegateError);
            }
          }
        },
      ),
      { numRuns: 1_500 },
    );
    await link.close();
  });
});

test('numbers of keys are those given last, and no two keys have one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.nat(20), { maxLength: 200 }), (most, asked) => {
      const numbers = new KeyNumbers(most);
      const remembered = new Map<number, string>();
      for (const key of asked.map(String)) {
        const known = numbers.of(key);
        if (known !== -1) expect(remembered.get(known)).toBe(key);
        else {
          expect([...remembered.values()]).not.toContain(key);
          remembered.set(numbers.add(key), key);
        }
        expect(remembered.size).toBeLessThanOrEqual(most);
      }
    }),
  );
});

test.each([
  ['a failure', (writer: FrameWriter) => writeFailed(writer, new TidegateError('TG_STORE_REPLY', 'no')), 0],
  ['a transfer', (writer: FrameWriter) => writeMoved(writer, { moved: 3, lost: 1 }), 0],
  [
    'an error among results',
    (writer: FrameWriter) => writeResults(writer, [new TidegateError('TG_INTERNAL', 'no')]),
    2,
  ],
])('%s is as it was written wherever the frame had to grow for it', (_, write, marker) => {
  const words = (before: number): number[] => {
    const writer = new FrameWriter();
    writer.words.fill(0, writer.reserve(before), before + 1);
    const at = writer.reserve(0);
    write(writer);
    return [...writer.words.slice(at, writer.reserve(0))];
  };
  const expected = words(0);
  expect(expected[marker]).not.toBe(0);
  for (let before = 2_030; before <= 2_050; before += 1) expect(words(before)).toEqual(expected);
});
