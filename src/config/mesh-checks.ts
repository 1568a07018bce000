/** What patterns cannot tell of the settings of the mesh. */
import type { Nonsense } from './forecast-checks';
import type { Settings } from './settings-shape';

/** The group of nodes that fit no row. */
const ALL_NODES = 'all';
/** The class of what no other takes. */
const DEFAULT_CLASS = 'default';

/** Finds what means nothing. */
export function meshNonsenseOf({ mesh, forecast }: Settings): readonly Nonsense[] {
  const { path, telemetry, traffic } = mesh;
  const found = [...rowNonsense(mesh)];
  const served = path !== '' || telemetry.accessLogs || telemetry.loadReports;
  if (served && !forecast.enabled)
    found.push({
      path: 'mesh.path',
      message: 'Envoys are served by the thread that forecasts, and forecast.enabled is off',
      remedy: 'set forecast.enabled, or serve no Envoys',
    });
  if (mesh.targets.length > 0 && path === '')
    found.push({
      path: 'mesh.targets',
      message: 'there are targets of traffic, and no resources to put weights in',
      remedy: 'set mesh.path',
    });
  if (traffic.lifeMs < traffic.tickMs)
    found.push({
      path: 'mesh.traffic.life',
      message: 'what is seen would be forgotten before it is used',
      remedy: 'make it at least mesh.traffic.tick',
    });
  const { health } = traffic;
  const pairs = [
    ['error', health.errorFrom, health.errorTo],
    ['latency', health.latencyFrom, health.latencyTo],
    ['cpu', health.cpuFrom, health.cpuTo],
    ['memory', health.memoryFrom, health.memoryTo],
  ] as const;
  for (const [name, from, to] of pairs)
    if (from > to)
      found.push({
        path: `mesh.traffic.health.${name}_from`,
        message: `it is above ${name}_to`,
        remedy: `make it at most mesh.traffic.health.${name}_to`,
      });
  return found;
}

function rowNonsense({ nodes, targets, classes }: Settings['mesh']): readonly Nonsense[] {
  const found: Nonsense[] = [];
  const row = (path: string, index: number, message: string, remedy: string): void => {
    found.push({ path, message: `row ${index + 1}: ${message}`, remedy });
  };
  for (const [index, { group, id, cluster, metadata }] of nodes.entries()) {
    if (group === ALL_NODES)
      row('mesh.nodes', index, `'${ALL_NODES}' is the group of who fits no row`, 'name it otherwise');
    if (id === '' && cluster === '' && metadata.length === 0)
      row('mesh.nodes', index, 'every Envoy fits it', 'set its id, cluster or metadata');
  }
  const groups = new Set(targets.map(({ group }) => group));
  for (const [index, { group, cluster }] of targets.entries()) {
    if (group === '') row('mesh.targets', index, 'it is in no group', 'set its `group`');
    if (cluster === '') row('mesh.targets', index, 'it is no target', 'set its `cluster`');
  }
  for (const [index, { group, name, header, methods, path }] of classes.entries()) {
    if (!groups.has(group))
      row('mesh.classes', index, `no target is in the group '${group}'`, 'name a group of mesh.targets');
    if (name === DEFAULT_CLASS)
      row('mesh.classes', index, `'${DEFAULT_CLASS}' is what no class takes`, 'name it otherwise');
    if (header === '' && methods.length === 0 && path === '')
      row('mesh.classes', index, 'every request is in it', 'set its header, methods or path');
  }
  return found;
}
