/** `tidegate mesh status` against an admin port of our own making. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { run } from '../../src/cli/run';
import type { MeshStatusView, TrafficView } from '../../src/core/mesh-view';
import { ROUTE_TYPE } from '../../src/mesh/resource-types';

const version = (digit: string): string => digit.repeat(32);
const MESH: MeshStatusView = {
  streams: [
    {
      node: { id: 'edge-1\u001b[31m', cluster: 'edge' },
      group: 'all',
      method: '/x',
      delta: true,
      connectedAtMs: 0,
      blocked: false,
      types: [
        {
          typeUrl: ROUTE_TYPE,
          wildcard: false,
          names: 1,
          sentVersion: version('a'),
          ackedVersion: version('b'),
          pending: false,
          rejection: { version: version('a'), message: 'no such\ncluster', atMs: 0 },
        },
        { typeUrl: 'x.Cluster', wildcard: true, names: 0, pending: true },
      ],
    },
    { method: '/x', delta: false, connectedAtMs: 0, blocked: true, types: [] },
  ],
  groups: [{ group: 'all', types: [{ typeUrl: ROUTE_TYPE, version: version('c'), resources: 3 }] }],
};
const TRAFFIC: TrafficView = {
  mode: 'active',
  groups: [
    {
      nodes: 'all',
      name: 'web',
      state: 'moving',
      why: 'b would run dry',
      atMs: 0,
      changedAtMs: Date.now() - 3_600_000,
      classes: [
        { name: 'vip', priority: 'HIGH', demandPerS: 5 },
        { name: 'default', priority: 'LOW', demandPerS: null },
      ],
      targets: [
        {
          id: 'a',
          weight: 75,
          backup: false,
          maxShare: 1,
          shares: [0.5, 1],
          tokens: 120,
          health: null,
          reason: {
            id: 'a',
            bucketPerS: null,
            healthFactor: 1,
            effectivePerS: null,
            configuredDemandPerS: null,
            demandPerS: 12.34,
            depletionMs: null,
            rule: 'moved_to',
            clamps: ['rate'],
          },
        },
        {
          id: 'b',
          weight: 25,
          backup: true,
          maxShare: 0.5,
          shares: [0.5, 0],
          tokens: null,
          health: null,
          reason: {
            id: 'b',
            bucketPerS: 10,
            healthFactor: 0.5,
            effectivePerS: 10,
            configuredDemandPerS: null,
            demandPerS: null,
            depletionMs: 4_000,
            rule: 'moved_off',
            clamps: [],
          },
        },
      ],
    },
  ],
  differences: Array.from({ length: 60 }, (_, at) => ({
    resource: 'web',
    typeUrl: ROUTE_TYPE,
    path: `routes[${at}]`,
    from: at === 0 ? '' : '1',
    to: '2',
  })),
  warnings: ['no resource has c'],
  changes: [
    {
      atMs: Date.now(),
      nodes: 'all',
      group: 'web',
      class: 'default',
      target: 'b',
      from: 0.25,
      to: 0,
      why: 'moved_off',
    },
  ],
};

let server: Server;
let url: string;
let answers: Record<string, { status: number; body: string }>;

beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = answers[request.url ?? ''] ?? { status: 404, body: '{}' };
    response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  answers = {
    '/api/v1/mesh': { status: 200, body: JSON.stringify(MESH) },
    '/api/v1/traffic': { status: 200, body: JSON.stringify(TRAFFIC) },
  };
});
afterAll(() => server.close());

async function tidegate(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await run(argv, {}, { out: (text) => (out += text), err: (text) => (err += text) });
  return { code, out, err };
}

test('nodes, versions, refusals, groups, weights and differences are shown, and no control characters', async () => {
  const { code, out, err } = await tidegate('mesh', 'status', '--url', url);
  expect([code, err]).toEqual([0, '']);
  // eslint-disable-next-line no-control-regex
  expect(out.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f]/);
  const lines = out.split('\n').map((line) => line.replace(/ {2,}/g, '  '));
  for (const line of [
    'edge-1 [31m  all  delta  RouteConfiguration  aaaaaaaa  bbbbbbbb  REFUSED aaaaaaaa: no such cluster',
    '  Cluster  -  -  awaits its answer (all)',
    '(not named yet)  -  sotw, does not read  -  -  -  -',
    'all  RouteConfiguration  cccccccc  3',
    'traffic: active',
    'group web (nodes all): moving, b would run dry, changed 60 min ago',
    '  demand: vip (HIGH) 5.0/s, default (LOW) not known',
    '  TARGET  CONFIGURED  VIP  DEFAULT  TOKENS  CAN/S  DEMAND/S  DRY IN  HEALTH  WHY',
    '  a  75.0%  50.0%  100.0%  120  any  12.3  -  100.0%  moved_to, rate',
    '  b (backup)  25.0%  50.0%  0.0%  -  10.0  -  4.0 s  50.0%  moved_off',
    '  web: routes[0]: (nothing) -> 2',
    '  and 10 more',
    '  no resource has c',
  ])
    expect(lines).toContain(line);
  expect(out).toMatch(/0\.\d s ago {2}all web\/default b: 25\.0% -> 0\.0% {2}moved_off/);
});

test('--json prints both as they are', async () => {
  const { out } = await tidegate('mesh', 'status', '--json', '--url', `${url}/`);
  expect(JSON.parse(out)).toEqual({ mesh: MESH, traffic: TRAFFIC });
});

test('nothing connected and nothing served is said', async () => {
  answers['/api/v1/mesh'] = { status: 200, body: '{"streams":[],"groups":[]}' };
  const nothing = { mode: 'off', groups: [], differences: [], warnings: [], changes: [] };
  answers['/api/v1/traffic'] = { status: 200, body: JSON.stringify(nothing) };
  const { out } = await tidegate('mesh', 'status', '--url', url);
  expect(out).toBe('no Envoy is connected\n\nno resources are served\n\ntraffic: off\n');
});

test("the settings' admin port is asked where no URL is given", async () => {
  const { code, out } = await tidegate('mesh', 'status', `--admin.port=${new URL(url).port}`);
  expect([code, out.includes('group web')]).toEqual([0, true]);
});

test.each<[string, string[], () => void, RegExp]>([
  ['no word', [], () => undefined, /TG_USAGE: mesh takes one word/],
  ['another word', ['start'], () => undefined, /TG_USAGE/],
  ['an unknown option', ['status', '--loud'], () => undefined, /TG_USAGE/],
  ['no URL', ['status', '--url', 'nowhere'], () => undefined, /TG_USAGE: --url/],
  [
    'a mesh that is off',
    ['status'],
    () =>
      (answers['/api/v1/mesh'] = {
        status: 404,
        body: '{"code":"TG_MESH_OFF","message":"nothing is served"}',
      }),
    /TG_MESH_OFF: nothing is served/,
  ],
  [
    'somebody else',
    ['status'],
    () => (answers['/api/v1/traffic'] = { status: 200, body: '<html>' }),
    /TG_SOURCE_UNAVAILABLE: .* answers 200, not as Tidegate does .*--url/,
  ],
])('%s is refused', async (_name, argv, prepare, why) => {
  prepare();
  const at = argv.includes('--url') || argv[0] !== 'status' ? [] : ['--url', url];
  const { code, out, err } = await tidegate('mesh', ...argv, ...at);
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(why);
});

test('nobody there is said', async () => {
  const { code, err } = await tidegate('mesh', 'status', '--url', 'http://127.0.0.1:1');
  expect(code).toBe(2);
  expect(err).toMatch(/TG_SOURCE_UNAVAILABLE/);
});
