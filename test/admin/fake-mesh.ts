/** Envoys and traffic with fixed answers, for the tests of the admin port; names are hostile. */
import type { MeshAskName, MeshAsks, MeshDeskPort } from '../../src/core/mesh-view';
import type { TrafficFigures } from '../../src/core/traffic-telemetry';
import { HOSTILE } from './fake-control';

const AT_MS = 1_767_323_045_000;

const figures: TrafficFigures = {
  ratePerS: 12.5,
  limitedPerS: 1,
  errorShare: NaN,
  latencyP50Ms: 3,
  latencyP99Ms: NaN,
  flags: { RL: 10, [HOSTILE]: 1 },
};

const ANSWERS: { readonly [N in MeshAskName]: MeshAsks[N]['answer'] } = {
  mesh: {
    streams: [
      {
        node: { id: 'edge-1', cluster: 'edge' },
        group: 'all',
        method: 'StreamAggregatedResources',
        delta: false,
        connectedAtMs: 1,
        blocked: false,
        types: [
          {
            typeUrl: 'a',
            wildcard: true,
            names: 0,
            sentVersion: 'v2',
            ackedVersion: 'v1',
            pending: false,
            rejection: { version: 'v2', message: 'no', atMs: 2 },
          },
        ],
      },
    ],
    groups: [{ group: 'all', types: [{ typeUrl: 'a', version: 'v2', resources: 1 }] }],
  },
  traffic: {
    mode: 'active',
    groups: [
      {
        nodes: 'all',
        name: 'checkout',
        state: 'moving',
        why: `a would run dry in 12 s ${HOSTILE}`,
        atMs: AT_MS,
        changedAtMs: null,
        classes: [{ name: 'default', priority: 'LOW', demandPerS: null }],
        targets: [
          {
            id: HOSTILE,
            weight: 50,
            backup: false,
            maxShare: 1,
            shares: [0.25],
            tokens: null,
            health: {
              errorShare: 0.01,
              latencyP50Ms: 4,
              latencyP99Ms: 12,
              cpu: null,
              memory: null,
              out: null,
            },
            reason: {
              id: HOSTILE,
              bucketPerS: 40,
              healthFactor: 1,
              effectivePerS: 36,
              configuredDemandPerS: 50,
              demandPerS: 25,
              depletionMs: 12_000,
              rule: 'moved_off',
              clamps: ['rate'],
            },
          },
        ],
      },
    ],
    differences: [
      {
        resource: 'routes',
        typeUrl: 't',
        path: 'virtual_hosts[0].routes[0]',
        from: '50',
        to: '25',
      },
    ],
    warnings: ['no resource has the cluster x'],
    changes: [
      {
        atMs: AT_MS,
        nodes: 'all',
        group: 'checkout',
        class: 'default',
        target: HOSTILE,
        from: 0.5,
        to: 0.25,
        why: 'moved_off',
      },
    ],
  },
  telemetry: {
    atMs: 5,
    coveredMs: 10_000,
    series: [{ route: HOSTILE, cluster: 'a', host: '127.0.0.1:80', ...figures }],
    routes: [{ route: HOSTILE, ...figures }],
    clusters: [{ cluster: 'a', ...figures }],
    hosts: [{ cluster: 'a', host: '127.0.0.1:80', ...figures }],
    other: figures,
    loads: [
      {
        cluster: 'a',
        host: '',
        issuedPerS: 5,
        successfulPerS: 4,
        errorsPerS: 1,
        inProgress: 0.5,
        droppedPerS: 0,
        dropsPerS: {},
        metrics: { cpu_utilization: 0.5 },
      },
    ],
    counters: {
      entries: 5,
      dropped: 0,
      ignored: 1,
      other: 0,
      reports: 2,
      reportsOver: 0,
      streams: 1,
      streamsRefused: 0,
      malformed: 0,
    },
  },
};

/** See the file's head. */
export const fakeMesh: MeshDeskPort = {
  askMesh: async <N extends MeshAskName>(name: N): Promise<MeshAsks[N]['answer']> => ANSWERS[name],
};
