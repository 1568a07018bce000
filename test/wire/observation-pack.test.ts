/** Batches as bytes: what goes in comes out, once; nonsense is refused with a code. */
import fc from 'fast-check';
import { TidegateError } from '../../src/core/errors';
import { COUNTS, type ClassInfo, type HostSample, type ObservationBatch } from '../../src/core/observation';
import { BatchPacker, BatchUnpacker } from '../../src/wire/observation-pack';

const info = (id: string): ClassInfo => ({ id, kind: 'rule', parent: 'service:s', service: 's' });

function batch(sequence: number, part: Partial<ObservationBatch> = {}): ObservationBatch {
  return {
    source: 'a',
    sequence,
    atMs: sequence * 1_000,
    stepMs: 1_000,
    added: [],
    classes: [],
    counts: new Float64Array(),
    ...part,
  };
}

function rowsOf(ids: readonly string[], figure: (row: number, column: number) => number) {
  return {
    classes: ids,
    counts: Float64Array.from({ length: ids.length * COUNTS.length }, (_, at) =>
      figure(Math.floor(at / COUNTS.length), at % COUNTS.length),
    ),
  };
}

function taken(unpacker: BatchUnpacker, bytes: Uint8Array): ObservationBatch {
  const unpacked = unpacker.unpack(bytes);
  if (unpacked.kind !== 'batch') throw new Error(unpacked.kind);
  return unpacked.batch;
}

const cost = fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e9, noNaN: true }));
const anyInfo: fc.Arbitrary<ClassInfo> = fc.record(
  {
    id: fc.string({ unit: 'grapheme', minLength: 1 }),
    kind: fc.constantFrom('rule', 'key', 'service', 'tenant', 'signal'),
    parent: fc.string(),
    service: fc.string(),
    tenant: fc.string({ unit: 'binary-ascii' }),
    operation: fc.string({ unit: 'binary-ascii' }),
    cost: fc.record({ cpu: cost, memory: cost, io: cost, network: cost }),
  },
  { requiredKeys: ['id', 'kind'] },
);
const figure = fc.oneof(
  fc.nat(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(2 ** 52, 2 ** 53, -0, 1e300),
);

test('what is packed comes out as it was, whatever the figures and names', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(anyInfo, { selector: ({ id }) => id, maxLength: 20 }),
      fc.array(fc.array(figure, { minLength: 100, maxLength: 100 }), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      (infos, figures, keys) => {
        const packer = new BatchPacker(7);
        const unpacker = new BatchUnpacker();
        figures.forEach((row, step) => {
          const host: HostSample | undefined =
            step % 2 === 0
              ? undefined
              : {
                  cpu: 0.5,
                  memory: NaN,
                  diskReadBytesPerS: 1,
                  diskWriteBytesPerS: 2,
                  networkReceivedBytesPerS: 3,
                  networkSentBytesPerS: 4,
                  eventLoopDelayMs: 5,
                };
          const sent = batch(step + 1, {
            added: step === 0 ? infos : [],
            ...rowsOf(
              infos.map(({ id }) => id),
              (at, column) => row[at * COUNTS.length + column] ?? 0,
            ),
            ...(host === undefined ? {} : { host }),
          });
          expect(taken(unpacker, packer.pack(sent, step === 0 || keys))).toEqual(sent);
        });
      },
    ),
  );
});

test('a class is named once to a reader, and again to one that begins at a later key batch', () => {
  const packer = new BatchPacker(1);
  const early = new BatchUnpacker();
  const first = packer.pack(batch(1, { added: [info('x')], ...rowsOf(['x'], () => 1) }), true);
  const second = packer.pack(batch(2, { added: [info('y')], ...rowsOf(['x', 'y'], () => 2) }), false);
  const third = packer.pack(
    batch(
      3,
      rowsOf(['y'], () => 3),
    ),
    true,
  );
  expect([first, second, third].map((bytes) => taken(early, bytes).added.map(({ id }) => id))).toEqual([
    ['x'],
    ['y'],
    [],
  ]);
  const late = new BatchUnpacker();
  expect(late.unpack(second)).toEqual({ kind: 'too-early' });
  expect(taken(late, third)).toMatchObject({ added: [info('x'), info('y')], classes: ['y'] });
});

test('one that comes again is known, one that is missing is counted', () => {
  const packer = new BatchPacker(1);
  const unpacker = new BatchUnpacker();
  const all = [1, 2, 3, 6].map((sequence) => packer.pack(batch(sequence), sequence === 1));
  const found = [0, 1, 1, 0, 2, 3].map((at) => unpacker.unpack(all[at] ?? new Uint8Array()));
  expect(found.map(({ kind }) => kind)).toEqual(['batch', 'batch', 'doubled', 'doubled', 'batch', 'batch']);
  expect(found.at(-1)).toMatchObject({ missing: 2 });
});

test('a sender that begins anew is another one', () => {
  const unpacker = new BatchUnpacker();
  expect(unpacker.unpack(new BatchPacker(1).pack(batch(9), true)).kind).toBe('batch');
  expect(unpacker.unpack(new BatchPacker(2).pack(batch(1), true))).toMatchObject({
    kind: 'batch',
    missing: 0,
  });
});

test('rows of classes whose naming was missed are left out and counted, until a key batch', () => {
  const packer = new BatchPacker(1);
  const unpacker = new BatchUnpacker();
  unpacker.unpack(packer.pack(batch(1, { added: [info('x')] }), true));
  packer.pack(batch(2, { added: [info('y')] }), false);
  const third = packer.pack(
    batch(
      3,
      rowsOf(['x', 'y'], (row) => row),
    ),
    false,
  );
  expect(unpacker.unpack(third)).toMatchObject({ missing: 1, unknownRows: 1, batch: { classes: ['x'] } });
  expect(
    taken(
      unpacker,
      packer.pack(
        batch(
          4,
          rowsOf(['y'], () => 1),
        ),
        true,
      ),
    ),
  ).toMatchObject({ classes: ['y'], added: [info('y')] });
});

test('a class that ends is told, and goes on when it is added again', () => {
  const packer = new BatchPacker(1);
  const unpacker = new BatchUnpacker();
  unpacker.unpack(packer.pack(batch(1, { added: [info('x')], ...rowsOf(['x'], () => 1) }), true));
  expect(
    taken(unpacker, packer.pack(batch(2, { ended: ['x', 'never'], ...rowsOf(['x'], () => 1) }), false)),
  ).toMatchObject({ ended: ['x'], classes: ['x'] });
  const again = packer.pack(batch(3, { added: [info('x')], ...rowsOf(['x'], () => 1) }), false);
  expect(taken(unpacker, again)).toMatchObject({ added: [info('x')], classes: ['x'] });
});

test('ten thousand classes with traffic take little', () => {
  const packer = new BatchPacker(1);
  const ids = Array.from({ length: 10_000 }, (_, at) => `domain.path_/api/v1/some/thing/${at}`);
  packer.pack(batch(1, { added: ids.map(info) }), true);
  const bytes = packer.pack(
    batch(
      2,
      rowsOf(ids, (row, column) => (column === 3 ? 0 : row % 200)),
    ),
    false,
  );
  expect(bytes.length).toBeLessThan(10_000 * 12);
});

describe('what is no batch', () => {
  const good = new BatchPacker(1).pack(
    batch(1, { added: [info('x'), info('y')], ...rowsOf(['x', 'y'], () => 1e9) }),
    true,
  );
  const refusal = (bytes: Uint8Array): string => {
    try {
      return new BatchUnpacker().unpack(bytes).kind;
    } catch (thrown) {
      return thrown instanceof TidegateError ? thrown.code : String(thrown);
    }
  };

  test('is refused: cut off anywhere, too long, or of another version', () => {
    for (let length = 0; length < good.length; length += 1)
      expect(refusal(good.subarray(0, length))).toBe('TG_STORE_REPLY');
    expect(refusal(Uint8Array.from([...good, 0]))).toBe('TG_STORE_REPLY');
    expect(refusal(Uint8Array.from([9, ...good.subarray(1)]))).toBe('TG_STORE_REPLY');
  });

  test('never does harm, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(['TG_STORE_REPLY', 'batch', 'too-early']).toContain(refusal(bytes));
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
        const changed = Uint8Array.from(good);
        changed[at] = byte;
        expect(['TG_STORE_REPLY', 'batch', 'too-early']).toContain(refusal(changed));
      }),
      { numRuns: 2_000 },
    );
  });
});

test('a class whose name has no end is refused', () => {
  const long = 'x'.repeat(20_000);
  for (const odd of [
    { id: long },
    { parent: long },
    { service: long },
    { tenant: long },
    { operation: long },
  ]) {
    const bytes = new BatchPacker(1).pack(batch(1, { added: [{ ...info('a'), ...odd }] }), true);
    expect(() => new BatchUnpacker().unpack(bytes)).toThrow(TidegateError);
  }
});
