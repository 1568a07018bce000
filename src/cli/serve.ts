/** `tidegate serve`: starts, serves until a signal, stops. */
import { start } from '../app/start';
import type { CommandInput } from './command';
import { readOptions } from './arguments';
import { settingsFor } from './settings';

/** Resolves when it has stopped as asked. @throws the fault that ended it, and Refusal or TidegateError when it cannot start. */
export async function serve(input: CommandInput): Promise<void> {
  readOptions(input.rest, {}, false);
  const loaded = settingsFor(input.settingsFlags, input.env);
  const signalled = firstSignal();
  const running = await start(loaded);
  const ended = await Promise.race([signalled, running.failed]);
  await running.stop(typeof ended === 'string' ? ended : 'fault');
  if (typeof ended !== 'string') throw ended;
}

/** The first SIGTERM or SIGINT; a second one ends the process at once, for those who cannot wait. */
function firstSignal(): Promise<string> {
  return new Promise((resolve) => {
    let seen = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (seen) process.exit(1);
      seen = true;
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
