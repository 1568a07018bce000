/** `tidegate docs`: the documentation that is generated from the code, so that it cannot fall behind. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../app/package-info';
import { renderConfigurationDoc } from '../config/configuration-doc';
import { renderErrorsDoc } from '../core/errors-doc';
import { readOptions } from './arguments';
import type { CommandInput } from './command';

/** Prints the generated pages, or with `--write` puts them into docs/. */
export function docs(input: CommandInput): void {
  const { values } = readOptions(input.rest, { write: { type: 'boolean' } } as const, false);
  const pages = { 'configuration.md': renderConfigurationDoc(), 'errors.md': renderErrorsDoc() };
  for (const [name, text] of Object.entries(pages)) {
    if (values.write === true) writeFileSync(join(packageRoot, 'docs', name), text);
    else input.out(text);
  }
}
