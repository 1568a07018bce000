// The mesh's ports: fixed defaults, the same that docker-compose.yml publishes, movable all together or one by one.
import { createServer } from 'node:net';

const REDIS_NODES = 6;
// A cluster node talks to the others on its port + 10000.
const BUS_OFFSET = 10_000;

const DEFAULTS = {
  'envoy-1': 10_000,
  'envoy-2': 10_100,
  'envoy-1-stats': 9901,
  'envoy-2-stats': 9911,
  'envoy-1-admin': 9902,
  'envoy-2-admin': 9912,
  'tidegate-1-data': 8081,
  'tidegate-2-data': 8181,
  'tidegate-1-admin': 8080,
  'tidegate-2-admin': 8180,
  'tidegate-1-control': 18_000,
  'tidegate-2-control': 18_100,
  upstream: 8000,
  prometheus: 9090,
  // The first of six in a row.
  redis: 7001,
};

/** Of what `--traffic` adds. */
const TRAFFIC_DEFAULTS = {
  'envoy-3': 10_200,
  'envoy-3-admin': 9922,
  'tidegate-3-data': 8281,
  'tidegate-3-admin': 8280,
  'tidegate-3-control': 18_200,
  'shop-a': 8001,
  'shop-b': 8002,
  'shop-c': 8003,
};

/** The names that `--port NAME=N` takes. */
export const PORT_NAMES = [...Object.keys(DEFAULTS), ...Object.keys(TRAFFIC_DEFAULTS)];

function parsePort(text, what) {
  const port = Number(text);
  if (!/^-?\d+$/.test(text) || port > 65_535 || port < -65_535)
    throw new Error(`${what} takes a number, not ${text}`);
  return port;
}

/** Reads `--traffic`, `--offset N`, `--port NAME=N` and `--limits FILE`; throws an Error that names what is wrong. */
export function parseArguments(args) {
  const pairs = args.filter((argument) => argument !== '--traffic');
  const options = {
    limits: 'examples/limits.yaml',
    traffic: pairs.length < args.length,
    ports: { ...DEFAULTS, ...TRAFFIC_DEFAULTS },
  };
  const single = {};
  let offset = 0;
  for (let index = 0; index < pairs.length; index += 2) {
    const [flag, value] = [pairs[index], pairs[index + 1]];
    if (value === undefined) throw new Error(`${flag} needs a value; ${USAGE}`);
    if (flag === '--limits') options.limits = value;
    else if (flag === '--offset') offset = parsePort(value, flag);
    else if (flag === '--port') {
      const [name, port] = value.split('=');
      if (!PORT_NAMES.includes(name) || port === undefined) {
        throw new Error(`--port takes NAME=N, with a name of ${PORT_NAMES.join(', ')}`);
      }
      single[name] = parsePort(port, value);
    } else throw new Error(`unknown option ${flag}; ${USAGE}`);
  }
  for (const name of PORT_NAMES) options.ports[name] = single[name] ?? options.ports[name] + offset;
  return options;
}

export const USAGE = 'usage: npm run mesh -- [--traffic] [--limits FILE] [--offset N] [--port NAME=N]...';

/** The ports of the Redis nodes. */
export function redisPorts(ports) {
  return Array.from({ length: REDIS_NODES }, (_, index) => ports.redis + index);
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** One line for each port that something else has, or that is no port; empty when all can be used. */
export async function portProblems(ports, wantsPrometheus, wantsTraffic) {
  const needed = PORT_NAMES.filter(
    (name) =>
      name !== 'redis' &&
      (wantsPrometheus || name !== 'prometheus') &&
      (wantsTraffic || !(name in TRAFFIC_DEFAULTS)),
  ).map((name) => ({ name, port: ports[name] }));
  for (const port of redisPorts(ports)) {
    needed.push({ name: 'redis', port }, { name: 'redis', port: port + BUS_OFFSET });
  }
  const problems = [];
  const seen = new Map();
  for (const { name, port } of needed) {
    const other = seen.get(port);
    seen.set(port, name);
    if (port < 1 || port > 65_535) problems.push(`${name}: ${port} is not a port`);
    else if (other !== undefined) problems.push(`${name}: port ${port} is also ${other}'s`);
    else if (!(await isFree(port))) problems.push(`${name}: port ${port} is taken`);
  }
  return problems;
}
