/** An Envoy bootstrap as parsed YAML. */
export type EnvoyConfig = Record<string, unknown>;

/** Where the parts of a config go; every address is `host:port`, every name must be in the config. */
export interface EnvoyPlacement {
  readonly admin?: string;
  /** By listener name. */
  readonly listeners?: Readonly<Record<string, string>>;
  /** By cluster name: its endpoints. */
  readonly clusters?: Readonly<Record<string, readonly string[]>>;
}

/** Reads `envoy/<name>.yaml`. */
export function loadEnvoyConfig(name: string): EnvoyConfig;
/** Changes the addresses in place and returns the config. Throws when a name is not in it. */
export function placeEnvoyConfig(config: EnvoyConfig, placement: EnvoyPlacement): EnvoyConfig;
/** The typed config of a listener's rate-limit filter, to change in place. */
export function rateLimitFilter(config: EnvoyConfig, listenerName: string): EnvoyConfig;
/** A cluster, to change in place. */
export function envoyCluster(config: EnvoyConfig, name: string): EnvoyConfig;
