/** What contradicts in rows of settings, or between them and the resources: refused with its place, or told. */
import type { ClassRow, ResourceDocument, TargetRow } from '../../../src/mesh/weights/rows';
import { TYPES } from '../resources';
import { caught } from './caught';
import { classRow, document, route, routes, target, VIP, weighted } from './resources';

const AB = [target('web:a'), target('web:b')];

describe('what contradicts', () => {
  type Case = [string, ResourceDocument[], TargetRow[], ClassRow[], object, string, string];
  const own = [routes(route({ a: 1, b: 1, c: 1 }))];
  const layer = { runtimeLayer: 'tidegate' };
  const vips = [VIP];
  test.each<Case>([
    ['a target twice', own, [target('web:a'), target('api:a')], [], {}, 'TG_MESH_TARGET', 'mesh.targets[1]'],
    ['no group', own, [target(':a')], [], {}, 'TG_MESH_TARGET', 'mesh.targets[0].group'],
    ['no cluster', own, [target('web:')], [], {}, 'TG_MESH_TARGET', 'mesh.targets[0].cluster'],
    [
      'clusters and endpoints',
      own,
      [target('web:a'), target('web:b/1.1.1.1:1')],
      [],
      {},
      'TG_MESH_TARGET',
      'mesh.targets[1].endpoint',
    ],
    [
      'endpoints of two clusters',
      own,
      [target('web:a/1.1.1.1:1'), target('web:b/1.1.1.1:1')],
      [],
      {},
      'TG_MESH_TARGET',
      'mesh.targets[1].cluster',
    ],
    [
      'endpoints of one cluster in two groups',
      own,
      [target('web:a/1.1.1.1:1'), target('api:a/1.1.1.1:2')],
      [],
      {},
      'TG_MESH_TARGET',
      'mesh.targets[1]',
    ],
    [
      'a cluster and a subset of it',
      own,
      [target('web:a'), target('web:a[v=1]')],
      [],
      {},
      'TG_MESH_TARGET',
      'mesh.targets[1].subset',
    ],
    ['a subset without value', own, [target('web:a[v]')], [], {}, 'TG_MESH_TARGET', 'mesh.targets[0].subset'],
    [
      'two groups in one route',
      own,
      [target('web:a'), target('api:b')],
      [],
      {},
      'TG_MESH_TARGET',
      'resources[0].virtual_hosts[0].routes[0].route.weighted_clusters',
    ],
    ['a class twice', own, AB, [VIP, VIP], {}, 'TG_MESH_CLASS', 'mesh.classes[1]'],
    [
      'a class named default',
      own,
      AB,
      [{ ...VIP, name: 'default' }],
      {},
      'TG_MESH_CLASS',
      'mesh.classes[0].name',
    ],
    ['a class without condition', own, AB, [classRow('all')], {}, 'TG_MESH_CLASS', 'mesh.classes[0]'],
    [
      'values without a header',
      own,
      AB,
      [classRow('x', { values: ['1'], path: '/' })],
      {},
      'TG_MESH_CLASS',
      'mesh.classes[0].values',
    ],
    [
      'a class of no group',
      own,
      AB,
      [{ ...VIP, group: 'none' }],
      {},
      'TG_MESH_CLASS',
      'mesh.classes[0].group',
    ],
    [
      'a class over endpoints',
      own,
      [target('web:a/1.1.1.1:1')],
      vips,
      {},
      'TG_MESH_CLASS',
      'mesh.classes[0]',
    ],
    ['no header name', own, AB, [{ ...VIP, header: 'a b' }], {}, 'TG_MESH_CLASS', 'mesh.classes[0].header'],
    [
      'no header value',
      own,
      AB,
      [{ ...VIP, values: ['a', 'b\r'] }],
      {},
      'TG_MESH_CLASS',
      'mesh.classes[0].values[1]',
    ],
    ['no path', own, AB, [classRow('x', { path: 'pay' })], {}, 'TG_MESH_CLASS', 'mesh.classes[0].path'],
    [
      'routes without runtime keys',
      own,
      AB,
      [],
      layer,
      'TG_MESH_TARGET',
      'resources[0].virtual_hosts[0].routes[0].route.weighted_clusters',
    ],
    [
      'the layer in the folder',
      [document(TYPES.T, { name: 'tidegate', layer: {} })],
      [],
      [],
      layer,
      'TG_MESH_DUPLICATE',
      'mesh.traffic.runtime_layer',
    ],
    [
      'two prefixes in a group',
      [],
      [target('web:a', { runtimePrefix: 'x' }), target('web:b')],
      [],
      layer,
      'TG_MESH_TARGET',
      'mesh.targets[1].runtime_prefix',
    ],
    [
      'runtime keys of endpoints',
      [],
      [target('web:a/1.1.1.1:1', { runtimePrefix: 'x' })],
      [],
      layer,
      'TG_MESH_TARGET',
      'mesh.targets[0].runtime_prefix',
    ],
    ['a resource twice', [...own, routes()], [], [], {}, 'TG_MESH_DUPLICATE', 'resources[0]'],
    [
      'an unknown field',
      [document(TYPES.R, { name: 'a', rutes: [] }, 4)],
      [],
      [],
      {},
      'TG_MESH_UNKNOWN_FIELD',
      'resources[4].rutes',
    ],
  ])('%s is refused with its place', (_name, resources, rows, classes, more, code, key) => {
    const error = caught(() => weighted(resources, rows, classes, more));
    expect(error).toMatchObject({ code, at: { key } });
    if (!key.startsWith('mesh.')) expect(error.at?.file).toBe('routes.yaml');
  });

  test('what may not be meant is told', () => {
    const plain = { match: { prefix: '/x' }, route: { cluster: 'a' } };
    const listener = document(TYPES.L, {
      name: 'in',
      filter_chains: [
        {
          filters: [
            {
              name: 'hcm',
              typed_config: {
                '@type':
                  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                stat_prefix: 'in',
                route_config: { virtual_hosts: [{ name: 'v', domains: ['*'], routes: [route({ a: 1 })] }] },
              },
            },
          ],
        },
      ],
    });
    const rows = [...AB, target('web:gone'), target('api:z', { runtimePrefix: 'p' })];
    const made = weighted([routes(plain, route({ a: 1, b: 1 })), listener], rows);
    expect(made.warnings()).toEqual([
      'web: virtual_hosts[0].routes[0] sends all to one target and stays so: give it weighted_clusters',
      'in: routes within a listener keep their weights: give them as a RouteConfiguration of its own',
      'mesh.targets[2]: no resource has the target gone with a weight',
      'group api: runtime_prefix needs mesh.traffic.runtime_layer',
      'mesh.targets[3]: no resource has the target z with a weight',
    ]);
    expect(made.groups().map(({ name, targets }) => [name, targets.length])).toEqual([['web', 2]]);
  });
});
