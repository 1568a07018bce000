import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderConfigurationDoc } from '../../src/config/configuration-doc';
import { CONFIG_ENV } from '../../src/config/environment';
import { REFERENCE_DEFAULTS } from '../../src/config/reference-defaults';
import { DIRECT_NAMES, JOINT_NAMES } from '../../src/config/reference-names';
import { UNSERVED_NAMES } from '../../src/config/reference-unserved';
import { LEAVES, leafAt, leafOfEnv, SECTIONS } from '../../src/config/setting-paths';
import { nearest } from '../../src/config/nearest';

describe('the schema of settings', () => {
  it('gives every setting an environment name of its own', () => {
    const names = [...LEAVES.map((leaf) => leaf.envName), CONFIG_ENV];
    expect(new Set(names).size).toBe(names.length);
    expect(leafOfEnv('TIDEGATE_STORE_TLS_SKIP_HOSTNAME_VERIFICATION')?.path).toBe(
      'store.tls.skip_hostname_verification',
    );
  });

  it.each(LEAVES.map((leaf) => [leaf.path, leaf] as const))(
    'documents %s, whose default is valid',
    (_, leaf) => {
      expect(leaf.meta.doc).toMatch(/^\S.*\.$/s);
      expect(leaf.meta.takes).not.toBe('');
      expect(leaf.schema.safeParse(leaf.meta.fallback).success).toBe(true);
      expect(leaf.path).toMatch(/^[a-z0-9_.]+$/);
    },
  );

  it('documents every section', () => {
    for (const section of SECTIONS) expect(section.doc).toMatch(/\.$/);
  });

  it('marks what holds a password or token as secret', () => {
    const secrets = LEAVES.filter((leaf) => leaf.meta.secret).map((leaf) => leaf.path);
    const named = LEAVES.filter((leaf) => /(password|token)$/.test(leaf.path)).map((leaf) => leaf.path);
    expect(secrets).toEqual(named);
    expect(secrets).not.toHaveLength(0);
  });

  it('changes only settings that exist under compat: reference, to valid values', () => {
    for (const [path, value] of Object.entries(REFERENCE_DEFAULTS))
      expect([path, leafAt(path)?.schema.safeParse(value).success]).toEqual([path, true]);
  });

  it('knows every name of the reference in one way only', () => {
    const names = [DIRECT_NAMES, JOINT_NAMES, UNSERVED_NAMES].flatMap((group) => Object.keys(group));
    expect(new Set(names).size).toBe(names.length);
    for (const { path } of Object.values(DIRECT_NAMES)) expect(leafAt(path)?.path).toBe(path);
  });

  it('finds the nearest name', () => {
    expect(nearest('prot', ['host', 'port', 'uds'])).toBe('port');
    expect(nearest('x'.repeat(1_000), ['port'])).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
    expect(nearest('logs', ['log', 'data'])).toBe('log');
    expect(nearest('something', ['log', 'data'])).toBeUndefined();
  });
});

describe('docs/configuration.md', () => {
  it('is what the schema says; run `npm run docs` after a change', () => {
    const committed = readFileSync(join(__dirname, '../../docs/configuration.md'), 'utf8');
    expect(committed).toBe(renderConfigurationDoc());
  });

  it('names every setting and every name of the reference', () => {
    const text = renderConfigurationDoc();
    for (const leaf of LEAVES) {
      expect(text).toContain(`\`${leaf.path}\``);
      expect(text).toContain(`\`${leaf.envName}\``);
    }
    for (const group of [DIRECT_NAMES, JOINT_NAMES, UNSERVED_NAMES])
      for (const name of Object.keys(group)) expect(text).toContain(`\`${name}\``);
  });
});
