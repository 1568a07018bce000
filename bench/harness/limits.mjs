/** The limits that every server is measured with, written in each one's own dialect. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DOMAIN, ENTRY_KEY } from '../load/keys.mjs';

/** The key of the rule that shows whether a server limits at all. */
export const PROBE_KEY = 'probe';
/** What the probe's rule admits an hour. */
export const PROBE_LIMIT = 5;

const FAR_ABOVE_LOAD = 1_000_000_000;

/**
 * Writes the limits files below `folder`.
 * @returns {{ root: string, limits: string, limitador: string }} the reference's RUNTIME_ROOT (its subdirectory is
 *   `ratelimit`), the same limits as one file, and limitador's limits file
 */
export function writeLimits(folder) {
  const root = join(folder, 'root');
  const config = join(root, 'ratelimit', 'config');
  mkdirSync(config, { recursive: true });
  const limits = join(config, 'bench.yaml');
  writeFileSync(limits, referenceDialect());
  const limitador = join(folder, 'limitador.yaml');
  writeFileSync(limitador, limitadorDialect());
  return { root, limits, limitador };
}

function referenceDialect() {
  return `domain: ${DOMAIN}
descriptors:
  - key: ${ENTRY_KEY}
    rate_limit: {unit: minute, requests_per_unit: ${FAR_ABOVE_LOAD}}
  - key: ${PROBE_KEY}
    rate_limit: {unit: hour, requests_per_unit: ${PROBE_LIMIT}}
`;
}

function limitadorDialect() {
  const rule = (key, limit, seconds) => `- namespace: ${DOMAIN}
  max_value: ${limit}
  seconds: ${seconds}
  conditions: []
  variables: ["descriptors[0]['${key}']"]
`;
  return rule(ENTRY_KEY, FAR_ABOVE_LOAD, 60) + rule(PROBE_KEY, PROBE_LIMIT, 3_600);
}
