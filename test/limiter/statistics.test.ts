/** What a decision adds to the reference's figures, held against its arithmetic. */
import fc from 'fast-check';
import type { ChargeDenied } from '../../src/core/buckets';
import { Limiter } from '../../src/limiter/limiter';
import { MemoryStore } from '../../src/store/memory/memory-store';
import {
  decideNow,
  descriptor,
  LIMITER,
  RecordedTelemetry,
  requestOf,
  SetClock,
  tableOf,
  type Figures,
} from './parts';

interface Call {
  readonly hits: number;
}

function figuresOf(
  limit: number,
  calls: readonly Call[],
  options: { shadow?: boolean; ratio?: number; chargeDenied?: ChargeDenied } = {},
): Figures {
  const telemetry = new RecordedTelemetry();
  const store = new MemoryStore({ clock: new SetClock() });
  const limiter = new Limiter(
    { store, local: store, telemetry },
    { ...LIMITER, chargeDenied: options.chargeDenied ?? 'all', nearLimitRatio: options.ratio ?? 0.8 },
  );
  const text = `{domain: d, descriptors: [{key: k, shadow_mode: ${options.shadow === true}, rate_limit: {unit: day, requests_per_unit: ${limit}}}]}`;
  limiter.useTable(
    tableOf(text, {
      countersFor: telemetry.countersFor,
      defaults: { algorithm: 'fixed_window', consistency: 'exact', onError: 'error' },
    }),
  );
  for (const { hits } of calls) decideNow(limiter, requestOf([descriptor('k=a', { hitsAddend: hits })]));
  return telemetry.figures.get('d.k') ?? { total: 0, over: 0, near: 0, within: 0, shadow: 0 };
}

/** The reference's sums: hits over the limit and near it, split where a call straddles either. */
function expected(limit: number, calls: readonly Call[], shadow: boolean, ratio: number): Figures {
  const figures = { total: 0, over: 0, near: 0, within: 0, shadow: 0 };
  const threshold = Math.floor(Math.fround(Math.fround(limit) * Math.fround(ratio)));
  let before = 0;
  for (const { hits } of calls) {
    const after = before + hits;
    const above = (from: number): number => Math.max(0, after - Math.max(from, before));
    figures.total += hits;
    if (after > limit) {
      figures.over += above(limit);
      if (shadow) figures.shadow += above(limit);
      if (before < limit) figures.near += limit - Math.max(threshold, before);
    } else {
      figures.within += hits;
      figures.near += above(threshold);
    }
    before = after;
  }
  return figures;
}

describe('statistics', () => {
  test.each<[number, number[], Partial<Figures>]>([
    [10, [1], { total: 1, within: 1, near: 0, over: 0 }],
    [10, [8], { total: 8, within: 8, near: 0, over: 0 }],
    [10, [9], { total: 9, within: 9, near: 1, over: 0 }],
    [10, [8, 2], { total: 10, within: 10, near: 2, over: 0 }],
    [10, [12], { total: 12, within: 0, near: 2, over: 2 }],
    [10, [9, 3], { total: 12, within: 9, near: 2, over: 2 }],
    [10, [10, 1, 5], { total: 16, within: 10, near: 2, over: 6 }],
    [10, [0, 0], { total: 0, within: 0, near: 0, over: 0 }],
    [0, [1], { total: 1, within: 0, near: 0, over: 1 }],
  ])('a limit of %d and calls of %j', (limit, hits, part) => {
    expect(
      figuresOf(
        limit,
        hits.map((one) => ({ hits: one })),
      ),
    ).toMatchObject(part);
  });

  test('follow the reference for any sequence of calls', () => {
    const calls = fc.array(fc.record({ hits: fc.nat({ max: 12 }) }), { maxLength: 12 });
    const ratio = fc.constantFrom(0, 0.5, 0.7, 0.8, 0.9, 1);
    fc.assert(
      fc.property(fc.nat({ max: 30 }), calls, fc.boolean(), ratio, (limit, list, shadow, share) => {
        expect(figuresOf(limit, list, { shadow, ratio: share })).toEqual(
          expected(limit, list, shadow, share),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('the near threshold is reckoned in 32-bit floats', () => {
    // 70 % of 90 is 63 there, and just under it in doubles.
    expect(Math.floor(90 * 0.7)).toBe(62);
    expect(figuresOf(90, [{ hits: 63 }], { ratio: 0.7 }).near).toBe(0);
  });

  test('where denied calls are charged nothing, all of their hits are over', () => {
    expect(figuresOf(10, [{ hits: 9 }, { hits: 3 }], { chargeDenied: 'none' })).toMatchObject({
      within: 9,
      near: 1,
      over: 3,
    });
  });

  test('where only what denies is charged, its hits split as in the reference', () => {
    expect(figuresOf(10, [{ hits: 9 }, { hits: 3 }], { chargeDenied: 'over' })).toMatchObject({
      within: 9,
      near: 2,
      over: 2,
    });
  });

  test('refunds count as nothing', () => {
    const telemetry = new RecordedTelemetry();
    const store = new MemoryStore({ clock: new SetClock() });
    const limiter = new Limiter({ store, local: store, telemetry }, LIMITER);
    limiter.useTable(
      tableOf('{domain: d, descriptors: [{key: k, rate_limit: {unit: day, requests_per_unit: 3}}]}', {
        countersFor: telemetry.countersFor,
      }),
    );
    const left = (negativeHits: boolean, hitsAddend: number): number | undefined =>
      decideNow(limiter, requestOf([descriptor('k=a', { negativeHits, hitsAddend })])).statuses[0]
        ?.limitRemaining;
    expect([left(false, 2), left(true, 1), left(true, 50), left(false, 0)]).toEqual([1, 2, 3, 3]);
    expect(telemetry.figures.get('d.k')).toEqual({ total: 2, within: 2, near: 0, over: 0, shadow: 0 });
  });

  test('what is denied is told with its bucket', () => {
    const telemetry = new RecordedTelemetry();
    const store = new MemoryStore({ clock: new SetClock() });
    const limiter = new Limiter({ store, local: store, telemetry }, LIMITER);
    limiter.useTable(
      tableOf('{domain: d, descriptors: [{key: k, rate_limit: {unit: day, requests_per_unit: 1}}]}', {
        countersFor: telemetry.countersFor,
      }),
    );
    decideNow(limiter, requestOf(['k=a'], 3));
    expect(telemetry.events).toEqual(['denied d.k d|k=a 3']);
  });
});
