// The mesh of docker-compose.yml from local processes: a Redis Cluster of six nodes, two Tidegates, two Envoys, a demo
// upstream, and Prometheus when it is installed. Everything listens on loopback and keeps its data in a folder that
// goes when the mesh stops, on Ctrl-C. Once it is up a part may end, so that failures can be tried out: the rest goes on.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import catalogue from '../parts/catalogue.cjs';
import envoyConfig from '../parts/envoy-config.cjs';
import { parseArguments, portProblems, redisPorts } from './ports.mjs';
import { Processes } from './processes.mjs';
import { writePrometheusConfig } from './prometheus.mjs';
import { startRedisCluster } from './redis-cluster.mjs';
import { describeTraffic, startTraffic } from './traffic.mjs';

const { ROOT, findPart } = catalogue;
const NEEDED = ['envoy', 'redis-server', 'redis-cli'];
const START_LIMIT_MS = 30_000;
const local = (port) => `127.0.0.1:${port}`;

/** Waits for `check` to hold; says what the process wrote when it does not in time. */
async function waitUntil(processes, stopped, name, check) {
  const giveUpAtMs = performance.now() + START_LIMIT_MS;
  while (!(await check().catch(() => false))) {
    if (stopped.aborted) throw stopped.reason;
    if (performance.now() > giveUpAtMs) throw new Error(`${name} is not ready:\n${processes.tail(name)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const answers = (url) => async () => (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok;

async function startAll({ ports, limits, folder, processes, waitFor }) {
  processes.start('upstream', process.execPath, [path.join(ROOT, 'scripts/mesh/upstream.mjs')], {
    PORT: String(ports.upstream),
  });
  await waitFor('upstream', answers(`http://${local(ports.upstream)}/`));
  const nodes = await startRedisCluster({
    processes,
    folder,
    server: findPart('redis-server'),
    cli: findPart('redis-cli'),
    ports: redisPorts(ports),
    waitFor,
  });

  const names = [1, 2];
  for (const n of names) {
    processes.start(`tidegate-${n}`, process.execPath, [path.join(ROOT, 'dist/main.js'), 'serve'], {
      TIDEGATE_LIMITS_PATH: limits,
      TIDEGATE_STORE_KIND: 'cluster',
      TIDEGATE_STORE_URLS: nodes.join(','),
      TIDEGATE_CONSISTENCY: 'exact',
      TIDEGATE_HISTORY_PATH: path.join(folder, `tidegate-${n}`, 'history.db'),
      TIDEGATE_DATA_PORT: String(ports[`tidegate-${n}-data`]),
      TIDEGATE_ADMIN_PORT: String(ports[`tidegate-${n}-admin`]),
      TIDEGATE_CONTROL_PORT: String(ports[`tidegate-${n}-control`]),
    });
  }
  for (const n of names) {
    await waitFor(`tidegate-${n}`, answers(`http://${local(ports[`tidegate-${n}-admin`])}/healthcheck`));
  }

  for (const n of names) {
    const admin = local(ports[`envoy-${n}-admin`]);
    const config = envoyConfig.placeEnvoyConfig(envoyConfig.loadEnvoyConfig('edge'), {
      admin,
      listeners: { edge: local(ports[`envoy-${n}`]), stats: local(ports[`envoy-${n}-stats`]) },
      clusters: {
        admin: [admin],
        upstream: [local(ports.upstream)],
        tidegate: names.map((m) => local(ports[`tidegate-${m}-data`])),
      },
    });
    const file = path.join(folder, `envoy-${n}.yaml`);
    writeFileSync(file, JSON.stringify(config));
    const quiet = ['--disable-hot-restart', '--concurrency', '1', '--log-level', 'warning'];
    processes.start(`envoy-${n}`, findPart('envoy'), ['--config-path', file, ...quiet]);
  }
  for (const n of names) {
    await waitFor(`envoy-${n}`, answers(`http://${local(ports[`envoy-${n}-stats`])}/ready`));
  }
  return startPrometheus({ ports, folder, processes, waitFor });
}

async function startPrometheus({ ports, folder, processes, waitFor }) {
  const program = findPart('prometheus');
  if (program === undefined) return false;
  const addresses = {
    'tidegate-1:8080': local(ports['tidegate-1-admin']),
    'tidegate-2:8080': local(ports['tidegate-2-admin']),
    'envoy-1:9901': local(ports['envoy-1-stats']),
    'envoy-2:9901': local(ports['envoy-2-stats']),
    'localhost:9090': local(ports.prometheus),
  };
  processes.start('prometheus', program, [
    `--config.file=${writePrometheusConfig(ROOT, folder, addresses)}`,
    `--storage.tsdb.path=${path.join(folder, 'prometheus-data')}`,
    `--web.listen-address=${local(ports.prometheus)}`,
  ]);
  await waitFor('prometheus', answers(`http://${local(ports.prometheus)}/-/ready`));
  return true;
}

function describe({ ports, limits, folder, withPrometheus, resources }) {
  const envoys = [1, 2].map((n) => `http://${local(ports[`envoy-${n}`])}`);
  const lines = [
    'The mesh is up.',
    `  Envoy        ${envoys.map((url) => `${url}/`).join('   ')}`,
    `  Tidegate     http://${local(ports['tidegate-1-admin'])}/   http://${local(ports['tidegate-2-admin'])}/   (/rlconfig, /metrics, /api/v1/config)`,
    `  gRPC         ${local(ports['tidegate-1-data'])}   ${local(ports['tidegate-2-data'])}`,
    `  Envoy stats  http://${local(ports['envoy-1-stats'])}/stats/prometheus`,
    ...(withPrometheus ? [`  Prometheus   http://${local(ports.prometheus)}/`] : []),
    `  Redis        redis-cli -c -p ${ports.redis}`,
    `  limits       ${limits} (edit it: it is read again at once)`,
    `  logs         ${folder}/*.log`,
    '',
    'Both Envoys share one limit. Five logins a minute pass, the rest get 429:',
    `  for i in $(seq 1 4); do for envoy in ${envoys.join(' ')}; do`,
    `    curl -s -o /dev/null -w '%{http_code}\\n' $envoy/login; done; done`,
    ...(resources === undefined ? [] : describeTraffic({ ports, resources })),
    '',
    'Ctrl-C stops everything.',
  ];
  console.log(lines.join('\n'));
}

async function main() {
  const options = parseArguments(process.argv.slice(2));
  const limits = path.resolve(options.limits);
  if (!existsSync(limits)) throw new Error(`there is no limits file ${limits}`);
  const setup = path.join(ROOT, 'scripts/setup-parts.mjs');
  const check = spawnSync(process.execPath, [setup, '--check', ...NEEDED], { encoding: 'utf8' });
  if (check.status !== 0) throw new Error(check.stderr.trim());
  const problems = await portProblems(options.ports, findPart('prometheus') !== undefined, options.traffic);
  if (problems.length > 0) {
    throw new Error(`${problems.join('\n')}\nmove all with --offset N, or one with --port NAME=N`);
  }

  const folder = mkdtempSync(path.join(tmpdir(), 'tidegate-mesh-'));
  const stop = new AbortController();
  let up = false;
  const processes = new Processes(folder, (message) => {
    if (up) console.error(`mesh: ${message}\nThe rest goes on; Ctrl-C stops it.`);
    else stop.abort(new Error(message));
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop.abort());
  try {
    const waitFor = (name, ready) => waitUntil(processes, stop.signal, name, ready);
    const withPrometheus = await startAll({ ...options, limits, folder, processes, waitFor });
    const resources = options.traffic
      ? await startTraffic({ ...options, folder, processes, waitFor, answers })
      : undefined;
    up = true;
    describe({ ...options, limits, folder, withPrometheus, resources });
    if (!stop.signal.aborted) {
      await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
    }
    stop.signal.throwIfAborted();
  } catch (thrown) {
    // A signal aborts without a reason of its own: that is how a mesh ends well.
    if (thrown?.name !== 'AbortError') throw thrown;
    console.log('\nstopping');
  } finally {
    await processes.stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

main().then(
  () => process.exit(0),
  (thrown) => {
    console.error(`mesh: ${thrown.message}`);
    process.exit(1);
  },
);
