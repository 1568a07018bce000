/** What the package says of itself, and where it lies. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The package's root: the folder that holds proto/, examples/ and docs/. Two up from both src/app and dist/app. */
export const packageRoot = join(__dirname, '..', '..');

const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };

/** The version in package.json. */
export function packageVersion(): string {
  return manifest.version;
}
