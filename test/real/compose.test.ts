/** docker-compose.yml, read by docker-compose itself: accepted, pinned, health-checked, and in step with what it mounts. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { parse } from 'yaml';
import { LEAVES } from '../../src/config/setting-paths';
import { partPath, repositoryPath } from '../parts/paths';

interface Service {
  readonly image: string;
  readonly build?: unknown;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly restart?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const dockerfile = readFileSync(repositoryPath('Dockerfile'), 'utf8');
let compose: Compose;
let services: readonly (readonly [string, Service])[];

beforeAll(() => {
  // Exits with other than 0, and throws what it wrote, when it refuses the file.
  const config = execFileSync(
    partPath('docker-compose'),
    ['-f', repositoryPath('docker-compose.yml'), 'config'],
    { env: { ...process.env, HOME: repositoryPath() }, encoding: 'utf8', stdio: 'pipe' },
  );
  compose = parse(config) as Compose;
  services = Object.entries(compose.services);
});

/** The services that another one waits for to end well. */
function oneShots(): ReadonlySet<string> {
  const conditions = services.flatMap(([, service]) => Object.entries(service.depends_on ?? {}));
  return new Set(
    conditions.flatMap(([name, { condition }]) =>
      condition === 'service_completed_successfully' ? [name] : [],
    ),
  );
}

/** A tag with at least a major and a minor version, and none of the tags that move. */
const PINNED = /^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?$/;

test('it has the mesh: a Redis Cluster of six, two Tidegates, two Envoys, an upstream, Prometheus, Grafana', () => {
  expect(services.map(([name]) => name).sort()).toEqual([
    'envoy-1',
    'envoy-2',
    'grafana',
    'prometheus',
    'redis-1',
    'redis-2',
    'redis-3',
    'redis-4',
    'redis-5',
    'redis-6',
    'redis-cluster',
    'tidegate-1',
    'tidegate-2',
    'upstream',
  ]);
});

test('every image is pinned to a version', () => {
  for (const [name, service] of services)
    expect([name, service.image]).toEqual([name, expect.stringMatching(PINNED)]);
  const base = /^ARG NODE_IMAGE=(.*)$/m.exec(dockerfile)?.[1];
  expect(base).toMatch(PINNED);
  expect(compose.services.upstream?.image).toBe(base);
  for (const [, from] of dockerfile.matchAll(/^FROM (\S+)/gm)) expect(from).toBe('${NODE_IMAGE}');
});

test('every service has a health check or is a one-shot', () => {
  const ending = oneShots();
  expect([...ending]).toEqual(['redis-cluster']);
  expect(dockerfile).toMatch(/^HEALTHCHECK /m);
  for (const [name, service] of services) {
    const checked = service.healthcheck !== undefined || service.build !== undefined;
    expect([name, checked || ending.has(name)]).toEqual([name, true]);
    expect([name, service.restart]).toEqual([name, ending.has(name) ? 'no' : 'unless-stopped']);
  }
});

test('every dependency waits for health or for a good end, never just for a start', () => {
  for (const [name, service] of services) {
    for (const { condition } of Object.values(service.depends_on ?? {})) {
      expect([name, condition]).toEqual([
        name,
        expect.stringMatching(/^service_(healthy|completed_successfully)$/),
      ]);
    }
  }
});

test('what it mounts exists, and is read only unless it is a volume', () => {
  for (const [name, service] of services) {
    for (const mount of service.volumes ?? []) {
      const [source = '', , mode] = mount.split(':');
      if (source in compose.volumes) continue;
      expect([name, mount, statSync(source).isFile() || statSync(source).isDirectory(), mode]).toEqual([
        name,
        mount,
        true,
        'ro',
      ]);
    }
  }
});

test('ports are published on loopback only, and none twice', () => {
  const published = services.flatMap(([, service]) => service.ports ?? []);
  expect(published.length).toBeGreaterThan(0);
  for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+\/tcp$/);
  const hostPorts = published.map((port) => port.split(':')[1]);
  expect(new Set(hostPorts).size).toBe(hostPorts.length);
});

test("Tidegate's environment names are settings, and its limits are where it looks for them", () => {
  const names = new Set(LEAVES.map((leaf) => leaf.envName));
  for (const name of ['tidegate-1', 'tidegate-2']) {
    const service = compose.services[name];
    const environment = service?.environment ?? {};
    expect(Object.keys(environment)).toContain('TIDEGATE_STORE_URLS');
    for (const key of Object.keys(environment)) expect([key, names.has(key)]).toEqual([key, true]);
    const [source, target] = service?.volumes?.[0]?.split(':') ?? [];
    const limits = environment.TIDEGATE_LIMITS_PATH ?? '';
    expect(statSync(limits.replace(target ?? '', source ?? '')).isFile()).toBe(true);
  }
  for (const [, name] of dockerfile.matchAll(/\b(TIDEGATE_[A-Z_]+)[=\s]/g)) expect(names).toContain(name);
});

test('the hosts that Envoy, Tidegate and Prometheus name are services', () => {
  const text = ['envoy/edge.yaml', 'deploy/prometheus/prometheus.yml']
    .map((file) => JSON.stringify(parse(readFileSync(repositoryPath(...file.split('/')), 'utf8'))))
    .join('\n');
  const fromEnvoy = [...text.matchAll(/"address":"([a-z][a-z0-9-]*)"/g)].map((match) => match[1]);
  const fromPrometheus = [...text.matchAll(/"([a-z][a-z0-9-]*):\d+"/g)].map((match) => match[1]);
  const fromTidegate = (compose.services['tidegate-1']?.environment?.TIDEGATE_STORE_URLS ?? '')
    .split(',')
    .map((hostPort) => hostPort.split(':')[0]);
  expect(fromEnvoy).toEqual(expect.arrayContaining(['upstream', 'tidegate-1', 'tidegate-2']));
  expect(fromPrometheus).toEqual(expect.arrayContaining(['tidegate-1', 'tidegate-2', 'envoy-1', 'envoy-2']));
  expect(fromTidegate).toHaveLength(6);
  const known = new Set([...services.map(([name]) => name), 'localhost']);
  for (const host of [...fromEnvoy, ...fromPrometheus, ...fromTidegate]) expect(known).toContain(host);
});

test('the image runs as a user without rights, and Node is its first process', () => {
  const lines = dockerfile.split('\n');
  expect(lines.filter((line) => line.startsWith('USER '))).toEqual(['USER node']);
  const command = lines.findLast((line) => line.startsWith('CMD '));
  expect(command).toBe('CMD ["tidegate", "serve"]');
  expect(dockerfile).toContain('exec node /app/dist/main.js');
});
