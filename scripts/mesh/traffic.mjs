// The part of the mesh that shows traffic moving: three instances of a shop, a Tidegate that serves examples/mesh, and an
// Envoy that has everything from it (envoy/mesh.yaml).
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import catalogue from '../parts/catalogue.cjs';
import envoyConfig from '../parts/envoy-config.cjs';

const { ROOT, findPart } = catalogue;
const EXAMPLE = path.join(ROOT, 'examples/mesh');
const INSTANCES = ['shop-a', 'shop-b', 'shop-c'];
const local = (port) => `127.0.0.1:${port}`;

/** Writes the example's resources with the ports of this mesh. Returns the folder. */
function placeResources({ ports, folder }) {
  const target = path.join(folder, 'resources');
  mkdirSync(target);
  for (const name of readdirSync(path.join(EXAMPLE, 'resources'))) {
    const content = parse(readFileSync(path.join(EXAMPLE, 'resources', name), 'utf8'));
    for (const resource of content.resources) {
      const moved = ports[resource.name === 'shop' ? 'envoy-3' : resource.name];
      const [locality] = resource.load_assignment?.endpoints ?? [];
      const holder = locality?.lb_endpoints[0].endpoint ?? resource;
      if (holder.address !== undefined) holder.address.socket_address.port_value = moved;
    }
    writeFileSync(path.join(target, name), `${JSON.stringify(content, undefined, 2)}\n`);
  }
  return target;
}

/** Starts it, and waits until all of it serves. Returns the folder of resources. */
export async function startTraffic({ ports, folder, processes, waitFor, answers }) {
  for (const name of INSTANCES) {
    const env = { PORT: String(ports[name]), NAME: name };
    processes.start(name, process.execPath, [path.join(ROOT, 'scripts/mesh/upstream.mjs')], env);
    await waitFor(name, answers(`http://${local(ports[name])}/`));
  }
  const resources = placeResources({ ports, folder });
  const main = [path.join(ROOT, 'dist/main.js'), 'serve', '--config', path.join(EXAMPLE, 'tidegate.yaml')];
  processes.start('tidegate-3', process.execPath, main, {
    TIDEGATE_LIMITS_PATH: path.join(EXAMPLE, 'limits.yaml'),
    TIDEGATE_MESH_PATH: resources,
    TIDEGATE_HISTORY_PATH: path.join(folder, 'tidegate-3', 'history.db'),
    TIDEGATE_DATA_PORT: String(ports['tidegate-3-data']),
    TIDEGATE_ADMIN_PORT: String(ports['tidegate-3-admin']),
    TIDEGATE_CONTROL_PORT: String(ports['tidegate-3-control']),
  });
  await waitFor('tidegate-3', answers(`http://${local(ports['tidegate-3-admin'])}/healthcheck`));

  const config = envoyConfig.placeEnvoyConfig(envoyConfig.loadEnvoyConfig('mesh'), {
    admin: local(ports['envoy-3-admin']),
    clusters: {
      tidegate: [local(ports['tidegate-3-data'])],
      'tidegate-control': [local(ports['tidegate-3-control'])],
    },
  });
  const file = path.join(folder, 'envoy-3.yaml');
  writeFileSync(file, JSON.stringify(config));
  const quiet = ['--disable-hot-restart', '--concurrency', '1', '--log-level', 'warning'];
  processes.start('envoy-3', findPart('envoy'), ['--config-path', file, ...quiet]);
  await waitFor('envoy-3', answers(`http://${local(ports['envoy-3'])}/`));
  return resources;
}

/** What to type to see it. */
export function describeTraffic({ ports, resources }) {
  const shop = `http://${local(ports['envoy-3'])}/`;
  const admin = `http://${local(ports['tidegate-3-admin'])}`;
  return [
    '',
    'Traffic that moves before a bucket runs dry: shop-a takes 30 requests a second, shop-b and shop-c ten times as many.',
    `  Envoy        ${shop}   (x-user-tier: vip moves last)`,
    `  Tidegate     ${admin}/   (/api/v1/traffic, /api/v1/mesh)`,
    `  resources    ${resources} (edit them: they are read again at once)`,
    'Let the load rise from 45 to 150 requests a second, and look at the weights meanwhile:',
    `  node scripts/mesh/load.mjs ${shop} --from 45 --to 150 --seconds 60`,
    `  node dist/main.js mesh status --url ${admin}`,
  ];
}
