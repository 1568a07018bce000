/** A control path of fixed answers, for the tests of the admin port. */
import { TidegateError } from '../../src/core/errors';
import type { AskName, ForecastAsks, ForecastDesk } from '../../src/core/forecast-desk';
import type { ModelView } from '../../src/core/forecasts';

const model: ModelView = {
  classId: 'edge.k',
  scale: 'coarse',
  version: 2,
  kind: 'default',
  fittedAtMs: 1_700_000_000_000,
  why: 'nightly',
  points: 4_032,
  active: true,
  ratio: 0.9,
};
const history = { kind: 'sqlite', degraded: false, error: null, classes: 1, memoryBytes: 1, diskBytes: 2 };
const refits = { first: 1, won: 2, lost: 3, unproven: 4, failed: 0 };
const host = {
  cpu: 0.5,
  memory: 0.25,
  diskReadBytesPerS: 0,
  diskWriteBytesPerS: 0,
  networkReceivedBytesPerS: 1,
  networkSentBytesPerS: 1,
  eventLoopDelayMs: 10,
};

const ANSWERS: { readonly [N in AskName]: ForecastAsks[N]['answer'] } = {
  classes: {
    total: 1,
    classes: [
      {
        id: 'edge.k',
        kind: 'rule',
        service: 'edge',
        operation: 'checkout',
        firstSeenMs: 1,
        lastSeenMs: 2,
        ratePerS: 1.5,
        deniedPerS: 0,
        share: 0.25,
        anomalous: false,
      },
    ],
  },
  series: { classId: 'edge.k', figure: 'hits', startMs: 0, stepMs: 60_000, values: [1, null, 3] },
  prediction: {
    classId: 'edge.k',
    figure: 'hits',
    horizon: '1h',
    level: 0.8,
    madeAtMs: 3,
    stepMs: 600_000,
    model: 'default',
    version: 2,
    source: 'model',
    warm: true,
    flags: [],
    steps: [{ atMs: 600_000, mean: 2, lower: 1, upper: 3 }],
  },
  accuracy: {
    total: 1,
    accuracy: [
      {
        classId: 'edge.k',
        horizon: '1m',
        model: 'online',
        version: 1,
        scored: 0,
        mae: null,
        maeRatio: null,
        bias: null,
        coverage80: null,
        coverage95: null,
      },
    ],
  },
  accuracyHistory: {
    classId: 'edge.k',
    horizon: '1h',
    measure: 'maeRatio',
    points: [{ atMs: 3_600_000, value: 0.8 }],
  },
  anomalies: {
    total: 1,
    anomalies: [
      { classId: 'edge.k', startMs: 1, peakMs: 2, score: 9, reason: 'spike', actual: 90, expected: 10 },
    ],
    drifts: [{ classId: 'edge.k', atMs: 5, kind: 'level', score: 4 }],
  },
  models: { models: [model] },
  rollback: { models: [{ ...model, version: 1 }] },
  refit: { waiting: 2 },
  alerts: {
    alerts: [
      {
        name: 'busy',
        classId: 'edge.k',
        horizon: '1h',
        abovePerS: 10,
        active: true,
        sinceMs: 1,
        valuePerS: 11,
        crossesAtMs: 600_000,
      },
    ],
  },
  costs: {
    total: 1,
    learnedFrom: 'host',
    costs: [
      { classId: 'shop.rule', resource: 'cpu', set: null, learned: 0.25, confidence: 0.9, perRequest: 0.25 },
    ],
  },
  replicas: {
    replicas: [{ service: 'shop', recommended: 3, capacityPerReplica: 50, demandPerS: 120, why: 'set' }],
  },
  status: {
    madeAtMs: 1,
    refits,
    tracked: 1,
    waitingFits: 0,
    stepMs: 0.5,
    history,
    leader: true,
    hosts: [{ source: 'a', atMs: 1, ...host }],
  },
};

/** Answers every ask, and keeps what was asked in `asked`; knows the class `edge.k` only. */
export function fakeForecasts(asked: unknown[] = []): ForecastDesk {
  return {
    async ask<N extends AskName>(name: N, ask: ForecastAsks[N]['ask']) {
      asked.push([name, ask]);
      const { classId } = ask as { classId?: string };
      if (classId !== undefined && classId !== 'edge.k')
        throw new TidegateError('TG_FORECAST_UNKNOWN_CLASS', `there is no class ${classId}`);
      return ANSWERS[name];
    },
  };
}
