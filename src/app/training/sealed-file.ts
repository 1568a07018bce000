/** Files of one JSON object that say what they are, and tell whether they are whole: `{format, version, digest, body}`. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { ErrorCode } from '../../core/error-catalogue';
import { TidegateError } from '../../core/errors';
import { writeWhole } from '../backtest/report-files';

/** What kind of file it is, and what is told when it is not. */
export interface FileKind {
  readonly format: string;
  readonly version: number;
  readonly code: ErrorCode;
}

/** Larger files are none of ours. */
const BYTES_MAX = 256 * 1_048_576;

/** Writes a file whole, or leaves the old one as it was. @throws TidegateError TG_OUTPUT_UNWRITABLE. */
export function writeSealed(path: string, { format, version }: FileKind, body: unknown): void {
  const text = JSON.stringify(body);
  const head = JSON.stringify({ format, version, digest: digestOf(text) });
  writeWhole(path, `${head.slice(0, -1)},"body":${text}}\n`);
}

/** @returns the body, of which nothing is known yet. @throws TidegateError of the kind's code. */
export function readSealed(path: string, kind: FileKind): unknown {
  const bad = (why: string, cause?: unknown): TidegateError =>
    new TidegateError(kind.code, why, { at: { file: path }, cause });
  const text = textOf(path, bad);
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (thrown) {
    throw bad('is not whole, or is no JSON', thrown);
  }
  if (!isRecord(file) || file['format'] !== kind.format) throw bad(`is no ${kind.format} file`);
  if (file['version'] !== kind.version)
    throw bad(`is of version ${String(file['version'])}, not ${kind.version}`);
  if (file['digest'] !== digestOf(JSON.stringify(file['body'] ?? null)))
    throw bad('is damaged: its digest does not fit');
  return file['body'];
}

/** SHA-256 as hexadecimal digits. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Whether something is an object with keys. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(path: string, bad: (why: string, cause?: unknown) => TidegateError): string {
  try {
    const { size } = statSync(path);
    if (size > BYTES_MAX) throw new Error(`it has more than ${BYTES_MAX} bytes`);
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    throw bad(`cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`, thrown);
  }
}
