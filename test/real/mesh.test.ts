/** `npm run mesh` from the outside: it comes up, the loop that it prints works, and Ctrl-C leaves nothing behind. */
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { startChild, type Child } from '../parts/child';
import { ask, countStatuses } from '../parts/envoy-gateway';
import { partPath, repositoryPath } from '../parts/paths';
import { until } from '../parts/until';

const SCRIPT = repositoryPath('scripts', 'mesh', 'mesh.mjs');
const START_LIMIT_MS = 50_000;
let mesh: Child | undefined;

afterEach(async () => {
  await mesh?.stop(30_000);
  mesh = undefined;
});

/** Starts the mesh below the ports that outgoing connections take; elsewhere again when one is taken. */
async function startMesh(): Promise<Child> {
  for (let attempt = 1; ; attempt += 1) {
    const offset = String(randomInt(1_000, 14_000));
    mesh = startChild(process.execPath, [SCRIPT, '--traffic', '--offset', offset]);
    try {
      await mesh.waitForLine(
        'the mesh is up',
        (line) => line === 'Ctrl-C stops everything.' || undefined,
        START_LIMIT_MS,
      );
      return mesh;
    } catch (failure) {
      if (attempt === 5 || !mesh.output().includes('is taken')) throw failure;
    }
  }
}

function find(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`nothing like ${pattern} in:\n${text}`);
  return found;
}

test('both Envoys keep to the limit of the example, Prometheus is served, a part may end, and Ctrl-C ends everything', async () => {
  const running = await startMesh();
  const text = running.output();
  const envoys = find(text, /for envoy in (http.*); do/).split(' ');
  expect(envoys).toHaveLength(2);
  // The mesh has the deadlines that users have, so a busy machine may let one more pass; envoy.test.ts counts exactly.
  const logins = Array.from({ length: 8 }, (_, index) => ask(`${envoys[index % 2] ?? ''}/login`));
  const counts = countStatuses(await Promise.all(logins));
  expect(counts[200]).toBeGreaterThanOrEqual(5);
  expect((counts[200] ?? 0) + (counts[429] ?? 0)).toBe(8);
  for (const url of envoys) {
    await until(`${url} says that it is enough`, async () => (await ask(`${url}/login`)).status === 429);
  }

  const stats = find(text, /Envoy stats +(\S+)/);
  expect(await (await fetch(stats)).text()).toContain('envoy_cluster_ratelimit_ok');
  const prometheus = find(text, /Prometheus +(\S+)/);
  const config = await (await fetch(`${prometheus}api/v1/status/config`)).text();
  expect(config).toContain(new URL(stats).host);
  expect(config).not.toMatch(/(tidegate|envoy)-\d:\d/);

  // The part whose traffic moves: Envoy has all of it from Tidegate, and what is printed can be typed.
  const shop = find(text, /Envoy +(\S+) +\(x-user-tier/);
  const answers = await Promise.all(Array.from({ length: 30 }, async () => (await fetch(shop)).text()));
  expect(new Set(answers.map((answer) => answer.split(':')[0]))).toEqual(
    new Set(['shop-a', 'shop-b', 'shop-c']),
  );
  const [, ...status] = find(text, /(node dist\/main\.js mesh status .*)/).split(' ');
  const shown = execFileSync(process.execPath, status, { cwd: repositoryPath(), encoding: 'utf8' });
  expect(shown).toMatch(/edge-1 +all +delta +Cluster .* ok \(all\)/);
  expect(shown).toContain('group shop (nodes all)');
  const [, ...load] = find(text, /(node scripts\/mesh\/load\.mjs \S+ )/)
    .trim()
    .split(' ');
  const brief = [...load, '--from', '20', '--to', '20', '--seconds', '2'];
  expect(execFileSync(process.execPath, brief, { cwd: repositoryPath(), encoding: 'utf8' })).toMatch(
    /shop-[abc] \d+/,
  );

  // A part may end, so that a failure can be tried out.
  const redis = find(text, /redis-cli -c -p (\d+)/);
  execFileSync(partPath('redis-cli'), ['-p', redis, 'shutdown', 'nosave']);
  await running.waitForLine('the end of a Redis is told', (line) =>
    line.startsWith(`mesh: redis-${redis} ended`) ? true : undefined,
  );
  for (const url of envoys) expect([200, 429]).toContain((await ask(`${url}/`)).status);

  const folder = find(text, /logs +(\S+)\/\*\.log/);
  expect(existsSync(folder)).toBe(true);
  running.signal('SIGINT');
  expect(await running.exited).toBe(0);
  expect(existsSync(folder)).toBe(false);
  for (const url of [...envoys, prometheus, shop]) await expect(fetch(url)).rejects.toThrow('fetch failed');
}, 120_000);

test('a port that is taken is named before anything starts', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    mesh = startChild(process.execPath, [SCRIPT, '--port', `envoy-1=${port}`]);
    expect(await mesh.exited).toBe(1);
    expect(mesh.output()).toContain(`envoy-1: port ${port} is taken`);
    expect(mesh.output()).toContain('--offset');
  } finally {
    server.close();
  }
});

test.each([
  [['--port', 'nothing=1'], 'NAME=N'],
  [['--limits', '/nonexistent/limits.yaml'], 'no limits file'],
  [['--loud', 'yes'], 'unknown option --loud'],
])('%j is refused', async (args, why) => {
  mesh = startChild(process.execPath, [SCRIPT, ...args]);
  expect(await mesh.exited).toBe(1);
  expect(mesh.output()).toContain(why);
});
