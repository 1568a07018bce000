/** Reads a command line: the command, the flags about settings, and the command's own arguments. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { takeSettingsFlags } from '../config/flags';
import { TidegateError } from '../core/errors';

/** A command line, parted. */
export interface CommandLine {
  readonly command: string;
  /** Flags about settings, for loadSettings. */
  readonly settingsFlags: readonly string[];
  /** All else, in order. */
  readonly rest: readonly string[];
}

/** Options of commands that settings have the name of. */
const OWN_OPTIONS: Readonly<Record<string, readonly string[]>> = { backtest: ['workers'] };

/** @param argv the arguments after the script's name. No command, or a leading flag, means `serve`. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const [first] = argv;
  if (asksForHelp(argv)) {
    const about = argv.filter((word) => !word.startsWith('-')).slice(0, 1);
    return { command: 'help', settingsFlags: [], rest: about };
  }
  if (first === '--version' || first === '-v') return { command: 'version', settingsFlags: [], rest: [] };
  const named = first !== undefined && !first.startsWith('-');
  const { flags, rest } = named
    ? takeSettingsFlags(argv.slice(1), OWN_OPTIONS[first])
    : takeSettingsFlags(argv);
  return { command: named ? first : 'serve', settingsFlags: flags, rest };
}

/** Whether `--help` or `-h` comes first, or right after a command or its word, as in `mesh status --help`. */
function asksForHelp(argv: readonly string[]): boolean {
  const words = argv.slice(0, 2).findIndex((argument) => argument.startsWith('-'));
  const asked = argv[words < 0 ? 2 : words];
  return asked === '--help' || asked === '-h';
}

interface OwnConfig<T> {
  args: string[];
  options: T;
  allowPositionals: boolean;
  strict: true;
}

/** Reads a command's own options. @throws TidegateError TG_USAGE for anything that it does not know. */
export function readOptions<T extends NonNullable<ParseArgsConfig['options']>>(
  rest: readonly string[],
  options: T,
  positionals: boolean,
): ReturnType<typeof parseArgs<OwnConfig<T>>> {
  try {
    return parseArgs({ args: [...rest], options, allowPositionals: positionals, strict: true });
  } catch (thrown) {
    throw TidegateError.from(thrown, 'TG_USAGE');
  }
}

/** An option's whole number; undefined when it is not given. @throws TidegateError TG_USAGE. */
export function givenWhole(
  flag: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined;
  const figure = /^\d{1,15}$/.test(text.trim()) ? Number(text) : NaN;
  if (figure >= least && figure <= most) return figure;
  throw new TidegateError('TG_USAGE', `${flag} takes a whole number from ${least} to ${most}, not '${text}'`);
}
