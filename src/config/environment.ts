/** Settings by Tidegate's own environment names, `TIDEGATE_` and the path of the setting. */
import { TidegateError } from '../core/errors';
import { put, type Layer, type SettingsWarning } from './layer';
import { nearest } from './nearest';
import { LEAVES, leafOfEnv } from './setting-paths';
import { valueOfText } from './text-values';

/** The environment: names to values. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Names the settings file, as `--config` does. */
export const CONFIG_ENV = 'TIDEGATE_CONFIG';

const PREFIX = 'TIDEGATE_';

/** What the environment says about the settings. */
export interface ParsedEnvironment {
  readonly configPath: string | undefined;
  readonly layer: Layer;
  readonly errors: readonly TidegateError[];
  readonly warnings: readonly SettingsWarning[];
}

/**
 * Kubernetes puts variables for every Service into every container, so a Service named `tidegate` or `tidegate-data`
 * makes names that begin like ours. Source: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
const SERVICE_LINK_NAME =
  /^TIDEGATE_(.*_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const SERVICE_LINK_VALUE = /^(tcp|udp|sctp):\/\//;

function isServiceLink(name: string, value: string): boolean {
  return SERVICE_LINK_NAME.test(name) || (name.endsWith('PORT') && SERVICE_LINK_VALUE.test(value));
}

function unknownVariable(name: string): TidegateError {
  const known = [...LEAVES.map((leaf) => leaf.envName), CONFIG_ENV];
  const closest = nearest(
    name.slice(PREFIX.length),
    known.map((other) => other.slice(PREFIX.length)),
  );
  return new TidegateError('TG_SETTINGS_UNKNOWN_KEY', 'there is no such setting', {
    at: { key: name },
    ...(closest === undefined ? {} : { remedy: `did you mean ${PREFIX}${closest}?` }),
  });
}

/** Reads the variables that begin with `TIDEGATE_`. An empty one counts as not set. */
export function parseEnvironment(env: Environment): ParsedEnvironment {
  const layer: Layer = new Map();
  const errors: TidegateError[] = [];
  const warnings: SettingsWarning[] = [];
  for (const name of Object.keys(env).sort()) {
    const value = env[name];
    if (!name.startsWith(PREFIX) || value === undefined || value === '' || name === CONFIG_ENV) continue;
    const leaf = leafOfEnv(name);
    if (isServiceLink(name, value)) {
      if (leaf === undefined) continue;
      warnings.push({
        name,
        message:
          'left out: its value is that of a Kubernetes service link; set enableServiceLinks: false on the pod',
      });
    } else if (leaf === undefined) errors.push(unknownVariable(name));
    else {
      const entry = { value: valueOfText(leaf.meta.kind, value), source: 'env', at: { key: name } } as const;
      put(layer, leaf, entry, errors);
    }
  }
  return { configPath: env[CONFIG_ENV] === '' ? undefined : env[CONFIG_ENV], layer, errors, warnings };
}
