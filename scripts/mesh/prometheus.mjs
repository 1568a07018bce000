// The mesh's Prometheus: deploy/prometheus/prometheus.yml with the compose names replaced by local addresses.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';

/** Writes the config into `folder` and returns its path. `addresses` maps the compose names to `host:port`. */
export function writePrometheusConfig(root, folder, addresses) {
  const config = parse(readFileSync(path.join(root, 'deploy', 'prometheus', 'prometheus.yml'), 'utf8'));
  for (const job of config.scrape_configs ?? []) {
    for (const group of job.static_configs ?? []) {
      group.targets = group.targets.map((target) => addresses[target] ?? target);
    }
  }
  // Paths in it are relative to where the committed file is.
  config.rule_files = (config.rule_files ?? []).map((file) =>
    path.resolve(root, 'deploy', 'prometheus', file),
  );
  const file = path.join(folder, 'prometheus.yml');
  writeFileSync(file, stringify(config));
  return file;
}
