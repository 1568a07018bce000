/** Loads settings from texts, for the tests of this folder. */
import { loadSettings, type LoadedSettings, type RefusedSettings } from '../../src/config/load-settings';

export interface Given {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The text of the settings file `tidegate.yaml`. */
  readonly file?: string;
}

export function load(given: Given): LoadedSettings | RefusedSettings {
  const { file } = given;
  return loadSettings({
    flags: [...(file === undefined ? [] : ['--config', 'tidegate.yaml']), ...(given.flags ?? [])],
    env: given.env ?? {},
    readFile: (path) => {
      if (file === undefined || path !== 'tidegate.yaml')
        throw new Error(`ENOENT: no such file, open '${path}'`);
      return file;
    },
  });
}

/** Loads settings that must be good. */
export function loaded(given: Given): LoadedSettings {
  const result = load(given);
  if ('errors' in result) throw new Error(result.errors.map(String).join('\n'));
  return result;
}

/** The errors of settings that must be bad, as text. */
export function errorsOf(given: Given): readonly string[] {
  const result = load(given);
  if (!('errors' in result)) throw new Error('the settings were accepted');
  return result.errors.map(String);
}
