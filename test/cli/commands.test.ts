import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/run';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'tidegate-cli-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function tidegate(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await run(argv, {}, { out: (text) => (out += text), err: (text) => (err += text) });
  return { code, out, err };
}

function limits(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

const GOOD = `domain: shop
descriptors:
  - key: tenant
    value: gold
    rate_limit: { unit: minute, requests_per_unit: 600, name: gold }
  - key: tenant
    descriptors:
      - key: path
        value: /pay*
        rate_limit: { per: 90s, requests_per_unit: 60, capacity: 10, on_error: deny, priority: HIGH }
  - key: free
`;

describe('tidegate check', () => {
  it('counts what it read and exits 0 when nothing is wrong', async () => {
    expect(await tidegate('check', limits('good.yaml', GOOD))).toEqual({
      code: 0,
      out: 'ok: 1 file, 1 domain, 2 rules\n',
      err: '',
    });
  });

  it('names every mistake of every file with code, place and remedy, and exits 2', async () => {
    const one = limits(
      'one.yaml',
      'domain: a\ndescriptors:\n  - key: x\n    rate_limit: { unit: fortnight }\n  - value: y\n',
    );
    const two = limits('two.yaml', 'domain: b\nlimits: []\n');
    const { code, err } = await tidegate('check', one, two);
    expect(code).toBe(2);
    expect(err).toContain(`TG_LIMITS_BAD_UNIT: ${one}:4:`);
    expect(err).toContain(`TG_LIMITS_EMPTY_KEY: ${one}:5:5`);
    expect(err).toContain(`TG_LIMITS_UNKNOWN_KEY: ${two}:2:1`);
    expect(err).toContain('3 mistakes\n');
  });

  it('finds a domain that two of the files share', async () => {
    const { code, err } = await tidegate(
      'check',
      limits('a.yaml', 'domain: same\n'),
      limits('b.yaml', 'domain: same\n'),
    );
    expect(code).toBe(2);
    expect(err).toContain('TG_LIMITS_DUPLICATE_DOMAIN');
  });

  it('names a file that is not there', async () => {
    const { code, err } = await tidegate('check', join(dir, 'absent.yaml'));
    expect(code).toBe(2);
    expect(err).toContain('TG_LIMITS_UNREADABLE');
    expect(err).toContain('absent.yaml');
  });

  it('asks for a file when it is given none', async () => {
    expect((await tidegate('check')).err).toContain('TG_USAGE');
  });
});

describe('tidegate explain', () => {
  it('shows each step, the rule, where it stands, and its bucket', async () => {
    const path = limits('explain.yaml', GOOD);
    const { code, out } = await tidegate(
      'explain',
      '--limits',
      path,
      '--domain',
      'shop',
      '--entry',
      'tenant=tin',
      '--entry',
      'path=/pay/now',
    );
    expect(code).toBe(0);
    expect(out).toContain("tenant=tin  ->  the bare key of 'tenant'");
    expect(out).toContain("path=/pay/now  ->  the wildcard '/pay*' of 'path'");
    expect(out).toContain('limited by shop.tenant.path_/pay*: 60 per 90s (token_bucket, capacity 10)');
    expect(out).toContain(`${path}:10:`);
    expect(out).toContain('shop|tenant=tin|path=/pay/now');
    expect(out).toContain('on error    deny');
  });

  it.each([
    [['--entry', 'free=1'], 'no rate_limit'],
    [['--entry', 'tenant=gold', '--entry', 'path=/pay'], 'the limits end above this level'],
    [['--entry', 'colour=red'], 'no limit: nothing matches colour=red at level 1'],
    [['--entry', 'tenant=tin'], 'no rate_limit'],
  ])('says why %j meets no rule', async (entries, reason) => {
    const { code, out } = await tidegate(
      'explain',
      '--limits',
      limits('why.yaml', GOOD),
      '--domain',
      'shop',
      ...entries,
    );
    expect(code).toBe(0);
    expect(out).toContain(reason);
  });

  it('names the known domains when the domain is unknown', async () => {
    const { out } = await tidegate(
      'explain',
      '--limits',
      limits('dom.yaml', GOOD),
      '--domain',
      'mart',
      '--entry',
      'a=b',
    );
    expect(out).toContain('known: shop');
  });

  it('explains the example as the README shows it when no limits are named', async () => {
    const entries = ['--entry', 'path=/login', '--entry', 'remote_address=192.0.2.7'];
    const { out } = await tidegate('explain', '--domain', 'demo', ...entries);
    expect(readFileSync(join(__dirname, '../../README.md'), 'utf8')).toContain(`${out}\`\`\``);
  });

  it('prints JSON for programs', async () => {
    const { out } = await tidegate(
      'explain',
      '--json',
      '--limits',
      limits('json.yaml', GOOD),
      '--domain',
      'shop',
      '--entry',
      'tenant=gold',
    );
    expect(JSON.parse(out)).toMatchObject({
      rule: { id: 'shop.tenant_gold', name: 'gold', limit: 600, window: '1m' },
    });
  });

  it.each([[['--entry', 'a=b']], [['--domain', 'd']], [['--domain', 'd', '--entry', '=x']]])(
    'refuses %j',
    async (argv) => {
      const { code, err } = await tidegate('explain', ...argv);
      expect(code).toBe(2);
      expect(err).toContain('TG_USAGE');
    },
  );
});

describe('the command line', () => {
  it('prints help and the version', async () => {
    expect((await tidegate('help')).out).toContain('tidegate check');
    expect((await tidegate('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    ['check', ['check', '--help'], 'explain'],
    ['serve', ['serve', '-h'], 'check'],
    ['explain', ['explain', '--help'], 'explain-pool'],
    ['explain-pool', ['help', 'explain-pool'], 'mesh'],
    ['mesh', ['mesh', 'status', '--help'], 'backtest'],
    ['model', ['model', '-h'], 'docs'],
    ['train', ['help', 'train'], 'model'],
  ])('prints what is about %s for %j, and not about %s', async (command, argv, other) => {
    const { code, out } = await tidegate(...argv);
    expect([code, out.startsWith(`  tidegate ${command} `)]).toEqual([0, true]);
    expect(out).not.toContain(`  tidegate ${other} `);
    expect(out.includes('SETTINGS, the strongest first')).toBe(out.includes('[SETTINGS]'));
  });

  it.each([['--help'], ['-h']])('prints all of it for %s', async (...argv) => {
    const { code, out } = await tidegate(...argv);
    expect(code).toBe(0);
    for (const command of ['serve', 'explain-pool', 'mesh', 'train', 'model']) {
      expect(out).toContain(`  tidegate ${command} `);
    }
  });

  it.each([
    ['help', 'sevre'],
    ['sevre', '--help'],
    ['help', 'constructor'],
  ])('refuses help about what is no command: %s %s', async (...argv) => {
    const { code, err } = await tidegate(...argv);
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/TG_USAGE: there is no command '(sevre|constructor)'/),
    ]);
  });

  it('refuses an unknown command, flag and setting with a code and exit 2', async () => {
    expect(await tidegate('sevre')).toMatchObject({
      code: 2,
      err: expect.stringContaining('TG_USAGE') as string,
    });
    expect(await tidegate('serve', '--nonsense')).toMatchObject({
      code: 2,
      err: expect.stringContaining('TG_USAGE') as string,
    });
    expect(await tidegate('serve', '--data.prot=1')).toMatchObject({
      code: 2,
      err: expect.stringContaining('did you mean --data.port?') as string,
    });
  });

  it('prints the generated documentation', async () => {
    const { out } = await tidegate('docs');
    expect(out).toContain('TIDEGATE_DATA_PORT');
    expect(out).toContain('TG_STORE_TIMEOUT');
  });
});
