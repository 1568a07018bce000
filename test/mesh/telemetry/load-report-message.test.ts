/** Our reading of load reports tells what Envoy's full definitions put in. */
import fc from 'fast-check';
import { TidegateError } from '../../../src/core/errors';
import { readLoadReport } from '../../../src/mesh/telemetry/load-report-message';
import { report, socketAddress } from './entries';

const count = fc.oneof(fc.nat(100), fc.integer({ min: 0, max: 2 ** 50 }));
const metric = fc.record({
  metric_name: fc.constantFrom('cpu_utilization', 'named_metrics.queue', 'é'),
  num_requests_finished_with_metric: fc.nat(1_000),
  total_metric_value: fc.integer({ min: -1_000, max: 1_000 }).map((value) => value / 8),
});
const totals = {
  total_successful_requests: count,
  total_error_requests: count,
  total_issued_requests: count,
  total_requests_in_progress: count,
  load_metric_stats: fc.array(metric, { maxLength: 4 }),
};
const endpoint = fc.record({
  ...totals,
  address: fc
    .tuple(fc.constantFrom('10.0.0.1', '10.0.0.2'), fc.integer({ min: 1, max: 65_535 }))
    .map(([address, port]) => socketAddress(address, port)),
});
const locality = fc.record({ ...totals, upstream_endpoint_stats: fc.array(endpoint, { maxLength: 3 }) });
const clusterStats = fc.record({
  cluster_name: fc.string({ unit: 'grapheme', maxLength: 20 }),
  upstream_locality_stats: fc.array(locality, { maxLength: 3 }),
  total_dropped_requests: count,
  dropped_requests: fc.array(
    fc.record({ category: fc.constantFrom('throttle', 'lb'), dropped_count: count }),
    { maxLength: 3 },
  ),
});

type Locality = typeof locality extends fc.Arbitrary<infer T> ? T : never;
type Totals = Omit<Locality, 'upstream_endpoint_stats'>;

function expectedRow(cluster: string, host: string, of: readonly Totals[]): object {
  const sum = (pick: (one: Totals) => number): number => of.reduce((all, one) => all + pick(one), 0);
  const metrics = new Map<string, { answers: number; total: number }>();
  for (const one of of.flatMap(({ load_metric_stats }) => load_metric_stats)) {
    const known = metrics.get(one.metric_name) ?? { answers: 0, total: 0 };
    known.answers += one.num_requests_finished_with_metric;
    known.total += one.total_metric_value;
    metrics.set(one.metric_name, known);
  }
  return {
    cluster,
    host,
    successful: sum((one) => one.total_successful_requests),
    errors: sum((one) => one.total_error_requests),
    issued: sum((one) => one.total_issued_requests),
    inProgress: sum((one) => one.total_requests_in_progress),
    metrics,
  };
}

test('a report says what was put in, whatever it is', () => {
  fc.assert(
    fc.property(fc.array(clusterStats, { maxLength: 6 }), (clusters) => {
      const { rows, over } = readLoadReport(report(...clusters), 1_000);
      const expected = clusters.flatMap((one) => {
        const drops = new Map<string, number>();
        for (const { category, dropped_count } of one.dropped_requests)
          drops.set(category, (drops.get(category) ?? 0) + dropped_count);
        const hosts = one.upstream_locality_stats.flatMap((local) =>
          local.upstream_endpoint_stats.map((of) => {
            const { address, port_value } = of.address['socket_address'] as {
              address: string;
              port_value: number;
            };
            return expectedRow(one.cluster_name, `${address}:${port_value}`, [of]);
          }),
        );
        const whole = expectedRow(one.cluster_name, '', one.upstream_locality_stats);
        return [{ ...whole, dropped: one.total_dropped_requests, drops }, ...hosts];
      });
      expect(rows).toMatchObject(expected);
      expect([rows.length, over]).toEqual([expected.length, 0]);
    }),
    { numRuns: 60 },
  );
});

test.each([
  ['cpu_utilization', 'cpu_utilization'],
  ['mem_utilization', 'mem_utilization'],
  ['application_utilization', 'application_utilization'],
])('%s of a locality is a metric', (field, name) => {
  const local = { [field]: { num_requests_finished_with_metric: 4, total_metric_value: 1.5 } };
  const { rows } = readLoadReport(report({ cluster_name: 'c', upstream_locality_stats: [local] }), 10);
  expect([...(rows[0]?.metrics ?? [])]).toEqual([[name, { answers: 4, total: 1.5 }]]);
});

test('a report is read or refused, whatever bytes come', () => {
  const good = report({
    cluster_name: 'c',
    upstream_locality_stats: [
      {
        total_issued_requests: 300,
        upstream_endpoint_stats: [{ address: socketAddress('10.0.0.1', 80), total_issued_requests: 1 }],
        load_metric_stats: [
          { metric_name: 'm', num_requests_finished_with_metric: 1, total_metric_value: 1 },
        ],
      },
    ],
  });
  const change = fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }));
  const broken = fc.tuple(fc.array(change, { maxLength: 4 }), fc.nat(good.length)).map(([changes, end]) => {
    const bytes = Uint8Array.from(good);
    for (const [at, byte] of changes) bytes[at] = byte;
    return bytes.subarray(0, end);
  });
  fc.assert(
    fc.property(fc.oneof(broken, fc.uint8Array({ maxLength: 100 })), (bytes) => {
      try {
        expect(readLoadReport(bytes, 5).rows.length).toBeLessThanOrEqual(5);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(TidegateError);
        expect((thrown as TidegateError).code).toBe('TG_MESH_BAD_REQUEST');
      }
    }),
    { numRuns: 500 },
  );
});
