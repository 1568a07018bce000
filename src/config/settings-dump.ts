/** Settings for people to look at: by path, in the form of the settings file, secrets left out. */
import { formatDurationUs } from '../core/duration';
import type { SettingSource } from './layer';
import type { LoadedSettings } from './load-settings';
import { metaOf, type RawRow, type RawValue, type SettingMeta } from './setting';
import { LEAVES } from './setting-paths';
import { camelCase, shapedKey } from './settings-shape';

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
    const keys = path.split('.');
    let value: unknown = loaded.settings;
    for (const [index, key] of keys.entries()) {
      const name = index === keys.length - 1 ? shapedKey(key, meta) : camelCase(key);
      value = (value as Record<string, unknown>)[name];
    }
    const source = loaded.sources.get(path) ?? 'default';
    return { path, value: dumpValue(value, meta), source };
  });
}

function dumpValue(value: unknown, meta: SettingMeta): RawValue | null {
  if (meta.secret && value !== '') return REDACTED;
  if (meta.kind === 'duration') return formatDurationUs(Number(value) * 1_000);
  const { row } = meta;
  if (typeof value === 'string') return withoutUser(value);
  if (row === undefined) return (value ?? null) as RawValue | null;
  return (value as readonly Readonly<Record<string, unknown>>[]).map((item) => dumpRow(item, row));
}

/** A URL may hold a password between its scheme and its host. */
function withoutUser(text: string): string {
  return text.replace(/^([a-z][a-z\d+.-]*:\/\/)[^/?#]*@/i, `$1${REDACTED}@`);
}

function dumpRow(item: Readonly<Record<string, unknown>>, row: NonNullable<SettingMeta['row']>): RawRow {
  const dumped = Object.entries(row).map(([key, schema]): [string, RawValue | null] => {
    const meta = metaOf(schema);
    const value = item[shapedKey(key, meta)];
    return [key, meta === undefined || value === undefined ? null : dumpValue(value, meta)];
  });
  return Object.fromEntries(dumped);
}
