/** Runs a command and turns what it throws into lines on standard error and an exit code. */
import { packageVersion } from '../app/package-info';
import { TidegateError } from '../core/errors';
import { readCommandLine } from './arguments';
import { backtest } from './backtest';
import { check } from './check';
import type { CommandInput } from './command';
import { docs } from './docs';
import { explain } from './explain';
import { explainPool } from './explain-pool';
import { mesh } from './mesh';
import { model } from './model';
import { serve } from './serve';
import { simulate } from './simulate';
import { train } from './train';
import { Refusal } from '../app/refusal';
import { usageOf } from './usage';

/** The exit codes: stopped as asked, a fault, wrong use or bad settings or limits. */
export const EXIT = { ok: 0, fault: 1, refused: 2 } as const;

type Command = (input: CommandInput) => Promise<void> | void;

const COMMANDS: Readonly<Record<string, Command>> = {
  serve,
  check,
  explain,
  'explain-pool': explainPool,
  backtest,
  simulate,
  train,
  mesh,
  model,
  docs,
  help: ({ rest, out }) => help(rest[0], out),
  version: (input) => input.out(`${packageVersion()}\n`),
};

function help(about: string | undefined, out: (text: string) => void): void {
  if (about !== undefined && !Object.hasOwn(COMMANDS, about)) throw unknownCommand(about);
  out(usageOf(about));
}

const unknownCommand = (command: string): TidegateError =>
  new TidegateError('TG_USAGE', `there is no command '${command}'`);

/** Where a command writes. */
export type Streams = Pick<CommandInput, 'out' | 'err'>;

const PROCESS_STREAMS: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

/** @param argv the arguments after the script's name. @returns the exit code. */
export async function run(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  { out, err }: Streams = PROCESS_STREAMS,
): Promise<number> {
  try {
    const { command, settingsFlags, rest } = readCommandLine(argv);
    const handler = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
    if (handler === undefined) throw unknownCommand(command);
    await handler({ settingsFlags, rest, env, out, err });
    return EXIT.ok;
  } catch (thrown) {
    if (thrown instanceof Refusal) {
      for (const error of thrown.errors) err(`${error.toString()}\n`);
      err(`${thrown.errors.length} ${thrown.errors.length === 1 ? 'mistake' : 'mistakes'}\n`);
      return EXIT.refused;
    }
    const error = TidegateError.from(thrown);
    err(`${error.toString()}\n`);
    if (error.code !== 'TG_INTERNAL') return EXIT.refused;
    if (error.cause instanceof Error) err(`${error.cause.stack ?? ''}\n`);
    return EXIT.fault;
  }
}
