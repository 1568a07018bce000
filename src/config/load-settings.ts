/**
 * Loads the settings: flags over the environment over the settings file over the defaults, checked as a whole.
 * All mistakes of all sources are reported at once.
 */
import { TidegateError } from '../core/errors';
import { parseEnvironment, type Environment } from './environment';
import { parseFlags } from './flags';
import { refused, type Layer, type LayerValue, type SettingSource, type SettingsWarning } from './layer';
import { REFERENCE_DEFAULTS } from './reference-defaults';
import { parseReferenceEnvironment } from './reference-redis';
import { settingsSchema } from './schema';
import { LEAVES, leafAt } from './setting-paths';
import { checkSettings } from './settings-checks';
import { parseSettingsFile } from './settings-file';
import { shapeSettings, type Settings } from './settings-shape';
import { formatStoreEndpoint, parseStoreAddress, type StoreAddress } from './store-urls';

/** What the settings are loaded from. */
export interface SettingsInput {
  /** The command line's settings flags; see takeSettingsFlags. */
  readonly flags: readonly string[];
  readonly env: Environment;
  /** Reads the settings file as text; throws when it cannot. Not called when no file is named. */
  readonly readFile: (path: string) => string;
}

/** Settings that can be served with. */
export interface LoadedSettings {
  readonly settings: Settings;
  readonly warnings: readonly SettingsWarning[];
  /** Where each setting comes from, by its path. */
  readonly sources: ReadonlyMap<string, SettingSource>;
  /** The file that was read. */
  readonly configPath: string | undefined;
}

/** Why there are no settings: at least one error, in the order flags, environment, file, then conflicts. */
export interface RefusedSettings {
  readonly errors: readonly TidegateError[];
  readonly warnings: readonly SettingsWarning[];
}

/** Reads the settings file, when one is named. */
function readSettingsFile(
  path: string | undefined,
  readFile: (path: string) => string,
): ReturnType<typeof parseSettingsFile> {
  if (path === undefined) return { layer: new Map(), errors: [] };
  let text: string;
  try {
    text = readFile(path);
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const error = new TidegateError('TG_SETTINGS_UNREADABLE', message, { at: { file: path }, cause: thrown });
    return { layer: new Map(), errors: [error] };
  }
  return parseSettingsFile(text, path);
}

/** The settings that say how a place is read, which RUNTIME_ROOT brings along. */
const RUNTIME_WAYS = ['limits.prefix', 'limits.recursive', 'limits.extensions', 'limits.ignore_dot_files'];

/** How the reference reads RUNTIME_ROOT, which says nothing about another place that was named instead. */
function withoutRuntimeWays(reference: Layer): Layer {
  const isWay = (path: string, at: string | undefined): boolean =>
    RUNTIME_WAYS.includes(path) && at !== 'RUNTIME_IGNOREDOTFILES';
  return new Map([...reference].filter(([path, entry]) => !isWay(path, entry.at.key)));
}

/** What was set, each by its strongest source. */
function overlay(file: Layer, reference: Layer, environment: Layer, flags: Layer): Layer {
  const elsewhere = environment.has('limits.path') || flags.has('limits.path');
  const effective = elsewhere ? withoutRuntimeWays(reference) : reference;
  return new Map([...file, ...effective, ...environment, ...flags]);
}

function warnOfOverruled(reference: Layer, given: Layer): SettingsWarning[] {
  const warnings = new Map<string, SettingsWarning>();
  for (const [path, entry] of reference) {
    const winner = given.get(path);
    if (winner === undefined || (winner.source !== 'env' && winner.source !== 'flag')) continue;
    const name = entry.at.key ?? path;
    warnings.set(`${name} ${path}`, {
      name,
      message: `left out for ${path}: ${winner.at.key ?? path} is set too, and wins`,
    });
  }
  return [...warnings.values()];
}

/** The parts of store URLs that are settings of their own, where these are not set themselves. */
function fillFromAddress(address: StoreAddress, entry: LayerValue, given: Layer): void {
  const parts = {
    'store.username': address.username,
    'store.password': given.has('store.password_file') ? undefined : address.password,
    'store.database': address.database,
    'store.tls.enabled': address.tls,
  };
  for (const [path, value] of Object.entries(parts))
    if (value !== undefined && !given.has(path)) given.set(path, { ...entry, value });
}

/** Rewrites store.urls to plain addresses and moves credentials out of them. */
function settleStoreUrls(given: Layer): TidegateError[] {
  const entry = given.get('store.urls');
  const leaf = leafAt('store.urls');
  if (entry === undefined || leaf === undefined) return [];
  const defaultPort = given.get('store.kind')?.value === 'sentinel' ? 26_379 : 6_379;
  const addresses = (entry.value as readonly string[]).map((url) => parseStoreAddress(url, defaultPort));
  const known = addresses.filter((address) => address !== undefined);
  if (known.length < addresses.length) return [refused(leaf, entry.value, entry.at)];
  for (const address of known) fillFromAddress(address, entry, given);
  given.set('store.urls', { ...entry, value: known.map((address) => formatStoreEndpoint(address.endpoint)) });
  return [];
}

/** Puts paths and values into the nested form that the schema reads. */
function treeOf(values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  for (const [path, value] of values) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let node = tree;
    for (const key of keys) node = (node[key] ??= {}) as Record<string, unknown>;
    node[last] = value;
  }
  return tree;
}

function compatOf(given: Layer, env: Environment): 'off' | 'reference' {
  const explicit = given.get('compat')?.value;
  if (explicit === 'off' || explicit === 'reference') return explicit;
  return env['RUNTIME_ROOT'] === undefined || env['RUNTIME_ROOT'] === '' ? 'off' : 'reference';
}

/** Lays the explicit values over the defaults and builds the typed settings. */
function build(given: Layer, compat: 'off' | 'reference'): Omit<LoadedSettings, 'warnings' | 'configPath'> {
  const values = new Map<string, unknown>();
  const sources = new Map<string, SettingSource>();
  const defaults = compat === 'reference' ? REFERENCE_DEFAULTS : {};
  for (const { path } of LEAVES) {
    const entry = given.get(path);
    const reference = defaults[path];
    if (entry !== undefined) values.set(path, entry.value);
    else if (reference !== undefined) values.set(path, reference);
    sources.set(path, entry?.source ?? (reference === undefined ? 'default' : 'reference default'));
  }
  if (!given.has('compat') && compat === 'reference') sources.set('compat', 'reference env');
  values.set('compat', compat);
  return { settings: shapeSettings(settingsSchema.parse(treeOf(values))), sources };
}

/** Loads the settings, or says everything that is wrong with them. Never throws for what a user wrote. */
export function loadSettings(input: SettingsInput): LoadedSettings | RefusedSettings {
  const flags = parseFlags(input.flags);
  const environment = parseEnvironment(input.env);
  const reference = parseReferenceEnvironment(input.env);
  const configPath = flags.configPath ?? environment.configPath;
  const file = readSettingsFile(configPath, input.readFile);
  const given = overlay(file.layer, reference.layer, environment.layer, flags.layer);
  const warnings = [
    ...environment.warnings,
    ...reference.warnings,
    ...warnOfOverruled(reference.layer, given),
  ];
  const errors = [
    ...flags.errors,
    ...environment.errors,
    ...reference.errors,
    ...file.errors,
    ...settleStoreUrls(given),
  ];
  if (errors.length > 0) return { errors, warnings };
  const built = build(given, compatOf(given, input.env));
  const checked = checkSettings(built.settings, given);
  warnings.push(...checked.warnings);
  if (checked.errors.length > 0) return { errors: checked.errors, warnings };
  return { ...built, warnings, configPath };
}
