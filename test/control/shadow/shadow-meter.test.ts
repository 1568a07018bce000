import fc from 'fast-check';
import { type ShadowMember, ShadowMeter } from '../../../src/control/shadow/shadow-meter';
import { signedRankDeviate } from '../../../src/control/shadow/signed-rank';
import { VirtualBucket } from '../../../src/control/shadow/virtual-bucket';

const T = 1_700_006_400_000;
const SIZE = { ratePerS: 10, capacity: 10 };
const LARGER = { ratePerS: 20, capacity: 10 };

function member(demand: number, changes: Partial<ShadowMember> = {}): ShadowMember {
  return { id: 'm', priority: 'CRITICAL', demand, nominal: SIZE, proposed: SIZE, ...changes };
}

/** One tick a second. */
function run(
  meter: ShadowMeter,
  seconds: number,
  members: (second: number) => readonly ShadowMember[],
): void {
  for (let second = 0; second < seconds; second += 1) meter.tick(T + second * 1_000, members(second), []);
}

test('nothing asked for is no loss, and no advice', () => {
  const meter = new ShadowMeter();
  run(meter, 10, () => [member(0)]);
  expect(meter.view()).toEqual({
    windowMs: 3_600_000,
    nominalLoss: null,
    proposedLoss: null,
    wouldAdmit: 0,
    wouldDeny: 0,
  });
  expect(meter.advice()).toBeUndefined();
});

test('counts what each set of limits loses, by weight of priority', () => {
  const meter = new ShadowMeter();
  // 100 s at 30/s: the configured limit gives 10 at once and 10 a second, the proposal 10 and 20 a second.
  run(meter, 100, () => [member(30, { proposed: LARGER }), member(10, { id: 'l', priority: 'LOW' })]);
  const weighted = 8 * 3_000 + 1_000;
  const view = meter.view();
  expect(view.nominalLoss).toBeCloseTo((8 * (3_000 - 1_010)) / weighted, 10);
  expect(view.proposedLoss).toBeCloseTo((8 * (3_000 - 2_010)) / weighted, 10);
  expect(view).toMatchObject({ wouldAdmit: 1_000, wouldDeny: 0 });
});

test('a proposal that is smaller would deny', () => {
  const meter = new ShadowMeter();
  run(meter, 100, () => [member(10, { proposed: { ratePerS: 5, capacity: 5 } })]);
  expect(meter.view()).toMatchObject({ nominalLoss: 0, wouldAdmit: 0, wouldDeny: 1_000 - 505 });
});

test('a loan moves what the lender has, and no more', () => {
  const meter = new ShadowMeter();
  const still = { ratePerS: 0, capacity: 10 };
  const both = (a: number, b: number) => [
    member(a, { id: 'a', nominal: still, proposed: still }),
    member(b, { id: 'b', nominal: still, proposed: still }),
  ];
  meter.tick(T, both(0, 10), []);
  const loans = [
    { lender: 'a', borrower: 'b', tokens: 6 },
    { lender: 'a', borrower: 'b', tokens: 100 },
    { lender: 'gone', borrower: 'b', tokens: 5 },
    { lender: 'a', borrower: 'b', tokens: NaN },
  ];
  meter.tick(T + 1_000, both(0, 0), loans);
  meter.tick(T + 2_000, both(10, 100), []);
  expect(meter.view()).toMatchObject({ wouldAdmit: 10, wouldDeny: 10 });
});

test('parts of tokens add up to arrivals', () => {
  const meter = new ShadowMeter();
  run(meter, 40, () => [member(0.25, { nominal: { ratePerS: 0, capacity: 4 } })]);
  expect(meter.view()).toMatchObject({ nominalLoss: 0.6 });
});

test('what is older than the window is forgotten', () => {
  const meter = new ShadowMeter({ windowMs: 60_000 });
  run(meter, 30, () => [member(30)]);
  expect(meter.view().nominalLoss).toBeGreaterThan(0.5);
  meter.tick(T + 100_000, [member(0)], []);
  expect(meter.view().nominalLoss).toBeNull();
});

describe('advice', () => {
  const advised = (minutes: number, proposed: (minute: number) => ShadowMember['proposed']) => {
    const meter = new ShadowMeter();
    run(meter, minutes * 60, (second) => [member(15, { proposed: proposed(Math.floor(second / 60)) })]);
    return meter.advice();
  };
  const smaller = { ratePerS: 5, capacity: 10 };

  test.each<[string, number, (minute: number) => ShadowMember['proposed'], 'promote' | 'demote' | undefined]>(
    [
      ['promotes proposals that lose less', 30, () => LARGER, 'promote'],
      ['demotes proposals that lose more', 30, () => smaller, 'demote'],
      ['says nothing of equal ones', 55, () => SIZE, undefined],
      ['waits for evidence', 10, () => LARGER, undefined],
      ['says nothing when it is now so, now so', 50, (minute) => (minute % 2 ? LARGER : smaller), undefined],
      ['is not moved by a few minutes', 50, (minute) => (minute < 6 ? LARGER : SIZE), undefined],
    ],
  )('%s', (_, minutes, proposed, advice) => {
    expect(advised(minutes, proposed)).toBe(advice);
  });

  test('by chance comes in at most a hundredth of cases on each side', () => {
    let seed = 7;
    const uniform = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    let high = 0;
    for (let trial = 0; trial < 4_000; trial += 1) {
      if (signedRankDeviate(Array.from({ length: 20 }, () => uniform() - 0.5)) > 2.326) high += 1;
    }
    expect(high / 4_000).toBeLessThan(0.013);
    expect(high).toBeGreaterThan(0);
  });

  test('goes by ranks: the figures of a worked example', () => {
    // Positive ranks 1.5 + 3 + 4 + 5 = 13.5 of 15; mean 7.5, variance 13.75 - 6/48.
    expect(signedRankDeviate([1, -1, 2, 3, 4, 0])).toBeCloseTo(5.5 / Math.sqrt(13.625), 10);
    expect(signedRankDeviate([])).toBe(0);
  });
});

describe('bad input', () => {
  test.each([NaN, -5, -Infinity])('a demand of %p is none', (demand) => {
    const meter = new ShadowMeter();
    run(meter, 5, () => [member(demand)]);
    expect(meter.view().nominalLoss).toBeNull();
  });

  test('sizes that are no figures leave the bucket as it was', () => {
    const meter = new ShadowMeter();
    const proposed = { ratePerS: NaN, capacity: Infinity };
    run(meter, 100, (second) => [member(10, second > 5 ? { proposed } : {})]);
    expect(meter.view()).toMatchObject({ wouldDeny: 0, proposedLoss: 0 });
  });

  test('a clock that jumps refills both alike, and steps back without a loss', () => {
    const meter = new ShadowMeter();
    for (const nowMs of [T, T + 1_000, T - 9e9, T - 9e9 + 1_000, NaN, T + 9e12, T + 9e12 + 1_000]) {
      meter.tick(nowMs, [member(10)], []);
    }
    expect(meter.view()).toMatchObject({ nominalLoss: 0, proposedLoss: 0, wouldAdmit: 0, wouldDeny: 0 });
  });

  test('a member that is forgotten begins anew', () => {
    const meter = new ShadowMeter();
    const still = { nominal: { ratePerS: 0, capacity: 10 }, proposed: { ratePerS: 0, capacity: 10 } };
    meter.tick(T, [member(10, still)], []);
    meter.forget('m');
    meter.tick(T + 1_000, [member(10, still)], []);
    expect(meter.view().nominalLoss).toBe(0);
  });
});

test('demand within the limits is never regretted, whatever the ticks', () => {
  const ticks = fc.array(fc.integer({ min: 100, max: 10_000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(
      ticks,
      // Demand is counted in whole tokens: what is left of one comes with the next tick, for which a bucket of a single token
      // has no room.
      fc.integer({ min: 2, max: 5_000 }),
      fc.double({ min: 0, max: 1 }),
      (spans, rate, use) => {
        const meter = new ShadowMeter();
        const nominal = { ratePerS: rate, capacity: rate };
        const proposed = { ratePerS: rate * 1.5, capacity: rate * 2 };
        let nowMs = T;
        meter.tick(nowMs, [member(0, { nominal, proposed })], []);
        for (const span of spans) {
          nowMs += span;
          meter.tick(nowMs, [member((use * rate * span) / 1_000, { nominal, proposed })], []);
        }
        const view = meter.view();
        expect(view.nominalLoss ?? 0).toBe(0);
        expect(view.proposedLoss ?? 0).toBe(0);
        expect(meter.advice()).toBeUndefined();
      },
    ),
    { numRuns: 100 },
  );
});

test('a virtual bucket never admits more than its capacity and its refill', () => {
  const step = fc.record({
    calls: fc.integer({ min: 0, max: 500 }),
    spanUs: fc.integer({ min: 1_000, max: 5_000_000 }),
    size: fc.option(
      fc.record({
        ratePerS: fc.double({ min: 0, max: 200, noNaN: true }),
        capacity: fc.integer({ min: 0, max: 50 }),
      }),
    ),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 50 }), (steps) => {
      let nowUs = 0;
      let size = { ratePerS: 10, capacity: 20 };
      const bucket = new VirtualBucket(size, nowUs);
      let most = 20;
      let admitted = 0;
      for (const each of steps) {
        if (each.size !== null) bucket.resize((size = each.size), nowUs);
        const served = bucket.serve(each.calls, nowUs, nowUs + each.spanUs);
        expect(served).toBeLessThanOrEqual(each.calls);
        admitted += served;
        most += (size.ratePerS * each.spanUs) / 1_000_000;
        nowUs += each.spanUs;
        expect(admitted).toBeLessThanOrEqual(most + 1e-3);
      }
    }),
  );
});
