import { MemberDemand } from '../../../src/control/demand/member-demand';
import type { MemberForecast, MemberSeen } from '../../../src/core/control';
import { memberSeen } from '../pool-samples';

const MAX_PER_S = 200;

function after(seen: readonly (MemberSeen | undefined)[], demand = new MemberDemand()) {
  for (const [tick, each] of seen.entries()) demand.tick(tick * 1_000, each, MAX_PER_S);
  return demand.last;
}
const steady = (perS: number, ticks = 12) => Array.from({ length: ticks }, () => memberSeen('m', perS));
const forecast = (changes: Partial<MemberForecast> = {}): MemberForecast => ({
  madeAtMs: 0,
  meanPerS: 120,
  upperPerS: 150,
  anomalous: false,
  ...changes,
});

describe('reactive demand', () => {
  it('is what is asked where that is steady', () => {
    expect(after(steady(100))).toMatchObject({
      reactivePerS: 100,
      meanPerS: 100,
      sdPerS: 0,
      effectivePerS: 100,
    });
  });

  it('has the deviation on top where that is not', () => {
    const last = after(
      [...steady(80), ...steady(120)].flatMap((_, i) => memberSeen('m', i % 2 === 0 ? 80 : 120)),
    );
    expect(last.meanPerS).toBeCloseTo(100, 9);
    expect(last.reactivePerS).toBeCloseTo(120, 9);
  });

  it('falls by a tenth a tick after a fall, not at once', () => {
    const last = after([...steady(100), ...steady(0, 12)]);
    expect(last.meanPerS).toBe(0);
    expect(last.reactivePerS).toBeCloseTo(100 * 0.9 ** 12, 9);
  });

  it('counts denied and queued calls where only admitted ones were told as asked for', () => {
    const denied = memberSeen('m', 60, { admittedPerS: 60, deniedPerS: 40 });
    expect(after([denied]).reactivePerS).toBe(100);
    expect(after([memberSeen('m', 30, { admittedPerS: 0, queuedPerS: 90 })]).reactivePerS).toBe(90);
  });

  it('takes callers that come again for the same callers: a storm of retries is no growth', () => {
    // 100 new calls a second, 50 admitted; half of the denied come again the next second.
    const demand = new MemberDemand();
    let denied = 0;
    for (let t = 0; t < 60; t += 1) {
      const asked = 100 + denied / 2;
      denied = asked - 50;
      demand.tick(t * 1_000, memberSeen('m', asked, { admittedPerS: 50, deniedPerS: denied }), MAX_PER_S);
    }
    expect(denied).toBeCloseTo(100, 6);
    expect(demand.last.meanPerS).toBeCloseTo(100, 0);
  });

  it('never discounts what was admitted', () => {
    const seen = [memberSeen('m', 200, { admittedPerS: 0, deniedPerS: 200 }), ...steady(90, 1)];
    const demand = new MemberDemand();
    after(seen, demand);
    expect(demand.last.meanPerS).toBe((200 + 90) / 2);
  });

  test.each([
    ['nobody', undefined],
    ['NaN', memberSeen('m', NaN)],
    ['less than nothing', memberSeen('m', -5)],
    ['no end', memberSeen('m', Infinity)],
    ['more than can be', memberSeen('m', 1e300)],
  ])('holds through some ticks that tell %s, and is unknown after ten', (_name, silent) => {
    const demand = new MemberDemand();
    expect(after([...steady(100), ...Array.from({ length: 9 }, () => silent)], demand).reactivePerS).toBe(
      100,
    );
    expect(demand.heard).toBe(true);
    demand.tick(30_000, silent, MAX_PER_S);
    expect(demand.heard).toBe(false);
    expect(demand.last.effectivePerS).toBeNaN();
    expect(after(steady(40, 1), demand).reactivePerS).toBe(40);
  });
});

describe('effective demand', () => {
  test.each([
    ['the upper end of what was foreseen where that is more', forecast(), 150],
    ['what is seen where that is more', forecast({ meanPerS: 20, upperPerS: 30 }), 100],
    ['what is seen, of a class unlike its forecasts', forecast({ anomalous: true }), 100],
    ['what is seen, where the forecast is late', forecast({ madeAtMs: -600_000 }), 100],
    ['what is seen, where the forecast is from tomorrow', forecast({ madeAtMs: 86_400_000 }), 100],
    ['what is seen, of NaN', forecast({ upperPerS: NaN }), 100],
    ['what is seen, of a mean that is NaN', forecast({ meanPerS: NaN }), 100],
    ['what is seen, of a negative forecast', forecast({ meanPerS: -10 }), 100],
    ['what is seen, of an end under its mean', forecast({ upperPerS: 110 }), 100],
    ['what is seen, of an absurd forecast', forecast({ meanPerS: 1e9, upperPerS: 2e9 }), 100],
    ['what is seen, of an endless forecast', forecast({ upperPerS: Infinity }), 100],
  ])('is %s', (_name, foreseen, effective) => {
    const last = after([...steady(100), memberSeen('m', 100, { forecast: foreseen })]);
    expect(last.effectivePerS).toBe(effective);
    expect(last.forecastPerS === null).toBe(effective === 100 && foreseen.upperPerS !== 30);
  });

  it('is what was foreseen where nothing was seen yet', () => {
    expect(after([memberSeen('m', NaN, { forecast: forecast() })]).effectivePerS).toBe(150);
  });
});

it('goes on from what another knew', () => {
  const demand = new MemberDemand();
  after([...steady(80, 6), ...steady(120, 6)], demand);
  const other = new MemberDemand();
  expect(new MemberDemand().save()).toBeUndefined();
  other.restore(demand.save() ?? [0, 0, 0]);
  const next = memberSeen('m', NaN);
  expect(other.tick(20_000, next, MAX_PER_S).reactivePerS).toBeCloseTo(
    demand.tick(20_000, next, MAX_PER_S).reactivePerS,
    9,
  );
  const untouched = new MemberDemand();
  untouched.restore([NaN, 5, 5]);
  expect(untouched.heard).toBe(false);
});
