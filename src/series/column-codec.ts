/**
 * The packed form of one column: the figures of one kind over the steps of a chunk. Lossless. Small whole numbers, as
 * counts are, take a byte or less each: differences from step to step or from a like column, in variable length, with
 * runs of zeros counted. Figures with few decimals are scaled to whole numbers; all others stay doubles.
 */
import { type ByteReader, type ByteWriter, INTEGER_MAX, unzigzag, zigzag } from './bytes';

const ZEROS = 0;
const CONSTANT = 1;
const DELTAS = 2;
const DOUBLES = 3;
/** 4 to 9: whole numbers after scaling by 10 to the power of (tag - 3). */
const SCALED = 3;
const SCALE_MAX = 6;
/** From 16 on: differences from the column (tag - 16). */
const LIKE = 16;

function isWhole(values: Float64Array): boolean {
  for (const value of values) {
    // Negative zero would come back as zero.
    if (!Number.isInteger(value) || Math.abs(value) > INTEGER_MAX || Object.is(value, -0)) return false;
  }
  return true;
}

/** The values as whole numbers times 10 to the power of -`power`, when that gives them back exactly. */
function scaled(values: Float64Array, power: number): Float64Array | undefined {
  const factor = 10 ** power;
  const whole = new Float64Array(values.length);
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] ?? 0;
    const rounded = Math.round(value * factor);
    if (rounded / factor !== value || Math.abs(rounded) > INTEGER_MAX || Object.is(rounded, -0))
      return undefined;
    whole[index] = rounded;
  }
  return whole;
}

/** Whole numbers in variable length; a zero is followed by how many more zeros follow it. */
function writeRuns(writer: ByteWriter, count: number, at: (index: number) => number): void {
  for (let index = 0; index < count;) {
    const value = at(index);
    index += 1;
    writer.varint(zigzag(value));
    if (value !== 0) continue;
    let zeros = 0;
    while (index < count && at(index) === 0) {
      zeros += 1;
      index += 1;
    }
    writer.varint(zeros);
  }
}

function readRuns(reader: ByteReader, out: Float64Array): void {
  for (let index = 0; index < out.length && !reader.overrun;) {
    const value = unzigzag(reader.varint());
    out[index] = value;
    index += 1;
    if (value !== 0) continue;
    const end = Math.min(out.length, index + reader.varint());
    out.fill(0, index, end);
    index = end;
  }
}

const deltas =
  (values: Float64Array) =>
  (index: number): number =>
    (values[index] ?? 0) - (index === 0 ? 0 : (values[index - 1] ?? 0));

function sumUp(values: Float64Array): void {
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) {
    sum += values[index] ?? 0;
    values[index] = sum;
  }
}

function writeWhole(writer: ByteWriter, values: Float64Array, earlier: readonly Float64Array[]): void {
  const begin = writer.length;
  writer.byte(DELTAS);
  writeRuns(writer, values.length, deltas(values));
  let best = writer.length - begin;
  for (let column = 0; column < earlier.length; column += 1) {
    const other = earlier[column] as Float64Array;
    if (!isWhole(other)) continue;
    const mark = writer.length;
    writer.byte(LIKE + column);
    writeRuns(writer, values.length, (index) => (values[index] ?? 0) - (other[index] ?? 0));
    const size = writer.length - mark;
    if (size < best) {
      const shorter = writer.copy(mark);
      writer.truncate(begin);
      writer.append(shorter);
      best = size;
    } else writer.truncate(mark);
  }
}

/**
 * Writes finite values.
 * @param earlier columns of the same length that were written before and will be read before.
 */
export function writeColumn(
  writer: ByteWriter,
  values: Float64Array,
  earlier: readonly Float64Array[],
): void {
  const first = values[0] ?? 0;
  if (values.every((value) => Object.is(value, first))) {
    writer.byte(Object.is(first, 0) ? ZEROS : CONSTANT);
    if (!Object.is(first, 0)) writer.double(first);
    return;
  }
  if (isWhole(values)) {
    writeWhole(writer, values, earlier);
    return;
  }
  for (let power = 1; power <= SCALE_MAX; power += 1) {
    const whole = scaled(values, power);
    if (whole === undefined) continue;
    writer.byte(SCALED + power);
    writeRuns(writer, whole.length, deltas(whole));
    return;
  }
  writer.byte(DOUBLES);
  for (const value of values) writer.double(value);
}

/** Reads `count` values; undefined when the bytes are none of {@link writeColumn}'s. */
export function readColumn(
  reader: ByteReader,
  count: number,
  earlier: readonly Float64Array[],
): Float64Array | undefined {
  const values = new Float64Array(count);
  const tag = reader.byte();
  if (tag === CONSTANT) values.fill(reader.double());
  else if (tag === DELTAS || (tag > SCALED && tag <= SCALED + SCALE_MAX)) {
    readRuns(reader, values);
    sumUp(values);
    const factor = tag === DELTAS ? 1 : 10 ** (tag - SCALED);
    if (factor !== 1)
      for (let index = 0; index < count; index += 1) values[index] = (values[index] ?? 0) / factor;
  } else if (tag === DOUBLES) {
    if (reader.left < 8 * count) return undefined;
    for (let index = 0; index < count; index += 1) values[index] = reader.double();
  } else if (tag >= LIKE) {
    const other = earlier[tag - LIKE];
    if (other === undefined) return undefined;
    readRuns(reader, values);
    for (let index = 0; index < count; index += 1) values[index] = (values[index] ?? 0) + (other[index] ?? 0);
  } else if (tag !== ZEROS) return undefined;
  return reader.overrun ? undefined : values;
}
