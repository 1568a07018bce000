/** Settings for people to look at: by path, in the form of the settings file, secrets left out. */
import { formatDurationUs } from '../core/duration';
import type { SettingSource } from './layer';
import type { LoadedSettings } from './load-settings';
import type { RawValue } from './setting';
import { LEAVES } from './setting-paths';
import { camelCase } from './settings-shape';

/** What stands in place of a secret that is set. */
export const REDACTED = '<redacted>';

/** One setting in a dump. */
export interface DumpedSetting {
  readonly path: string;
  /** As the settings file would hold it; null when the setting has no value. */
  readonly value: RawValue | null;
  readonly source: SettingSource;
}

/** Lists every setting with its effective value and its source; passwords and tokens are redacted. */
export function dumpSettings(loaded: Pick<LoadedSettings, 'settings' | 'sources'>): readonly DumpedSetting[] {
  return LEAVES.map(({ path, meta }) => {
    const isDuration = meta.kind === 'duration';
    let value: unknown = loaded.settings;
    for (const [index, key] of path.split('.').entries()) {
      const isLast = index === path.split('.').length - 1;
      value = (value as Record<string, unknown>)[
        isLast && isDuration ? `${camelCase(key)}Ms` : camelCase(key)
      ];
    }
    const source = loaded.sources.get(path) ?? 'default';
    if (meta.secret && value !== '') return { path, value: REDACTED, source };
    if (isDuration) return { path, value: formatDurationUs(Number(value) * 1_000), source };
    return { path, value: (value ?? null) as RawValue | null, source };
  });
}
