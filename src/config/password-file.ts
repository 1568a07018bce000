/** A password kept in a file, so that it can be rotated without a restart. */
import { readFileSync } from 'node:fs';
import { TidegateError } from '../core/errors';

/** A password is shorter than this, bytes; a larger file is not a password. */
const LENGTH_MAX = 65_536;

/**
 * Reads `store.password_file`: its text without the line end that editors add. To be called at every connection.
 * @throws TidegateError TG_SETTINGS_UNREADABLE when the file cannot be read, is empty, or is too long.
 */
export function readPasswordFile(path: string): string {
  const fail = (message: string, cause?: unknown): TidegateError =>
    new TidegateError('TG_SETTINGS_UNREADABLE', message, {
      at: { file: path, key: 'store.password_file' },
      remedy: 'check the path and its permissions, and that it holds the password alone',
      cause,
    });
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (thrown) {
    throw fail(thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
  if (bytes.length > LENGTH_MAX) throw fail(`the file is longer than ${LENGTH_MAX} bytes`);
  const password = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (password === '') throw fail('the file is empty');
  return password;
}
