/** `npm run test:setup`: what it says about what is there and what is not. Nothing is installed by these tests. */
import { startChild } from '../parts/child';
import { partPath, repositoryPath } from '../parts/paths';

async function setup(
  args: readonly string[],
  path = process.env.PATH,
): Promise<{ exit: unknown; output: string }> {
  const child = startChild(process.execPath, [repositoryPath('scripts', 'setup-parts.mjs'), ...args], {
    env: { PATH: path },
  });
  return { exit: await child.exited, output: child.output() };
}

test('it names where each part is, and is content', async () => {
  const { exit, output } = await setup(['--check']);
  expect(output.split('\n').map((line) => line.split(':')[0])).toEqual([
    'envoy',
    'redis-server',
    'redis-cli',
    'openssl',
    'docker-compose',
    'prometheus',
    'promtool',
    'influxd',
    'chromium',
    'h2spec',
  ]);
  expect(output).not.toContain('missing');
  expect(exit).toBe(0);
});

test('what is missing is named in one line each, with what to do, and the exit status says so', async () => {
  const { exit, output } = await setup(['--check', 'redis-server', 'openssl'], '/nonexistent');
  expect(output.split('\n').sort()).toEqual([
    'openssl: missing; run npm run test:setup',
    'redis-server: missing; run npm run test:setup',
  ]);
  expect(exit).toBe(1);
});

test('where it cannot install, it says what to install by hand', async () => {
  const { exit, output } = await setup(['redis-server'], '/nonexistent');
  expect(output).toMatch(/^redis-server: missing; .*apt-get install redis-server/);
  expect(exit).toBe(1);
});

test('a part that there is none of is refused', async () => {
  expect(await setup(['--check', 'memcached'])).toMatchObject({ exit: 2 });
});

test('the tests find the same programs', () => {
  expect(partPath('envoy')).toMatch(/envoy$/);
});
