/** Packing loses nothing, and counts take little. */
import fc from 'fast-check';
import { ByteReader, ByteWriter, INTEGER_MAX, unzigzag, zigzag } from '../../src/series/bytes';
import { BLOCK_SLOTS, OpenChunk, packChunk, readChunk, unpackChunk } from '../../src/series/chunk';

const count = fc.oneof(
  fc.constant(0),
  fc.nat(20),
  fc.nat(100_000),
  fc.maxSafeNat(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.nat(100_000).map((value) => value / 1_000),
  fc.constant(-0),
  fc.constant(INTEGER_MAX),
);

test('whole numbers come back from variable length', () => {
  fc.assert(
    fc.property(fc.array(fc.maxSafeNat(), { maxLength: 50 }), (values) => {
      const writer = new ByteWriter();
      for (const value of values) writer.varint(value);
      const reader = new ByteReader(writer.copy());
      expect(values.map(() => reader.varint())).toEqual(values);
      expect(reader.overrun).toBe(false);
      expect(reader.left).toBe(0);
    }),
  );
});

test('signs come back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -INTEGER_MAX, max: INTEGER_MAX }), (value) => {
      expect(unzigzag(zigzag(value))).toBe(value);
    }),
  );
});

test('a chunk comes back exactly, slot by slot, missing steps missing', () => {
  const slots = fc.array(
    fc.record({
      slot: fc.nat(BLOCK_SLOTS - 1),
      steps: fc.array(fc.option(fc.array(count, { minLength: 3, maxLength: 3 }), { freq: 3 }), {
        minLength: 20,
        maxLength: 20,
      }),
    }),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(slots, (given) => {
      const chunk = new OpenChunk(3, 20);
      const owners = new Float64Array(BLOCK_SLOTS);
      for (const { slot, steps } of given) {
        owners[slot] = 1_000 + slot;
        chunk.clearSlot(slot);
        steps.forEach((row, step) =>
          row?.forEach((value, column) => {
            chunk.values[chunk.index(slot, step) + column * 20] = value;
          }),
        );
      }
      const packed = packChunk(chunk, owners);
      expect(unpackChunk(packed, owners, 3, 20)?.values).toEqual(chunk.values);
      for (const { slot } of given) {
        const read = readChunk(packed, 1_000 + slot, 3, 20);
        const base = chunk.index(slot, 0);
        const own = chunk.values.subarray(base, base + 60);
        if (own.every(Number.isNaN)) expect(read).toBeUndefined();
        else expect(Float64Array.from(read?.flatMap((column) => [...column]) ?? [])).toEqual(own.slice());
      }
      expect(readChunk(packed, 1, 3, 20)).toBeUndefined();
    }),
  );
});

test('bytes that are no chunk are refused, not read', () => {
  const chunk = new OpenChunk(2, 30);
  chunk.values.fill(3.7, 0, 60);
  chunk.values[5] = 9;
  const owners = new Float64Array(BLOCK_SLOTS);
  owners[0] = 1;
  const packed = packChunk(chunk, owners);
  for (let length = 0; length < packed.length; length += 1)
    expect(unpackChunk(packed.slice(0, length), owners, 2, 30)).toBeUndefined();
  expect(unpackChunk(packed, owners, 3, 30)).toBeUndefined();
  expect(unpackChunk(packed, owners, 2, 31)).toBeUndefined();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const read = unpackChunk(bytes, owners, 2, 30);
      expect(read === undefined || read.values.length === chunk.values.length).toBe(true);
    }),
  );
});

test('a class that is quiet takes a few bytes, and counts that follow one another take little more than one column', () => {
  const chunk = new OpenChunk(5, 60);
  const owners = new Float64Array(BLOCK_SLOTS);
  for (let slot = 0; slot < 32; slot += 1) {
    owners[slot] = slot + 1;
    chunk.values.fill(0, chunk.index(slot, 0), chunk.index(slot + 1, 0));
    if (slot % 2 === 1) continue;
    for (let step = 0; step < 60; step += 1) {
      for (const column of [0, 1, 4])
        chunk.values[chunk.index(slot, step) + column * 60] = (step * 7919) % 23;
    }
  }
  // 16 quiet classes at most 12 bytes each; 16 busy ones 60 bytes and what goes with them.
  expect(packChunk(chunk, owners).length).toBeLessThan(16 * 12 + 16 * 80);
});
