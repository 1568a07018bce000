/** Settings on the command line: `--config FILE`, `--limits PATH`, and `--path.to.setting=value` for any setting. */
import { TidegateError } from '../core/errors';
import { put, type Layer } from './layer';
import { nearest } from './nearest';
import { LEAVES, leafAt } from './setting-paths';
import { valueOfText } from './text-values';

/** What the command line says about the settings. */
export interface ParsedFlags {
  readonly configPath: string | undefined;
  readonly layer: Layer;
  readonly errors: readonly TidegateError[];
}

/** Flags that are not named after their setting. */
const ALIASES: Readonly<Record<string, string>> = { limits: 'limits.path' };

interface Flag {
  readonly name: string;
  readonly value: string | undefined;
  /** How many arguments it took. */
  readonly width: number;
}

/** Reads the flag at `index`; a switch may stand alone, all else takes `=value` or the next argument. */
function flagAt(args: readonly string[], index: number): Flag | undefined {
  const arg = args[index] ?? '';
  if (!arg.startsWith('--') || arg === '--') return undefined;
  const equals = arg.indexOf('=');
  if (equals >= 0) return { name: arg.slice(2, equals), value: arg.slice(equals + 1), width: 1 };
  const name = arg.slice(2);
  const next = args[index + 1];
  if (leafAt(name)?.meta.kind === 'switch') return { name, value: 'true', width: 1 };
  if (next === undefined || next.startsWith('--')) return { name, value: undefined, width: 1 };
  return { name, value: next, width: 2 };
}

function isSettingsFlag(name: string): boolean {
  return (
    name === 'config' || Object.hasOwn(ALIASES, name) || name.includes('.') || leafAt(name) !== undefined
  );
}

/**
 * Parts the flags that are about settings from a command's own arguments, both in their order.
 * A name with a dot in it counts as a setting's, so that a misspelt one is reported as such. `--` ends the flags.
 * @param own names that are the command's, though a setting has them too.
 */
export function takeSettingsFlags(
  args: readonly string[],
  own: readonly string[] = [],
): { flags: string[]; rest: string[] } {
  const flags: string[] = [];
  const rest: string[] = [];
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  for (let index = 0; index < end;) {
    const flag = flagAt(args, index);
    const ours = flag !== undefined && !own.includes(flag.name) && isSettingsFlag(flag.name);
    const width = ours ? flag.width : 1;
    (ours ? flags : rest).push(...args.slice(index, index + width));
    index += width;
  }
  rest.push(...args.slice(end));
  return { flags, rest };
}

function unknownFlag(name: string): TidegateError {
  const closest = nearest(name, [...LEAVES.map((leaf) => leaf.path), 'config', 'limits']);
  return new TidegateError('TG_SETTINGS_UNKNOWN_KEY', `there is no flag --${name}`, {
    at: { key: `--${name}` },
    ...(closest === undefined ? {} : { remedy: `did you mean --${closest}?` }),
  });
}

/** Reads flags; whatever is not a setting's flag is an error. The last of a repeated flag counts. */
export function parseFlags(args: readonly string[]): ParsedFlags {
  const layer: Layer = new Map();
  const errors: TidegateError[] = [];
  let configPath: string | undefined;
  for (let index = 0; index < args.length;) {
    const flag = flagAt(args, index);
    index += flag?.width ?? 1;
    if (flag === undefined) {
      errors.push(new TidegateError('TG_USAGE', `unexpected argument ${JSON.stringify(args[index - 1])}`));
      continue;
    }
    const leaf = leafAt(ALIASES[flag.name] ?? flag.name);
    const at = { key: `--${flag.name}` };
    if (leaf === undefined && flag.name !== 'config') errors.push(unknownFlag(flag.name));
    else if (flag.value === undefined)
      errors.push(new TidegateError('TG_USAGE', 'the flag needs a value', { at }));
    else if (leaf === undefined) configPath = flag.value;
    else put(layer, leaf, { value: valueOfText(leaf.meta.kind, flag.value), source: 'flag', at }, errors);
  }
  return { configPath, layer, errors };
}
