/** Writes reports: checked before the work begins, written whole or not at all. */
import { accessSync, constants, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
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

/** No report may take the place of what it is of, nor of another report. @throws TidegateError TG_USAGE. */
export function assertApart(input: string, outputs: readonly string[]): void {
  const taken = new Map([[placeOf(input), 'the file that is read']]);
  for (const output of outputs) {
    const place = placeOf(output);
    const before = taken.get(place);
    if (before !== undefined) {
      throw new TidegateError('TG_USAGE', `'${output}' is ${before}`, {
        remedy: 'give each output a file of its own',
      });
    }
    taken.set(place, 'another output');
  }
}

/** Where a path leads, through links, also of a file that is yet to be made. */
function placeOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? resolve(path) : join(placeOf(folder), basename(path));
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
