/** proto/ means the same as Envoy's and gRPC's full definitions. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');
const FACTS = join(ROOT, 'test/fixtures/envoy-fields.json');

function check(source: string): { status: number | null; output: string } {
  const run = spawnSync(process.execPath, [join(ROOT, 'scripts/check-proto.mjs'), source], {
    encoding: 'utf8',
  });
  return { status: run.status, output: run.stdout + run.stderr };
}

/** Where a dependency that ships Envoy's full definitions keeps them, those that are installed. */
const SHIPPED = ['@grpc/grpc-js-xds/deps/envoy-api', '@grpc/grpc-js-xds/build/deps/envoy-api']
  .map((path) => join(ROOT, 'node_modules', path))
  .filter((path) => existsSync(path));

interface Facts {
  packages: string[];
  facts: Record<string, { kind: string; number: number; type: string }>;
}

describe('the declarations in proto/', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'tidegate-proto-'));
  });
  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  it('agree with the facts of Envoy that we serve', () => {
    const { status, output } = check(FACTS);
    expect(output).not.toMatch(/ours is|not in the given/);
    expect(status).toBe(0);
  });

  it('agree with the definitions that a dependency ships, which may lack what is newer than they are', () => {
    expect(SHIPPED).not.toEqual([]);
    const { output } = check(SHIPPED[0] ?? '');
    expect(output).toMatch(/[1-9]\d* of \d+ facts of proto\/ agree/);
    expect(output).not.toMatch(/ours is/);
    const missing = [...output.matchAll(/^(\S+): not in the given definitions$/gm)].map(([, name]) => name);
    expect(missing).toEqual([
      'envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.hits_addend',
      'envoy.service.ratelimit.v3.RateLimitResponse.RateLimit.Unit.WEEK',
    ]);
  });

  const mutations: [string, (facts: Facts['facts']) => void, RegExp][] = [
    [
      'another field number',
      (facts) => {
        facts['envoy.service.ratelimit.v3.RateLimitRequest.hits_addend']!.number = 4;
      },
      /RateLimitRequest\.hits_addend: ours is/,
    ],
    [
      'another type',
      (facts) => {
        facts['envoy.service.ratelimit.v3.RateLimitRequest.hits_addend']!.type = 'uint64';
      },
      /RateLimitRequest\.hits_addend: ours is/,
    ],
    [
      'another enum number',
      (facts) => {
        facts['envoy.type.v3.RateLimitUnit.YEAR']!.number = 7;
      },
      /RateLimitUnit\.YEAR: ours is/,
    ],
    [
      'a field that is gone',
      (facts) => {
        delete facts['envoy.config.core.v3.HeaderValue.value'];
      },
      /HeaderValue\.value: not in the given definitions/,
    ],
  ];
  it.each(mutations)('are reported to differ from definitions with %s', (_name, change, message) => {
    const facts = JSON.parse(readFileSync(FACTS, 'utf8')) as Facts;
    change(facts.facts);
    const file = join(dir, 'facts.json');
    writeFileSync(file, JSON.stringify(facts));
    const { status, output } = check(file);
    expect(status).toBe(1);
    expect(output).toMatch(message);
  });

  it('cannot be compared with a place that has none of them', () => {
    expect(check(dir).status).toBe(2);
  });
});
