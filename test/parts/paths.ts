/** Where the real programs are: on PATH, else in `.parts/` where `npm run test:setup` puts them. */
import path from 'node:path';
import { findPart, ROOT } from '../../scripts/parts/catalogue.cjs';

/** The repository's root, absolute. */
export const ROOT_PATH: string = ROOT;

/** The programs that the tests may run. */
export type PartName =
  | 'envoy'
  | 'redis-server'
  | 'redis-cli'
  | 'openssl'
  | 'docker-compose'
  | 'prometheus'
  | 'promtool'
  | 'chromium'
  | 'h2spec';

/**
 * The absolute path of a program.
 * Throws when it is missing: a test that needs a real part fails without it, it does not skip.
 */
export function partPath(name: PartName): string {
  const found = findPart(name);
  if (found === undefined) throw new Error(`${name} is not installed; run npm run test:setup`);
  return found;
}

/** A path inside the repository. */
export function repositoryPath(...parts: readonly string[]): string {
  return path.join(ROOT_PATH, ...parts);
}
