/** Reads the environment names of the reference server into a layer of settings. */
import { posix } from 'node:path';
import { TidegateError } from '../core/errors';
import type { Environment } from './environment';
import { put, type Layer, type SettingsWarning } from './layer';
import { DIRECT_NAMES } from './reference-names';
import { UNSERVED_NAMES } from './reference-unserved';
import type { RawValue } from './setting';
import { leafAt } from './setting-paths';
import { parseBool } from './text-values';

/** What the reference's names say about the settings. */
export interface ParsedReference {
  readonly layer: Layer;
  readonly errors: readonly TidegateError[];
  readonly warnings: readonly SettingsWarning[];
}

/** Gathers the layer; every method takes the variable's name, to be named in errors. */
export class ReferenceLayer {
  readonly layer: Layer = new Map();
  readonly errors: TidegateError[] = [];
  readonly warnings: SettingsWarning[] = [];

  constructor(private readonly env: Environment) {}

  /** A variable's value; undefined when it is unset or empty. */
  get(name: string): string | undefined {
    const value = this.env[name];
    return value === undefined || value === '' ? undefined : value;
  }

  /** A switch's value; one that cannot be read is an error. */
  bool(name: string, fallback: boolean): boolean {
    const value = this.get(name);
    if (value === undefined) return fallback;
    const on = parseBool(value);
    if (on === undefined) this.refuse(name, 'true, false, 1, 0, t or f');
    return on ?? fallback;
  }

  set(name: string, path: string, value: RawValue): void {
    const leaf = leafAt(path);
    if (leaf === undefined) throw new Error(`no setting ${path}`);
    put(this.layer, leaf, { value, source: 'reference env', at: { key: name } }, this.errors);
  }

  refuse(name: string, takes: string): void {
    this.errors.push(
      new TidegateError('TG_SETTINGS_INVALID', `takes ${takes}`, {
        at: { key: name },
        remedy: `write ${takes}, or unset it`,
      }),
    );
  }

  warn(name: string, message: string): void {
    this.warnings.push({ name, message });
  }
}

function readDirect(into: ReferenceLayer): void {
  for (const [name, direct] of Object.entries(DIRECT_NAMES)) {
    const text = into.get(name);
    if (text === undefined) continue;
    const value = direct.read(text);
    if (value === undefined) into.refuse(name, direct.takes);
    else into.set(name, direct.path, value);
  }
}

/** The reference serves TLS only when GRPC_SERVER_USE_TLS says so, whatever else is set. */
function readServerTls(into: ReferenceLayer): void {
  const names = {
    GRPC_SERVER_TLS_CERT: 'data.tls.cert',
    GRPC_SERVER_TLS_KEY: 'data.tls.key',
    GRPC_CLIENT_TLS_CACERT: 'data.tls.client_ca',
    GRPC_CLIENT_TLS_SAN: 'data.tls.client_san',
  };
  const on = into.bool('GRPC_SERVER_USE_TLS', false);
  for (const [name, path] of Object.entries(names)) {
    const value = into.get(name);
    if (value === undefined) {
      if (on && (name.endsWith('_CERT') || name.endsWith('_KEY')))
        into.refuse(name, "a file's path, since GRPC_SERVER_USE_TLS is true");
    } else if (on) into.set(name, path, path.endsWith('san') ? [value] : value);
    else into.warn(name, 'left out, since GRPC_SERVER_USE_TLS is not true');
  }
}

/**
 * Where the reference's loader finds limits: with RUNTIME_WATCH_ROOT every file below RUNTIME_ROOT/RUNTIME_SUBDIRECTORY
 * whose dotted path begins with `<RUNTIME_APPDIRECTORY>.`, else every file of the directory RUNTIME_APPDIRECTORY in it.
 */
function readRuntime(into: ReferenceLayer): void {
  const named = ['RUNTIME_ROOT', 'RUNTIME_SUBDIRECTORY', 'RUNTIME_APPDIRECTORY'].find((name) =>
    into.get(name),
  );
  const watchRoot = into.bool('RUNTIME_WATCH_ROOT', true);
  if (named === undefined) {
    for (const name of ['RUNTIME_WATCH_ROOT', 'RUNTIME_IGNOREDOTFILES'])
      if (into.get(name) !== undefined)
        into.warn(name, 'means something only with RUNTIME_ROOT; set limits.path');
    return;
  }
  const root = into.get('RUNTIME_ROOT') ?? '/srv/runtime_data/current';
  const base = posix.join(root, into.get('RUNTIME_SUBDIRECTORY') ?? '');
  const app = into.get('RUNTIME_APPDIRECTORY') ?? 'config';
  into.set(named, 'limits.path', watchRoot ? base : posix.join(base, app));
  into.set(named, 'limits.prefix', watchRoot ? `${app}.` : '');
  into.set(named, 'limits.recursive', true);
  into.set(named, 'limits.extensions', []);
  if (into.get('RUNTIME_IGNOREDOTFILES') === undefined) into.set(named, 'limits.ignore_dot_files', false);
}

/** Names of which only the value that the reference has by default means the same here. */
function readFixed(into: ReferenceLayer): void {
  const fixed = {
    CONFIG_TYPE: { value: 'FILE', instead: 'limits are read from files; set RUNTIME_ROOT or limits.path' },
    TRACING_EXPORTER_PROTOCOL: {
      value: 'http',
      instead: 'traces are exported over HTTP; set tracing.endpoint',
    },
  };
  for (const [name, { value, instead }] of Object.entries(fixed)) {
    const text = into.get(name);
    if (text !== undefined && text.toLowerCase() !== value.toLowerCase()) into.warn(name, instead);
  }
}

/** Reads every name of the reference's list but those of its Redis. An empty variable counts as not set. */
export function readServerNames(into: ReferenceLayer): void {
  readDirect(into);
  readServerTls(into);
  readRuntime(into);
  readFixed(into);
  for (const [name, instead] of Object.entries(UNSERVED_NAMES))
    if (into.get(name) !== undefined) into.warn(name, `changes nothing here: ${instead}`);
}
