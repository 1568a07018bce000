/** Control of a pool with fixed answers, for the tests of the admin port; keys and reasons are hostile. */
import type { ControlEvents } from '../../src/admin/deps';
import type { DecisionReason, Override } from '../../src/core/control';
import type {
  BucketView,
  ControlAskName,
  ControlAsks,
  ControlDeskPort,
  ControlEvent,
  PoolView,
} from '../../src/core/control-desk';
import { TidegateError } from '../../src/core/errors';

/** A bucket's key as a caller could make it. */
export const HOSTILE = '</script><script>document.title="owned"</script><img src=x onerror=alert(1)>"\'&';
const AT_MS = 1_767_323_045_000;

const why: DecisionReason = {
  reactivePerS: 40,
  forecastPerS: 55.25,
  effectivePerS: 55.25,
  rule: 'surplus',
  clamps: ['max', 'step'],
};

const override: Override = {
  pool: 'shop',
  member: 'edge.k|a',
  ratePerS: 70,
  priority: 'CRITICAL',
  untilMs: AT_MS + 600_000,
  author: '<b>ops</b>',
  reason: `sale ${HOSTILE}`,
  setAtMs: AT_MS,
};

const pool: PoolView = {
  name: 'shop',
  mode: 'active',
  configuredMode: 'shadow',
  modeOrder: { pool: 'shop', mode: 'active', author: 'ops', reason: 'proven', setAtMs: AT_MS },
  leader: true,
  epoch: 3,
  sequence: 12,
  version: AT_MS,
  publishedAtMs: AT_MS,
  stale: false,
  state: 'fallback',
  why: 'telemetry <i>stopped</i>',
  configuredTotalPerS: 200,
  totalPerS: 180,
  demandPerS: 150,
  admittedPerS: 140,
  members: 2,
  fairness: 0.97,
  reclaimMs: null,
  level: 'ppo',
  learningMode: 'active',
  breaker: 'closed',
  shadow: { windowMs: 3_600_000, nominalLoss: 0.1, proposedLoss: 0.02, wouldAdmit: 900, wouldDeny: 12 },
};

const bucket: BucketView = {
  pool: 'shop',
  id: `edge.k|${HOSTILE}`,
  bucketKey: HOSTILE,
  service: 'checkout',
  priority: 'HIGH',
  weight: 1,
  nominalPerS: 50,
  nominalCapacity: 100,
  ratePerS: 70,
  capacity: 140,
  proposedPerS: 70,
  proposedCapacity: 140,
  minPerS: 5,
  maxPerS: 100,
  guaranteePerS: 20,
  tokens: 33,
  demandPerS: 60.5,
  admittedPerS: 58,
  deniedPerS: 2.5,
  forecastPerS: 55.25,
  balance: -12,
  why,
  override,
};

/** What each ask is answered. */
export const CONTROL_ANSWERS: { readonly [N in ControlAskName]: ControlAsks[N]['answer'] } = {
  pools: { pools: [pool, { ...pool, name: 'back', mode: 'off', modeOrder: null, state: 'normal', why: '' }] },
  buckets: {
    total: 2,
    buckets: [
      bucket,
      {
        ...bucket,
        id: 'edge.k|b',
        bucketKey: 'edge_k_b',
        tokens: null,
        demandPerS: null,
        admittedPerS: null,
        deniedPerS: null,
        forecastPerS: null,
        why: { ...why, forecastPerS: null, rule: 'nominal', clamps: [] },
        override: null,
      },
    ],
  },
  loans: {
    total: 1,
    loans: [
      {
        loanId: 'loan-1',
        pool: 'shop',
        lender: 'edge.k|b',
        borrower: `edge.k|${HOSTILE}`,
        amount: 12,
        returned: 2,
        atMs: AT_MS,
        dueMs: AT_MS + 5_000,
        why: 'low_water',
        state: 'open',
      },
    ],
  },
  allocations: {
    allocations: [
      {
        pool: 'shop',
        service: '<svg>',
        priority: 'LOW',
        nominalPerS: 50,
        allocatedPerS: 70,
        demandPerS: 60.5,
        admittedPerS: 58,
        guaranteePerS: 20,
      },
    ],
  },
  decisions: {
    total: 1,
    decisions: [
      { atMs: AT_MS, pool: 'shop', id: 'edge.k|a', applied: true, ratePerS: 70, capacity: 140, reason: why },
    ],
  },
  overrides: { overrides: [override] },
  putOverride: { override },
  dropOverride: { dropped: true },
  learning: {
    learning: {
      pool: 'shop',
      mode: 'active',
      configuredMode: 'shadow',
      why: 'promoted',
      order: null,
      level: 'ppo',
      levelWhy: '',
      model: 'm-1',
      modelWhy: `loaded ${HOSTILE}`,
      inferenceMs: 0.2,
      outOfRange: 0,
      unwatched: '',
      regret: {
        model: 'm-1',
        windowMs: 600_000,
        intervals: 60,
        measuredMs: 900_000,
        solverLoss: 0.1,
        agentLoss: 0.08,
        regret: -0.02,
        pBetter: 0.001,
        pWorse: 0.999,
        spans: 60,
        differing: 40,
        recentRegret: null,
        recentDiffering: 0,
        confident: true,
      },
      switches: [{ atMs: AT_MS, from: 'forecast', to: 'ppo', reason: 'calm', why: 'no fault' }],
      counts: { calm: 1 },
      advice: [
        {
          id: 'edge.k|a',
          demandFactor: 1.2,
          keepFactor: 1,
          solverPerS: 60,
          ratePerS: 70,
          terms: [{ name: 'forecast', value: 1.5, effect: 0.1 }],
        },
      ],
    },
  },
  putLearning: {
    learning: { pool: 'shop', mode: 'auto', author: 'ops', reason: 'test', setAtMs: AT_MS },
  },
  putMode: { mode: { pool: 'shop', mode: 'shadow', author: 'ops', reason: 'test', setAtMs: AT_MS } },
  audit: {
    total: 1,
    audit: [
      {
        atMs: AT_MS,
        author: 'ops',
        action: 'override.put',
        subject: 'shop/edge.k|a',
        reason: 'sale',
        before: '',
        after: '{"ratePerS":70}',
      },
    ],
  },
};

/** Answers every ask, and keeps what was asked in `asked`; knows the pool `shop` only. */
export function fakeControl(asked: unknown[] = [], answers = CONTROL_ANSWERS): ControlDeskPort {
  return {
    async askControl<N extends ControlAskName>(name: N, ask: ControlAsks[N]['ask']) {
      asked.push([name, ask]);
      const named = (ask as { pool?: string }).pool;
      if (named !== undefined && named !== 'shop')
        throw new TidegateError('TG_CONTROL_UNKNOWN_POOL', `there is no pool ${named}`);
      return Promise.resolve(answers[name]);
    },
  };
}

/** An event of a kind. */
export const controlEvent = (
  kind: ControlEvent['kind'],
  data: object = { id: 'edge.k|a' },
): ControlEvent => ({
  atMs: AT_MS,
  kind,
  pool: 'shop',
  data,
});

/** Events that a test tells. */
export class FakeEvents implements ControlEvents {
  readonly listeners = new Set<(event: ControlEvent) => void>();
  /** Called when the last listener has left. */
  onEmpty = (): void => undefined;

  subscribe(listener: (event: ControlEvent) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.onEmpty();
    };
  }

  tell(event: ControlEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}
