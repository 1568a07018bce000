/** `tidegate check FILE...`: reads limits as a load would, and reports every mistake. */
import { compileFor, readLimitsAt } from '../app/limits-loading';
import { TidegateError } from '../core/errors';
import { readOptions } from './arguments';
import { Refusal } from '../app/refusal';
import { settingsFor } from './settings';
import type { CommandInput } from './command';

/** @throws Refusal with all mistakes. */
export async function check(input: CommandInput): Promise<void> {
  const { positionals } = readOptions(input.rest, {}, true);
  const { settings } = settingsFor(input.settingsFlags, input.env);
  const paths =
    positionals.length > 0 ? positionals : settings.limits.path === undefined ? [] : [settings.limits.path];
  if (paths.length === 0)
    throw new TidegateError('TG_USAGE', 'check needs the path of a limits file or directory');
  const read = await Promise.all(paths.map((path) => readLimitsAt(path, settings)));
  const { table, errors, warnings } = compileFor(read.flat(), settings);
  for (const warning of warnings) input.err(`warning: ${warning.toString()}\n`);
  if (table === undefined) throw new Refusal(errors);
  const files = read.flat().length;
  input.out(
    `ok: ${files} ${files === 1 ? 'file' : 'files'}, ${table.domains.size} ${table.domains.size === 1 ? 'domain' : 'domains'}, ${table.rules.length} ${table.rules.length === 1 ? 'rule' : 'rules'}\n`,
  );
}
