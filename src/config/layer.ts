/** A layer: the settings that one source gives. Layers are laid over each other, the strongest last. */
import { TidegateError, type SourcePosition } from '../core/errors';
import type { SettingLeaf } from './setting-paths';

/** Where the value of a setting comes from. */
export type SettingSource = 'flag' | 'env' | 'reference env' | 'file' | 'reference default' | 'default';

/** One setting's value in a layer, in the form of the settings file, not yet checked. */
export interface LayerValue {
  readonly value: unknown;
  readonly source: SettingSource;
  /** What to name in an error: a position in the file, a variable or a flag. */
  readonly at: SourcePosition;
}

/** The values of one source by the settings' paths. */
export type Layer = Map<string, LayerValue>;

/** Something the user should know, though nothing is refused. */
export interface SettingsWarning {
  /** The variable or setting it is about. */
  readonly name: string;
  /** Why, and what to do instead. */
  readonly message: string;
}

const SHOWN_MAX = 80;

/** A value as an error shows it: short, in JSON, without the credentials of a URL. */
export function shown(value: unknown): string {
  const json = (JSON.stringify(value) ?? String(value)).replace(/"[^"]*@/g, '"***@');
  return json.length > SHOWN_MAX ? `${json.slice(0, SHOWN_MAX)}...` : json;
}

/** The error of a value that a setting cannot take; a secret's value is left out. */
export function refused(leaf: SettingLeaf, value: unknown, at: SourcePosition): TidegateError {
  const instead = leaf.meta.secret ? '' : `, not ${shown(value)}`;
  const hint = leaf.meta.hint === undefined ? '' : `: ${leaf.meta.hint}`;
  const name = at.key === leaf.path ? '' : `${leaf.path} `;
  return new TidegateError('TG_SETTINGS_INVALID', `${name}takes ${leaf.meta.takes}${instead}${hint}`, {
    at,
    remedy: leaf.meta.kind === 'text' ? 'write another value' : `write ${leaf.meta.takes}`,
  });
}

/** Checks a value against its setting and puts it into a layer, or adds to `errors`. */
export function put(layer: Layer, leaf: SettingLeaf, entry: LayerValue, errors: TidegateError[]): void {
  if (leaf.schema.safeParse(entry.value).success) layer.set(leaf.path, entry);
  else errors.push(refused(leaf, entry.value, entry.at));
}
