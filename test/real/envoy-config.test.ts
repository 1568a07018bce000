/** The configs of envoy/ as they are committed: Envoy itself accepts them, without a warning. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import {
  envoyCluster,
  loadEnvoyConfig,
  placeEnvoyConfig,
  rateLimitFilter,
} from '../../scripts/parts/envoy-config.cjs';
import { startChild } from '../parts/child';
import { validateEnvoyConfig } from '../parts/envoy';
import { writeLimits } from '../parts/limits-file';
import { repositoryPath } from '../parts/paths';

const files = readdirSync(repositoryPath('envoy')).filter((file) => file.endsWith('.yaml'));
const LISTENER: Readonly<Record<string, string>> = { 'edge.yaml': 'edge', 'sidecar.yaml': 'inbound' };

test('the configs that are tested are the ones that are there', () => {
  expect(files.sort()).toEqual([...Object.keys(LISTENER), 'mesh.yaml'].sort());
});

test('envoy/mesh.yaml is valid, names its ports, and has nothing but the way to Tidegate', async () => {
  const output = await validateEnvoyConfig(repositoryPath('envoy', 'mesh.yaml'));
  expect(output).toContain('OK');
  expect(output).not.toMatch(/deprecated/i);
  const config = loadEnvoyConfig('mesh');
  expect(config.static_resources).not.toHaveProperty('listeners');
  expect(envoyCluster(config, 'tidegate')).toMatchObject({ health_checks: [{ grpc_health_check: {} }] });
  expect(config).toMatchObject({ admin: { address: { socket_address: { address: '127.0.0.1' } } } });
  const text = readFileSync(repositoryPath('envoy', 'mesh.yaml'), 'utf8');
  const head = text.slice(0, text.indexOf('\nnode:'));
  for (const [, port] of text.matchAll(/port_value: (\d+)/g)) expect(head).toContain(`:${port}`);
  // What is switched on by hand is valid as well.
  const file = join(mkdtempSync(join(tmpdir(), 'tidegate-mesh-')), 'mesh.yaml');
  writeFileSync(file, text.replace(/^#\+ /gm, ''));
  expect(await validateEnvoyConfig(file)).toContain('OK');
  rmSync(dirname(file), { recursive: true });
});

describe.each(Object.keys(LISTENER))('envoy/%s', (file) => {
  const config = loadEnvoyConfig(file.replace('.yaml', ''));
  const text = readFileSync(repositoryPath('envoy', file), 'utf8');

  test('is valid, without deprecated fields', async () => {
    const output = await validateEnvoyConfig(repositoryPath('envoy', file));
    expect(output).toContain('OK');
    expect(output).not.toMatch(/deprecated/i);
  });

  test('says how long to wait, what to answer without a decision, and which headers to add', () => {
    expect(rateLimitFilter(config, LISTENER[file] ?? '')).toMatchObject({
      timeout: expect.stringMatching(/^[\d.]+s$/) as string,
      failure_mode_deny: expect.any(Boolean) as boolean,
      rate_limited_status: { code: 'TooManyRequests' },
      enable_x_ratelimit_headers: 'DRAFT_VERSION_03',
    });
  });

  test('asks the domain of examples/limits.yaml', () => {
    const limits = parse(readFileSync(repositoryPath('examples', 'limits.yaml'), 'utf8')) as {
      domain: string;
    };
    expect(rateLimitFilter(config, LISTENER[file] ?? '').domain).toBe(limits.domain);
  });

  test('checks the health of Tidegate over gRPC, and keeps the admin port on loopback', () => {
    const cluster = envoyCluster(config, 'tidegate');
    expect(cluster).toMatchObject({ health_checks: [{ grpc_health_check: { service_name: 'ratelimit' } }] });
    expect(config).toMatchObject({ admin: { address: { socket_address: { address: '127.0.0.1' } } } });
  });

  test('names at its top every port that it uses', () => {
    const head = text.slice(0, text.indexOf('\nadmin:'));
    const ports = [...text.slice(head.length).matchAll(/port_value: (\d+)/g)].map((match) => match[1]);
    expect(ports.length).toBeGreaterThan(2);
    for (const port of ports) expect(head).toContain(`:${port}`);
  });
});

test('a name that a config does not have is refused, not ignored', () => {
  expect(() => placeEnvoyConfig(loadEnvoyConfig('edge'), { clusters: { nowhere: ['127.0.0.1:1'] } })).toThrow(
    'no cluster named nowhere',
  );
});

describe('examples/limits.yaml', () => {
  const text = readFileSync(repositoryPath('examples', 'limits.yaml'), 'utf8');
  const check = async (limits: string): Promise<string> => {
    const file = await writeLimits(limits);
    try {
      const child = startChild(process.execPath, [repositoryPath('dist', 'main.js'), 'check', file.path]);
      return (await child.exited) === 0 ? '' : child.output();
    } finally {
      await file.remove();
    }
  };

  test('is accepted as it is, and with every addition that it shows', async () => {
    const withAdditions = text.replaceAll('#+ ', '');
    expect(
      withAdditions.match(/^ +(per: 90m|capacity: 200|on_error: deny|priority: LOW)|\{per: 90m/gm),
    ).toHaveLength(4);
    expect(await check(text)).toBe('');
    expect(await check(withAdditions)).toBe('');
  });

  test('without them it is the reference dialect: no key but those that the reference knows', () => {
    const known =
      /^(domain|descriptors|key|value|rate_limit|name|unit|requests_per_unit|unlimited|shadow_mode)$/;
    const keys = [...JSON.stringify(parse(text)).matchAll(/"(\w+)":/g)].map((match) => match[1]);
    expect(keys.filter((key) => !known.test(key ?? ''))).toEqual([]);
  });
});
