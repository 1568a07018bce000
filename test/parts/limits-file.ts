/** A limits file of a test's own, that it may edit as an operator would. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A file in a folder of its own. */
export interface LimitsFile {
  readonly path: string;
  /** Replaces the whole file at once, as editors and deployments do. */
  replace(text: string): Promise<void>;
  remove(): Promise<void>;
}

/** Writes a limits file into a new folder. */
export async function writeLimits(text: string): Promise<LimitsFile> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidegate-limits-'));
  const file = path.join(folder, 'limits.yaml');
  await writeFile(file, text);
  return {
    path: file,
    replace: async (next) => {
      await writeFile(`${file}.next`, next);
      await rename(`${file}.next`, file);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The lines of one rule for (tier, remote_address), which envoy/edge.yaml sends; `rule` is the rate_limit's YAML. */
export function tierRule(tier: string, rule: string): string {
  return `
  - key: tier
    value: ${tier}
    descriptors:
      - key: remote_address
        rate_limit: ${rule}`;
}

/** A limits file of the domain that the configs of envoy/ ask. */
export function demoLimits(...rules: readonly string[]): string {
  return `domain: demo\ndescriptors:${rules.join('')}\n`;
}
