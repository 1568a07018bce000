/** What users write as Envoy's resources: taken whole, or refused with the path. */
import fc from 'fast-check';
import { definitions } from '../../src/mesh/definitions';
import { readSotwRequest } from '../../src/mesh/discovery-messages';
import { nodeGrouping } from '../../src/mesh/node-groups';
import { resourceFromJson } from '../../src/mesh/resource';
import { SnapshotCache, snapshotOf } from '../../src/mesh/snapshot-cache';
import { resource, snapshot, TYPES } from './resources';

const HCM =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ROUTER = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';

function listener(change: object = {}, filter: object = {}): object {
  const manager = {
    '@type': HCM,
    stat_prefix: 'in',
    rds: { route_config_name: 'web', config_source: { ads: {} } },
    httpFilters: [
      { name: 'router', typedConfig: { '@type': ROUTER, suppressEnvoyHeaders: true, ...filter } },
    ],
    ...change,
  };
  return { name: 'in', filter_chains: [{ filters: [{ name: 'hcm', typed_config: manager }] }] };
}

describe('resources', () => {
  test('has the definitions of all that Envoy is sent', () => {
    expect(definitions().size).toBeGreaterThan(1_000);
    for (const name of [
      'discovery.v3.DeltaDiscoveryRequest',
      'runtime.v3.Runtime',
      'accesslog.v3.StreamAccessLogsMessage',
    ]) {
      expect(definitions().type(`envoy.service.${name}`)).toBeDefined();
    }
  });

  test('values of any kind in metadata and runtime layers arrive', () => {
    const layer = { n: 1.5, t: 'x', b: true, none: null, l: [1, 'y'], o: { p: 2 } };
    const { body } = resourceFromJson(TYPES.T, { name: 'a', layer });
    const message = definitions().decode('envoy.service.runtime.v3.Runtime', body);
    expect(JSON.parse(JSON.stringify(message['layer']))).toEqual({
      fields: {
        b: { bool_value: true },
        l: { list_value: { values: [{ number_value: 1 }, { string_value: 'y' }] } },
        n: { number_value: 1.5 },
        none: { null_value: 'NULL_VALUE' },
        o: { struct_value: { fields: { p: { number_value: 2 } } } },
        t: { string_value: 'x' },
      },
    });
  });

  test("a node's metadata is read from its first request", () => {
    const fields = { zone: { string_value: 'a' }, count: { number_value: 1 } };
    const node = { id: 'edge-1', cluster: 'edge', metadata: { fields } };
    const name = 'envoy.service.discovery.v3.DiscoveryRequest';
    const bytes = definitions().encode(name, { node, type_url: TYPES.C });
    expect(readSotwRequest(bytes, undefined).node).toEqual({
      id: 'edge-1',
      cluster: 'edge',
      metadata: { zone: 'a' },
    });
  });

  test.each([
    ['a field', TYPES.C, { name: 'a', conect_timeout: '1s' }, 'TG_MESH_UNKNOWN_FIELD', 'conect_timeout'],
    [
      'a nested field',
      TYPES.R,
      { name: 'a', virtual_hosts: [{}, { rutes: [] }] },
      'TG_MESH_UNKNOWN_FIELD',
      'virtual_hosts[1].rutes',
    ],
    [
      'a field in an extension',
      TYPES.L,
      listener({}, { nope: 1 }),
      'TG_MESH_UNKNOWN_FIELD',
      'filter_chains[0].filters[0].typed_config.httpFilters[0].typedConfig.nope',
    ],
    [
      'an extension',
      TYPES.L,
      listener({}, { '@type': 'type.googleapis.com/envoy.Nope' }),
      'TG_MESH_UNKNOWN_TYPE',
      'filter_chains[0].filters[0].typed_config.httpFilters[0].typedConfig.@type',
    ],
    ['a number for text', TYPES.C, { name: 7 }, 'TG_MESH_WRONG_VALUE', 'name'],
    [
      'a duration without unit',
      TYPES.C,
      { name: 'a', connect_timeout: '1' },
      'TG_MESH_WRONG_VALUE',
      'connect_timeout',
    ],
    ['an unknown enum value', TYPES.C, { name: 'a', lb_policy: 'BEST' }, 'TG_MESH_WRONG_VALUE', 'lb_policy'],
    [
      'a number out of range',
      TYPES.C,
      { name: 'a', per_connection_buffer_limit_bytes: 2 ** 32 },
      'TG_MESH_WRONG_VALUE',
      'per_connection_buffer_limit_bytes',
    ],
    [
      'two of a oneof',
      TYPES.C,
      { name: 'a', type: 'EDS', cluster_type: { name: 'x' } },
      'TG_MESH_WRONG_VALUE',
      'cluster_type',
    ],
    [
      'a field under both names',
      TYPES.C,
      { name: 'a', connect_timeout: '1s', connectTimeout: '1s' },
      'TG_MESH_WRONG_VALUE',
      'connectTimeout',
    ],
    [
      'an object for a list',
      TYPES.R,
      { name: 'a', virtual_hosts: {} },
      'TG_MESH_WRONG_VALUE',
      'virtual_hosts',
    ],
    ['no name', TYPES.C, {}, 'TG_MESH_NO_NAME', ''],
    ['a wildcard as name', TYPES.C, { name: '*' }, 'TG_MESH_NO_NAME', ''],
  ])('refuses %s with its path', (_what, typeUrl, value, code, key) => {
    let thrown: unknown;
    try {
      resourceFromJson(typeUrl, value);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code, at: { key } });
  });

  test.each([TYPES.C, TYPES.E, TYPES.L, TYPES.R])('refuses a time to live on %s', (typeUrl) => {
    const value = { [typeUrl === TYPES.E ? 'cluster_name' : 'name']: 'a' };
    expect(() => resourceFromJson(typeUrl, value, { ttlMs: 60_000 })).toThrow('only a runtime layer');
  });

  test('refuses a time to live that heartbeats cannot keep', () => {
    expect(() => resourceFromJson(TYPES.T, { name: 'a' }, { ttlMs: 2_999 })).toThrow('at least');
  });

  test('encodes what was written, extensions in extensions included', () => {
    const made = resourceFromJson(TYPES.L, listener());
    expect(made.waitsFor).toEqual(['web']);
    const decoded = definitions().decode('envoy.config.listener.v3.Listener', made.body) as {
      filter_chains: { filters: { typed_config: { type_url: string; value: Uint8Array } }[] }[];
    };
    const any = decoded.filter_chains[0]?.filters[0]?.typed_config;
    expect(any?.type_url).toBe(HCM);
    const manager = definitions().decode(HCM.slice(HCM.indexOf('/') + 1), any?.value ?? new Uint8Array());
    expect(manager).toMatchObject({ stat_prefix: 'in', rds: { route_config_name: 'web' } });
  });

  test('encodes durations, wrappers, structs and 64 bits', () => {
    const made = resourceFromJson(TYPES.C, {
      name: 'a',
      connectTimeout: '0.25s',
      perConnectionBufferLimitBytes: 7,
      metadata: { filterMetadata: { x: { deep: [1, 'b', null, true] } } },
      maglev_lb_config: { table_size: '18446744073709551615' },
    });
    expect(
      JSON.parse(JSON.stringify(definitions().decode('envoy.config.cluster.v3.Cluster', made.body))),
    ).toMatchObject({
      connect_timeout: { nanos: 250_000_000 },
      per_connection_buffer_limit_bytes: { value: 7 },
      maglev_lb_config: { table_size: { value: '18446744073709551615' } },
    });
  });

  test('any two spellings and orders of the same content have the same version', () => {
    const entries = {
      name: 'a',
      connectTimeout: '1s',
      lbPolicy: 'RANDOM',
      metadata: { filter_metadata: { x: { b: 1, a: 2 } } },
    };
    const snake = {
      metadata: { filterMetadata: { x: { a: 2, b: 1 } } },
      lb_policy: 3,
      connect_timeout: '1.000s',
      name: 'a',
    };
    expect(resourceFromJson(TYPES.C, entries).version).toBe(resourceFromJson(TYPES.C, snake).version);
  });

  test('nothing that is given makes anything but a resource or a refusal with a code', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(TYPES)), fc.jsonValue(), (typeUrl, value) => {
        try {
          expect(resourceFromJson(typeUrl, value).name).not.toBe('');
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/^TG_MESH_/);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('snapshots', () => {
  test('the version of a type does not depend on the order of its resources', () => {
    expect(snapshot('C:a1 C:b1').get(TYPES.C)?.version).toBe(snapshot('C:b1 C:a1').get(TYPES.C)?.version);
    expect(snapshot('C:a1 C:b1').get(TYPES.C)?.version).not.toBe(snapshot('C:a1 C:b2').get(TYPES.C)?.version);
  });

  test('tells what changed, and watchers only when something did', () => {
    const cache = new SnapshotCache();
    const watched = jest.fn();
    const stop = cache.watch(watched);
    cache.set('g', snapshot('C:a1 C:b1 C:c1 R:r1'));
    const changes = cache.set('g', snapshot('C:a2 C:b1 C:d1 R:r1'));
    expect(changes).toEqual([{ typeUrl: TYPES.C, added: ['d'], changed: ['a'], removed: ['c'] }]);
    expect(cache.set('g', snapshot('C:a2 C:b1 C:d1 R:r1'))).toEqual([]);
    expect(watched).toHaveBeenCalledTimes(2);
    stop();
    cache.set('g', snapshot('C:a1'));
    expect(watched).toHaveBeenCalledTimes(2);
  });

  test('refuses two of a name, too much, and too many groups; the former snapshot stays', () => {
    expect(() => snapshotOf([resource('C:a1'), resource('C:a2')])).toThrow('given twice');
    const cache = new SnapshotCache({ maxBytes: 60, maxGroups: 1 });
    cache.set('g', snapshot('C:a1'));
    expect(() => cache.set('g', snapshot('C:a1 C:b1 C:c1 C:d1 C:e1'))).toThrow('at most 60');
    expect(() => cache.set('h', snapshot('C:a1'))).toThrow('more than 1 groups');
    expect(cache.get('g')?.get(TYPES.C)?.resources.size).toBe(1);
  });
});

test('the first rule that a node fits decides its group', () => {
  const groupOf = nodeGrouping(
    [
      { group: 'edge', id: 'edge-*', metadata: { zone: 'a' } },
      { group: 'web', cluster: 'web' },
    ],
    'other',
  );
  const node = (id: string, cluster: string, metadata = {}): string => groupOf({ id, cluster, metadata });
  expect(node('edge-1', 'web', { zone: 'a' })).toBe('edge');
  expect(node('edge-1', 'web', { zone: 'b' })).toBe('web');
  expect(node('edge-1', 'api')).toBe('other');
});
