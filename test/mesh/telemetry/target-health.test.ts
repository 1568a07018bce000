/** How much has to be seen of a target before its health is told. */
import { targetHealthOf } from '../../../src/mesh/telemetry/target-health';
import type { TrafficSnapshot } from '../../../src/core/traffic-telemetry';

function snapshotOf(ratePerS: number, limitedPerS: number): TrafficSnapshot {
  const figures = {
    ratePerS,
    limitedPerS,
    errorShare: 0.5,
    latencyP50Ms: 10,
    latencyP99Ms: 90,
    flags: {},
  };
  return {
    atMs: 0,
    coveredMs: 10_000,
    series: [],
    routes: [],
    clusters: [{ cluster: 'c', ...figures }],
    hosts: [],
    other: figures,
    loads: [],
    counters: {
      entries: 0,
      dropped: 0,
      ignored: 0,
      other: 0,
      reports: 0,
      reportsOver: 0,
      streams: 0,
      streamsRefused: 0,
      malformed: 0,
    },
  };
}

test.each([
  ['nineteen requests say nothing', 1.9, 0, NaN, NaN, NaN],
  ['twenty say how many fail', 2, 0, 0.5, 10, NaN],
  ['of ninety-nine the slowest is no percentile', 9.9, 0, 0.5, 10, NaN],
  ['a hundred say how slow the slowest are', 10, 0, 0.5, 10, 90],
  ['what a limit stopped says nothing of the target', 12, 11, NaN, NaN, NaN],
])('%s', (_what, ratePerS, limitedPerS, errorShare, latencyP50Ms, latencyP99Ms) => {
  expect(targetHealthOf(snapshotOf(ratePerS, limitedPerS), { cluster: 'c' })).toMatchObject({
    errorShare,
    latencyP50Ms,
    latencyP99Ms,
  });
});

test.each([
  ['too few reported answers say nothing', 0.9, 1, NaN],
  ['enough of them say how many fail', 1, 1, 0.5],
  ['none say nothing', 0, 0, NaN],
])('%s', (_what, successfulPerS, errorsPerS, errorShare) => {
  const load = {
    cluster: 'd',
    host: '10.0.0.1:80',
    issuedPerS: 2,
    successfulPerS,
    errorsPerS,
    inProgress: 0,
    droppedPerS: 0,
    dropsPerS: {},
    metrics: { cpu_utilization: 0.25 },
  };
  const snapshot = { ...snapshotOf(10, 0), loads: [load] };
  const target = { cluster: 'd', host: '10.0.0.1:80' };
  expect(targetHealthOf(snapshot, target)).toMatchObject({ errorShare, latencyP50Ms: NaN, cpu: 0.25 });
});
