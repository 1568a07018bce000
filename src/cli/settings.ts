/** Settings for a command: loaded, or every mistake printed. */
import { readFileSync } from 'node:fs';
import { loadSettings, type LoadedSettings } from '../config/load-settings';
import { Refusal } from '../app/refusal';

/** @throws Refusal with every mistake of flags, environment and file. */
export function settingsFor(flags: readonly string[], env: NodeJS.ProcessEnv): LoadedSettings {
  const loaded = loadSettings({ flags, env, readFile: (path) => readFileSync(path, 'utf8') });
  if ('errors' in loaded) throw new Refusal(loaded.errors);
  return loaded;
}
