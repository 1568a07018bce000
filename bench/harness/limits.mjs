/** The limits that every server is measured with, written in each one's own dialect. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DOMAIN, ENTRY_KEY } from '../load/keys.mjs';

/** The key of the rule that shows whether a server limits at all. */
export const PROBE_KEY = 'probe';
/** What the probe's rule admits an hour. */
export const PROBE_LIMIT = 5;

/** More than any load asks for. */
export const FAR_ABOVE_LOAD = { limit: 1_000_000_000, unit: 'minute' };

const UNIT_S = { second: 1, minute: 60 };

/**
 * Writes the limits files below `folder`.
 * @param {string} folder
 * @param {{ limit: number, unit: 'second' | 'minute' }} each what each key may ask for
 * @returns {{ root: string, limits: string, limitador: string }} the reference's RUNTIME_ROOT (its subdirectory is
 *   `ratelimit`), the same limits as one file, and limitador's limits file
 */
export function writeLimits(folder, each = FAR_ABOVE_LOAD) {
  const root = join(folder, 'root');
  const config = join(root, 'ratelimit', 'config');
  mkdirSync(config, { recursive: true });
  const limits = join(config, 'bench.yaml');
  writeFileSync(limits, referenceDialect(each));
  const limitador = join(folder, 'limitador.yaml');
  writeFileSync(limitador, limitadorDialect(each));
  return { root, limits, limitador };
}

function referenceDialect({ limit, unit }) {
  return `domain: ${DOMAIN}
descriptors:
  - key: ${ENTRY_KEY}
    rate_limit: {unit: ${unit}, requests_per_unit: ${limit}}
  - key: ${PROBE_KEY}
    rate_limit: {unit: hour, requests_per_unit: ${PROBE_LIMIT}}
`;
}

function limitadorDialect({ limit, unit }) {
  const rule = (key, most, seconds) => `- namespace: ${DOMAIN}
  max_value: ${most}
  seconds: ${seconds}
  conditions: []
  variables: ["descriptors[0]['${key}']"]
`;
  return rule(ENTRY_KEY, limit, UNIT_S[unit]) + rule(PROBE_KEY, PROBE_LIMIT, 3_600);
}
