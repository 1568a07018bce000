/** Real Envoy takes the matchers of any class: its bound on expressions is kept, and nothing in a value is special. */
import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { matchersOf } from '../../src/mesh/weights/class-matchers';
import { classRow } from '../mesh/weights/resources';
import { validateEnvoyConfig } from '../parts/envoy';

const TYPE = 'type.googleapis.com/envoy.extensions.filters';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-classes-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function configOf(headers: readonly object[]): object {
  const routes = headers.map((list) => ({
    match: { prefix: '/', headers: list },
    direct_response: { status: 200 },
  }));
  const manager = {
    '@type': `${TYPE}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'in',
    http_filters: [{ name: 'router', typed_config: { '@type': `${TYPE}.http.router.v3.Router` } }],
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
  };
  return {
    static_resources: {
      listeners: [
        {
          name: 'in',
          address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
          filter_chains: [{ filters: [{ name: 'hcm', typed_config: manager }] }],
        },
      ],
    },
  };
}

async function validate(headers: readonly object[]): Promise<void> {
  const file = join(folder, 'envoy.json');
  writeFileSync(file, JSON.stringify(configOf(headers)));
  expect(await validateEnvoyConfig(file)).toContain('OK');
}

test('expressions of any texts are within what Envoy takes', async () => {
  const text = fc
    .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
    .filter((one) => !/^\*+$|[\r\n\0]/.test(one));
  const classes = fc.sample(
    fc.record({
      values: fc.array(text, { minLength: 1, maxLength: 40 }),
      methods: fc.array(
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'PROPPATCH', 'VERSION-CONTROL'),
      ),
      path: fc.string({ maxLength: 90 }).map((one) => `/${one}`),
      ignoreCase: fc.boolean(),
    }),
    { numRuns: 150, seed: 7 },
  );
  await validate(
    classes.flatMap(({ ignoreCase, ...row }) =>
      matchersOf({ row: classRow('x', { header: 'x', ...row }), at: '' }, ignoreCase),
    ),
  );
}, 60_000);

test('one that is just as long as we make them is taken', async () => {
  const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'];
  const values = letters.map((letter, at) => `*${letter}${letters[(at * 7 + 3) % letters.length]}*`);
  const two = [letters.slice(0, 35).join(''), letters.slice(20, 55).reverse().join('')];
  const path = `/${letters.join('')}${letters.slice(0, 12).join('')}`;
  await validate([
    ...matchersOf({ row: classRow('x', { header: 'x', values }), at: '' }, false),
    ...matchersOf({ row: classRow('x', { header: 'x', values: two }), at: '' }, false),
    ...matchersOf({ row: classRow('x', { path }), at: '' }, false),
  ]);
}, 60_000);
