/**
 * What a change of weights costs until Envoys have taken it: 100 routes, 50 streams of state-of-the-world ADS, every client in
 * another process. Beside it, in the same rounds, the floor: the same bytes over 50 plain grpc-js streams, answered at once.
 * With --streams 1000 --memory: what so many streams hold. Prints a table of medians (min..max). Needs a build.
 *
 *   node bench/xds-push.mjs [--routes 100] [--streams 50] [--rounds 40] [--memory]
 */
import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatSpread, spreadOf } from './harness/statistics.mjs';

const load = createRequire(import.meta.url);
const grpc = load('@grpc/grpc-js');
const ROUTE_TYPE = 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration';
const TYPES = ['cluster.v3.Cluster', 'endpoint.v3.ClusterLoadAssignment', 'listener.v3.Listener'].map(
  (name) => `type.googleapis.com/envoy.config.${name}`,
);
const ADS = '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources';
const FLOOR = '/bench.Floor/Stream';
const asIs = (bytes) => bytes;
const wire = (path) => ({
  path,
  requestStream: true,
  responseStream: true,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

const { values } = parseArgs({
  options: {
    role: { type: 'string', default: 'main' },
    routes: { type: 'string', default: '100' },
    streams: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '40' },
    memory: { type: 'boolean', default: false },
    port: { type: 'string', default: '0' },
  },
});
const [ROUTES, STREAMS, ROUNDS] = [values.routes, values.streams, values.rounds].map(Number);

function routeConfiguration() {
  const clusters = ['a', 'b', 'c'].map((name) => ({ name, weight: 1 }));
  const routes = Array.from({ length: ROUTES }, (_, at) => ({
    match: { prefix: `/p${at}` },
    route: { weighted_clusters: { clusters } },
  }));
  return { name: 'routes', virtual_hosts: [{ name: 'all', domains: ['*'], routes }] };
}

async function serve() {
  const { SnapshotCache, snapshotOf } = load('../dist/mesh/snapshot-cache.js');
  const { XdsServices } = load('../dist/mesh/xds-services.js');
  const { WeightedResources } = load('../dist/mesh/weights/weighted-resources.js');
  const row = {
    group: 'g',
    endpoint: '',
    subset: '',
    backup: false,
    maxShare: 1,
    weight: 1,
    runtimePrefix: '',
  };
  const weighted = new WeightedResources({
    resources: [{ typeUrl: ROUTE_TYPE, value: routeConfiguration(), file: 'bench', path: 'routes' }],
    targets: ['a', 'b', 'c'].map((cluster) => ({ ...row, cluster })),
    classes: [],
    runtimeLayer: '',
    runtimeTtlMs: 10_000,
  });
  const cache = new SnapshotCache();
  let startMs = 0;
  let waited = 0;
  let last = 0;
  const settle = () => {
    waited -= 1;
    last = performance.now() - startMs;
    times.push(last);
    if (waited === 0) process.send({ kind: 'settled', times: times.splice(0), cpuMs: cpuMs() - startCpuMs });
  };
  const times = [];
  const cpuMs = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  };
  let startCpuMs = 0;
  const services = new XdsServices({
    cache,
    groupOf: () => 'all',
    log: { debug() {}, info() {}, warn() {}, error() {} },
    nowMs: () => performance.now(),
    events: {
      answered: (type, { kind }) => kind === 'acked' && type === ROUTE_TYPE && waited > 0 && settle(),
    },
  });
  const floor = new Set();
  const server = new grpc.Server();
  for (const { definition, implementation } of services.grpcServices())
    server.addService(definition, implementation);
  server.addService(
    { [FLOOR]: wire(FLOOR) },
    {
      [FLOOR]: (call) => {
        floor.add(call);
        call.on('data', () => waited > 0 && settle());
        call.on('error', () => floor.delete(call));
      },
    },
  );
  cache.set('all', snapshotOf(weighted.apply(new Map()).resources));
  const bytes = cache.get('all').get(ROUTE_TYPE).resources.get('routes').body.length;
  let turn = 0;
  process.on('message', (kind) => {
    if (kind === 'memory') {
      globalThis.gc?.();
      return process.send({
        kind: 'memory',
        rss: process.memoryUsage().rss,
        streams: services.view().streams.length,
      });
    }
    waited = STREAMS;
    startMs = performance.now();
    startCpuMs = cpuMs();
    if (kind === 'floor') {
      const body = Buffer.alloc(bytes, 7);
      for (const call of floor) call.write(body);
      return;
    }
    turn += 1;
    const part = 0.2 + (turn % 50) / 100;
    const shares = new Map([['g', [[part, (1 - part) / 2, (1 - part) / 2]]]]);
    cache.set('all', snapshotOf(weighted.apply(shares).resources));
  });
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    process.send({ kind: 'listening', port, bytes });
  });
}

/** The clients: each answers as Envoy does, with the version and the nonce of what it got. */
function ask() {
  const { definitions } = load('../dist/mesh/definitions.js');
  const known = definitions();
  const request = 'envoy.service.discovery.v3.DiscoveryRequest';
  const response = 'envoy.service.discovery.v3.DiscoveryResponse';
  let ready = 0;
  for (let at = 0; at < STREAMS; at += 1) {
    const client = new grpc.Client(`127.0.0.1:${values.port}`, grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    const stream = client.makeBidiStreamRequest(ADS, asIs, asIs);
    const node = { id: `node-${at}`, cluster: 'bench' };
    const names = { [ROUTE_TYPE]: ['routes'] };
    const write = (message) => stream.write(Buffer.from(known.encode(request, message)));
    let first = true;
    stream.on('data', (bytes) => {
      const { type_url, version_info, nonce } = known.decode(response, bytes);
      write({ type_url, version_info, response_nonce: nonce, resource_names: names[type_url] ?? [] });
      if (!first || type_url !== ROUTE_TYPE) return;
      first = false;
      ready += 1;
      if (ready === STREAMS) process.send({ kind: 'ready' });
    });
    stream.on('error', () => undefined);
    const wanted = values.memory ? [...TYPES, ROUTE_TYPE] : [ROUTE_TYPE];
    for (const type_url of wanted) write({ node, type_url, resource_names: names[type_url] ?? [] });
    if (values.memory) continue;
    const plain = client.makeBidiStreamRequest(FLOOR, asIs, asIs);
    const reply = Buffer.alloc(known.encode(request, { node, type_url: ROUTE_TYPE }).length, 7);
    plain.on('data', () => plain.write(reply));
    plain.on('error', () => undefined);
  }
}

const told = (child, kind) =>
  new Promise((resolve) => {
    const look = (message) => {
      if (message.kind !== kind) return;
      child.off('message', look);
      resolve(message);
    };
    child.on('message', look);
  });

const quantile = (times, part) => times.sort((a, b) => a - b)[Math.ceil(part * times.length) - 1];

async function main() {
  const file = fileURLToPath(import.meta.url);
  const options = [
    '--routes',
    values.routes,
    '--streams',
    values.streams,
    ...(values.memory ? ['--memory'] : []),
  ];
  const server = fork(file, ['--role', 'server', ...options], { execArgv: ['--expose-gc'] });
  const { port, bytes } = await told(server, 'listening');
  server.send('memory');
  const before = await told(server, 'memory');
  const clients = fork(file, ['--role', 'clients', ...options, '--port', String(port)]);
  await told(clients, 'ready');
  if (values.memory) {
    server.send('memory');
    const after = await told(server, 'memory');
    const mb = (rss) => (rss / 1_048_576).toFixed(0);
    console.log(`${after.streams} streams: ${mb(after.rss)} MiB resident, ${mb(before.rss)} MiB without any`);
  } else {
    const rows = { 'a change of weights': 'push', 'floor: the same bytes, no discovery': 'floor' };
    const figures = Object.fromEntries(Object.keys(rows).map((name) => [name, []]));
    for (let round = -5; round < ROUNDS; round += 1)
      for (const [name, kind] of Object.entries(rows)) {
        const settled = told(server, 'settled');
        server.send(kind);
        const { times, cpuMs } = await settled;
        if (round >= 0) figures[name].push({ p50: quantile(times, 0.5), p99: quantile(times, 0.99), cpuMs });
      }
    const ms = (figure) => figure.toFixed(2);
    console.log(
      `${ROUTES} routes (${bytes} bytes), ${STREAMS} streams, ${ROUNDS} rounds; ms until accepted\n`,
    );
    console.log('| | p50 | p99 | CPU of the server |\n| --- | --- | --- | --- |');
    for (const [name, rounds] of Object.entries(figures)) {
      const column = (pick) => formatSpread(spreadOf(rounds.map(pick)), ms);
      console.log(
        `| ${name} | ${column(({ p50 }) => p50)} | ${column(({ p99 }) => p99)} | ${column(({ cpuMs }) => cpuMs)} |`,
      );
    }
  }
  clients.kill();
  server.kill();
}

await { main, server: serve, clients: ask }[values.role]();
