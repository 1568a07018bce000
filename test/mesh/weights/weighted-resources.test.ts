/** Weights put into a user's resources: nothing else is changed, and all that contradicts is refused. */
import type { MeshResource } from '../../../src/mesh/resource';
import { resourceFromJson } from '../../../src/mesh/resource';
import { TYPES } from '../resources';
import {
  classRow,
  decoded,
  document,
  endpoint,
  endpoints,
  route,
  routes,
  routesIn,
  shownRoutes,
  target,
  VIP,
  weighted,
} from './resources';

const AB = [target('web:a'), target('web:b')];
const applied = (list: readonly MeshResource[]): MeshResource | undefined => list[0];

describe('weights of clusters', () => {
  test('the groups tell targets with the weights that routes give them', () => {
    const rows = [target('web:a'), target('web:b', { backup: true, maxShare: 0.3 })];
    expect(weighted([routes(route({ a: 70, b: 30 }))], rows).groups()).toEqual([
      {
        name: 'web',
        targets: [
          { id: 'a', weight: 70, backup: false, maxShare: 1 },
          { id: 'b', weight: 30, backup: true, maxShare: 0.3 },
        ],
        classes: [{ name: 'default', priority: 'LOW' }],
      },
    ]);
  });

  test('without shares, and with those that are configured, all is as the user wrote it', () => {
    const input = [routes(route({ a: 70, b: 30 }))];
    const own = resourceFromJson(input[0]?.typeUrl ?? '', input[0]?.value);
    const made = weighted(input, AB);
    expect(made.apply(new Map()).resources).toEqual([own]);
    expect(made.apply(new Map([['web', [[0.7, 0.3]]]])).resources).toEqual([own]);
    expect(made.differences()).toEqual([]);
    made.apply(new Map([['web', [[0.5, 0.5]]]]));
    expect(made.apply(new Map()).resources).toEqual([own]);
  });

  test('shares become whole weights, are told as changes and differences, and stay the same object', () => {
    const made = weighted([routes(route({ a: 70, b: 30 })), document(TYPES.C, { name: 'a' })], AB);
    const before = made.apply(new Map()).resources;
    const { resources, changed } = made.apply(new Map([['web', [[0.123456, 0.876544]]]]));
    expect(shownRoutes(resources[0])).toEqual([': a 123456, b 876544']);
    expect(resources[1]).toBe(before[1]);
    expect(changed).toEqual([
      { group: 'web', className: 'default', target: 'a', from: 0.7, to: 0.123456 },
      { group: 'web', className: 'default', target: 'b', from: 0.3, to: 0.876544 },
    ]);
    const path = 'virtual_hosts[0].routes[0].route.weighted_clusters.clusters';
    expect(made.differences()).toEqual([
      { resource: 'web', typeUrl: TYPES.R, path: `${path}[0].weight`, from: '70', to: '123456' },
      { resource: 'web', typeUrl: TYPES.R, path: `${path}[1].weight`, from: '30', to: '876544' },
    ]);
    const again = made.apply(new Map([['web', [[0.123456, 0.876544]]]]));
    expect(again.resources).toBe(resources);
    expect(again.changed).toEqual([]);
  });

  test.each<[string, object[], number[], string[]]>([
    [
      'clusters that are no targets keep their part',
      [route({ a: 40, b: 40, canary: 20 })],
      [1, 0],
      [': a 800000, b 0, canary 200000'],
    ],
    [
      'a route with only some of the targets spreads among those',
      [route({ a: 1, b: 1 }), route({ b: 1, other: 1 })],
      [0.75, 0.25],
      [': a 900000, b 100000', ': b 500000, other 500000'],
    ],
    [
      'routes that are configured differently keep their difference',
      [route({ a: 1, b: 3 }), route({ a: 3, b: 1 })],
      [0.25, 0.75],
      [': a 100000, b 900000', ': a 500000, b 500000'],
    ],
    [
      'a target that is configured with 0 gets its share all the same',
      [route({ a: 1, b: 0 })],
      [0.6, 0.4],
      [': a 600000, b 400000'],
    ],
    [
      'nothing for all of a route leaves what is configured',
      [route({ a: 1, other: 1 }), route({ b: 1, a: 1 })],
      [0, 1],
      [': a 500000, other 500000', ': b 1000000, a 0'],
    ],
    [
      'routes without the targets are left alone',
      [route({ a: 1, b: 1 }), route({ c: 5 })],
      [1, 0],
      [': a 1000000, b 0', ': c 5'],
    ],
  ])('%s', (_name, list, shares, wanted) => {
    expect(
      shownRoutes(applied(weighted([routes(...list)], AB).apply(new Map([['web', [shares]]])).resources)),
    ).toEqual(wanted);
  });

  test('a total that is given follows the sum', () => {
    const made = weighted([routes(route({ a: 70, b: 30 }, {}, { total_weight: 100 }))], AB);
    const { resources } = made.apply(new Map([['web', [[0.5, 0.5]]]]));
    expect(routesIn(resources[0])[0]?.route.weighted_clusters.total_weight).toEqual({ value: 1_000_000 });
  });

  test('subsets of one cluster are told apart by what their entries match', () => {
    const subset = (version: string, weight: number): object => ({
      name: 'a',
      weight,
      metadata_match: { filter_metadata: { 'envoy.lb': { version } } },
    });
    const clusters = [subset('v1', 90), subset('v2', 10)];
    const list = routes({ match: { prefix: '/' }, route: { weighted_clusters: { clusters } } });
    const made = weighted([list], [target('web:a[version=v1]'), target('web:a[version=v2]')]);
    expect(made.groups()[0]?.targets.map(({ id, weight }) => [id, weight])).toEqual([
      ['a[version=v1]', 90],
      ['a[version=v2]', 10],
    ]);
    expect(shownRoutes(made.apply(new Map([['web', [[0.2, 0.8]]]])).resources[0])).toEqual([
      ': a 200000, a 800000',
    ]);
  });

  test('shares of another shape change nothing', () => {
    const made = weighted([routes(route({ a: 70, b: 30 }))], AB);
    const before = made.apply(new Map([['web', [[0.5, 0.5]]]])).resources;
    for (const bad of [
      [[0.5]],
      [],
      [[NaN, 1]],
      [[-1, 2]],
      [
        [1, 0],
        [1, 0],
      ],
    ])
      expect(() => made.apply(new Map([['web', bad]]))).toThrow('not of its shape');
    expect(made.apply(new Map([['web', [[0.5, 0.5]]]])).resources).toBe(before);
  });
});

describe('weights of endpoints', () => {
  const rows = [target('one:a/10.0.0.1:80'), target('one:a/[::1]:80')];

  test('shares become weights of at least 1, others keep their part', () => {
    const own = endpoints([
      { of: ['10.0.0.1:80=2', '[::1]:80=2', '10.0.0.3:80'], more: { locality: { zone: 'z' } } },
    ]);
    const made = weighted([own], rows);
    expect(made.groups()[0]?.targets.map(({ id, weight }) => [id, weight])).toEqual([
      ['a/10.0.0.1:80', 2],
      ['a/[::1]:80', 2],
    ]);
    const { resources } = made.apply(new Map([['one', [[1, 0]]]]));
    const weightIn = decoded(resources[0] as MeshResource) as unknown as {
      endpoints: { locality: object; lb_endpoints: { load_balancing_weight: { value: number } }[] }[];
    };
    const [locality] = weightIn.endpoints;
    expect(locality?.lb_endpoints.map((one) => one.load_balancing_weight.value)).toEqual([79_999, 1, 20_000]);
    expect(locality?.locality).toMatchObject({ zone: 'z' });
    const path = 'endpoints[0].lb_endpoints[2].load_balancing_weight';
    expect(made.differences()[2]).toEqual({ resource: 'a', typeUrl: TYPES.E, path, from: '1', to: '20000' });
  });

  test('each priority is weighed for itself, and it is said', () => {
    const own = endpoints([{ of: ['10.0.0.1:80'] }, { of: ['[::1]:80'], more: { priority: 1 } }]);
    const made = weighted([own], rows);
    expect(made.warnings()).toEqual([
      'a: its endpoints have several priorities: shares move only within each',
    ]);
    const { resources } = made.apply(new Map([['one', [[0.1, 0.9]]]]));
    expect(JSON.stringify(decoded(resources[0] as MeshResource)).match(/"value":100000/g)).toHaveLength(2);
  });

  test('endpoints of the service that a cluster names, and endpoints within a cluster, are found', () => {
    const cluster = {
      name: 'a',
      type: 'EDS',
      eds_cluster_config: { eds_config: { ads: {} }, service_name: 'svc' },
    };
    const service = document(TYPES.E, {
      cluster_name: 'svc',
      endpoints: [{ lb_endpoints: [endpoint('10.0.0.1:80')] }],
    });
    expect(weighted([document(TYPES.C, cluster, 1), service], rows).groups()[0]?.targets).toHaveLength(1);
    const inline = document(TYPES.C, {
      name: 'a',
      load_assignment: {
        cluster_name: 'a',
        endpoints: [
          { load_balancer_endpoints: { lb_endpoints: [endpoint('10.0.0.1:80'), endpoint('[::1]:80')] } },
        ],
      },
    });
    const made = weighted([inline], rows);
    expect(made.warnings()).toEqual([
      'a: its endpoints stand in the cluster, which each change replaces: use EDS',
    ]);
    made.apply(new Map([['one', [[0.25, 0.75]]]]));
    expect(made.differences().map(({ path, to }) => [path, to])).toEqual([
      ['load_assignment.endpoints[0].load_balancer_endpoints.lb_endpoints[0].load_balancing_weight', '25000'],
      ['load_assignment.endpoints[0].load_balancer_endpoints.lb_endpoints[1].load_balancing_weight', '75000'],
    ]);
  });
});

describe('classes', () => {
  test('each gets a route before the one that it narrows, the most important first', () => {
    const own = route(
      { a: 1, b: 1 },
      { name: 'shop', typed_per_filter_config: {}, request_headers_to_remove: ['x'] },
    );
    const late = classRow('batch', { priority: 'MEDIUM', methods: ['POST', 'PUT'], path: '/batch/*' });
    const made = weighted([routes(own, route({ b: 1, a: 1 }))], AB, [late, { ...VIP, priority: 'CRITICAL' }]);
    expect(made.groups()[0]?.classes).toEqual([
      { name: 'vip', priority: 'CRITICAL' },
      { name: 'batch', priority: 'MEDIUM' },
      { name: 'default', priority: 'LOW' },
    ]);
    const shares = [
      [1, 0],
      [0.5, 0.5],
      [0, 1],
    ];
    const { resources } = made.apply(new Map([['web', shares]]));
    expect(shownRoutes(resources[0])).toEqual([
      'shop/vip: a 1000000, b 0',
      'shop/batch: a 500000, b 500000',
      'shop: a 0, b 1000000',
      'all/1/vip: b 0, a 1000000',
      'all/1/batch: b 500000, a 500000',
      'all/1/default: b 1000000, a 0',
    ]);
    const [vip, batch] = routesIn(resources[0]);
    expect(vip).toMatchObject({
      match: { prefix: '/', headers: [{ name: 'x-tier', string_match: { exact: 'gold' } }] },
      request_headers_to_remove: ['x'],
    });
    expect(batch?.match.headers).toEqual([
      { name: ':method', string_match: { safe_regex: { regex: 'POST|PUT' } } },
      { name: ':path', string_match: { prefix: '/batch/' } },
    ]);
    expect(made.routeTraffic().get('shop/batch')).toEqual({ group: 'web', className: 'batch' });
    expect(made.routeTraffic().get('all/1/default')).toEqual({ group: 'web', className: 'default' });
    expect(made.differences()[0]).toMatchObject({
      path: 'virtual_hosts[0].routes[0]',
      from: '',
      to: 'before it shop/vip (x-tier is gold): a 1000000, b 0',
    });
  });

  test('a group without one keeps the names of its routes', () => {
    const { resources } = weighted([routes(route({ a: 1, b: 1 }))], AB).apply(new Map([['web', [[1, 0]]]]));
    expect(shownRoutes(resources[0])).toEqual([': a 1000000, b 0']);
  });

  test('a class that no route can have is told', () => {
    const made = weighted([routes(route({ a: 1, b: 1 }, { match: { path: '/login' } }))], AB, [
      classRow('pay', { path: '/pay' }),
    ]);
    expect(made.warnings()).toEqual([
      'mesh.classes[0]: no route of group web can have requests of class pay',
    ]);
    const shares = [
      [1, 0],
      [0, 1],
    ];
    expect(shownRoutes(made.apply(new Map([['web', shares]])).resources[0])).toEqual([
      'all/0/default: a 0, b 1000000',
    ]);
  });
});

describe('a runtime layer', () => {
  const layer = { runtimeLayer: 'tidegate' };
  const own = routes(route({ a: 70, b: 30 }, {}, { runtime_key_prefix: 'shop' }));

  test('carries the weights, while the routes stay', () => {
    const made = weighted([own], AB, [], layer);
    const before = made.apply(new Map()).resources;
    expect(decoded(before[1] as MeshResource)).toEqual({ name: 'tidegate', layer: {} });
    const { resources } = made.apply(new Map([['web', [[0.1, 0.9]]]]));
    expect(resources[0]).toBe(before[0]);
    expect(resources[1]).toMatchObject({ typeUrl: TYPES.T, name: 'tidegate', ttlMs: 10_000 });
    expect(decoded(resources[1] as MeshResource)).toEqual({
      name: 'tidegate',
      layer: { fields: { 'shop.a': { number_value: 100_000 }, 'shop.b': { number_value: 900_000 } } },
    });
    expect(made.differences()).toEqual([
      { resource: 'tidegate', typeUrl: TYPES.T, path: 'layer.shop.a', from: '70', to: '100000' },
      { resource: 'tidegate', typeUrl: TYPES.T, path: 'layer.shop.b', from: '30', to: '900000' },
    ]);
    expect(made.apply(new Map()).resources[1]?.version).toBe(before[1]?.version);
  });

  test('classes have routes with keys of their own and the configured weights', () => {
    const made = weighted([own], AB, [VIP], layer);
    const shares = [
      [1, 0],
      [0, 1],
    ];
    const { resources } = made.apply(new Map([['web', shares]]));
    expect(shownRoutes(resources[0])).toEqual([
      'all/0/vip(shop.vip): a 70, b 30',
      'all/0/default(shop): a 70, b 30',
    ]);
    expect(
      Object.keys((decoded(resources[1] as MeshResource)['layer'] as { fields: object }).fields),
    ).toEqual(['shop.a', 'shop.b', 'shop.vip.a', 'shop.vip.b']);
  });

  test('serves routes that another control plane owns, by prefix, clusters and weights of the settings', () => {
    const rows = [
      target('web:a', { runtimePrefix: 'theirs', weight: 3 }),
      target('web:b', { runtimePrefix: 'theirs', weight: 1 }),
    ];
    const made = weighted([], rows, [], layer);
    expect(made.warnings()).toEqual([]);
    expect(made.groups()[0]?.targets.map(({ weight }) => weight)).toEqual([3, 1]);
    made.apply(new Map([['web', [[0.5, 0.5]]]]));
    expect(made.differences().map(({ path, from, to }) => [path, from, to])).toEqual([
      ['layer.theirs.a', '3', '500000'],
      ['layer.theirs.b', '1', '500000'],
    ]);
  });
});
