/** Writes reports: checked before the work begins, written whole or not at all. */
import { accessSync, constants, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TidegateError } from '../../core/errors';

/** Hours of work must not end in a path that cannot be written. @throws TidegateError TG_OUTPUT_UNWRITABLE. */
export function assertWritable(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error('it is a folder');
  } catch (thrown) {
    throw unwritable(path, thrown);
  }
}

/** Replaces the file as a whole. @throws TidegateError TG_OUTPUT_UNWRITABLE, the old file being left as it was. */
export function writeWhole(path: string, text: string): void {
  const part = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  try {
    writeFileSync(part, text);
    renameSync(part, path);
  } catch (thrown) {
    rmSync(part, { force: true });
    throw unwritable(path, thrown);
  }
}

function unwritable(path: string, thrown: unknown): TidegateError {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new TidegateError('TG_OUTPUT_UNWRITABLE', why, { at: { file: path }, cause: thrown });
}
