/** Answers as records; see the format. */
import type { BucketResult } from '../../core/buckets';
import { TidegateError } from '../../core/errors';
import type { LeaseReply } from '../../core/leases';
import type { TransferResult } from '../../core/pool-link';
import { ANSWER, errorOf, errorText, MAX_CALLS } from './format';
import type { FrameReader } from './frame-reader';
import type { FrameWriter } from './frame-writer';

/** Writes what a request came to. */
export function writeResults(writer: FrameWriter, results: readonly BucketResult[]): void {
  const at = writer.reserve(2);
  writer.words[at] = ANSWER.RESULTS;
  writer.words[at + 1] = results.length;
  for (const result of results) {
    if (result instanceof TidegateError) {
      writer.put(NaN);
      writeError(writer, result);
      continue;
    }
    const place = writer.reserve(5);
    const { words } = writer;
    words[place] = result.allowed ? result.remaining : -1 - result.remaining;
    words[place + 1] = result.usedBefore;
    words[place + 2] = result.usedAfter;
    words[place + 3] = result.resetUs;
    words[place + 4] = result.retryAfterUs;
  }
}

/** Reads what a request came to. @throws TidegateError for what is none, as all that read here do. */
export function readResults(reader: FrameReader): BucketResult[] {
  const count = reader.count(MAX_CALLS);
  if (count === 1) return [readResult(reader)];
  const results: BucketResult[] = [];
  for (let i = 0; i < count; i += 1) results.push(readResult(reader));
  return results;
}

function readResult(reader: FrameReader): BucketResult {
  const left = reader.next();
  if (Number.isNaN(left)) return errorOf(reader.text(reader.next()));
  const allowed = left >= 0;
  return {
    allowed,
    usedBefore: reader.next(),
    usedAfter: reader.next(),
    remaining: allowed ? left : -1 - left,
    resetUs: reader.next(),
    retryAfterUs: reader.next(),
  };
}

/** Writes what a lease's ask came to. */
export function writeGrant(writer: FrameWriter, reply: LeaseReply): void {
  const at = writer.reserve(10);
  const { words } = writer;
  words[at] = ANSWER.GRANT;
  words[at + 1] = reply.settled ? 1 : 0;
  words[at + 2] = reply.granted;
  words[at + 3] = reply.accepted;
  words[at + 4] = reply.outstanding;
  words[at + 5] = reply.remaining;
  words[at + 6] = reply.resetUs;
  words[at + 7] = reply.window;
  words[at + 8] = reply.forgotten;
  words[at + 9] = reply.missing;
}

/** Reads what a lease's ask came to. */
export function readGrant(reader: FrameReader): LeaseReply {
  return {
    settled: reader.next() === 1,
    granted: reader.next(),
    accepted: reader.next(),
    outstanding: reader.next(),
    remaining: reader.next(),
    resetUs: reader.next(),
    window: reader.next(),
    forgotten: reader.next(),
    missing: reader.next(),
  };
}

/** Writes what a transfer came to. */
export function writeMoved(writer: FrameWriter, { moved, lost }: TransferResult): void {
  writer.put(ANSWER.MOVED);
  writer.put(moved);
  writer.put(lost);
}

/** Reads what a transfer came to. */
export function readMoved(reader: FrameReader): TransferResult {
  return { moved: reader.next(), lost: reader.next() };
}

/** Writes that an ask came to nothing, and why. */
export function writeFailed(writer: FrameWriter, error: TidegateError): void {
  writer.put(ANSWER.FAILED);
  writeError(writer, error);
}

function writeError(writer: FrameWriter, error: TidegateError): void {
  const at = writer.reserve(1);
  const told = writer.text(errorText(error));
  writer.words[at] = told;
}
