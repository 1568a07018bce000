import { ClassParts } from '../../src/balance/demand/class-parts';
import { DampedTrend, trendReach } from '../../src/balance/demand/damped-trend';
import { GroupDemand } from '../../src/balance/demand/group-demand';
import { PeakHold } from '../../src/balance/demand/peak-hold';
import { seededRandom } from '../../src/forecast/numeric/random';

function trained(samples: readonly number[]): DampedTrend {
  const trend = new DampedTrend();
  for (const sample of samples) trend.add(sample);
  return trend;
}
const line = (count: number, at: (k: number) => number) => Array.from({ length: count }, (_, k) => at(k));

describe('a damped trend', () => {
  test('knows nothing at first', () => {
    expect(new DampedTrend().level).toBeNaN();
  });

  test('adds nineteen of its steps at most', () => {
    expect(trendReach(0)).toBe(0);
    expect(trendReach(1)).toBeCloseTo(0.95, 9);
    expect(trendReach(1e6)).toBeCloseTo(19, 9);
  });

  test('goes on as a climb does, and not beyond it', () => {
    const trend = trained(line(60, (k) => 1_000 + 40 * k));
    const now = 1_000 + 40 * 59;
    expect(trend.level).toBeGreaterThan(now - 80);
    expect(trend.ahead(trendReach(30))).toBeGreaterThan(now + 5 * 40);
    expect(trend.ahead(trendReach(30))).toBeLessThan(now + 30 * 40);
  });

  test('takes a shift for one after two samples', () => {
    expect(trained([...line(30, () => 100), 300]).level).toBeLessThan(200);
    expect(trained([...line(30, () => 100), 300, 300]).level).toBeGreaterThanOrEqual(300);
    expect(trained([...line(30, () => 300), 50, 50]).level).toBeLessThanOrEqual(60);
  });

  test('makes no trend of one far sample', () => {
    const trend = trained([...line(30, () => 100), 10_000, ...line(2, () => 100)]);
    expect(trend.ahead(trendReach(30))).toBeLessThan(100 * 100);
  });

  test('has no trend in noise, as a rule', () => {
    const random = seededRandom(7);
    const trend = new DampedTrend();
    let beyond = 0;
    for (let k = 0; k < 2_000; k += 1) {
      trend.add(100 + 10 * random.normal());
      if (Math.abs(trend.ahead(trendReach(32)) - trend.level) > 10) beyond += 1;
    }
    expect(beyond / 2_000).toBeLessThan(0.05);
  });

  test('never falls under 0, and lets its trend fade while nothing is told', () => {
    const trend = trained(line(20, (k) => 1_000 - 50 * k));
    expect(trend.ahead(trendReach(60))).toBeGreaterThanOrEqual(0);
    const climbing = trained(line(40, (k) => 1_000 + 100 * k));
    for (let k = 0; k < 200; k += 1) climbing.add(NaN);
    expect(climbing.ahead(trendReach(60))).toBeCloseTo(climbing.level, 6);
  });
});

describe('a held peak', () => {
  test('rises at once, and falls ten steps later', () => {
    const held = new PeakHold();
    held.step(10);
    held.look(20);
    expect(held.value).toBe(20);
    held.step(20);
    for (let k = 0; k < 9; k += 1) held.step(5);
    expect(held.value).toBe(20);
    held.step(5);
    expect(held.value).toBe(5);
  });

  test('does not fall by less than a twentieth', () => {
    const held = new PeakHold();
    held.step(100);
    for (let k = 0; k < 30; k += 1) held.step(96);
    expect(held.value).toBe(100);
  });
});

describe('the demand of a group', () => {
  const follow = (demand: GroupDemand, ticks: number, perS: number, forecast = NaN) => {
    for (let k = 0; k < ticks; k += 1) demand.tick((now += 100), perS, forecast, 0, 32_000);
    return demand;
  };
  let now = 0;

  test('is sampled once a second, however often it is told', () => {
    const demand = new GroupDemand();
    let steps = 0;
    for (let k = 0; k < 100; k += 1) {
      demand.tick((now += 100), 50, NaN, 0, 32_000);
      if (demand.stepped) steps += 1;
    }
    expect(steps).toBe(10);
  });

  test('has a path from now to the end of what is looked at', () => {
    const { path } = follow(new GroupDemand(), 20, 50, 114);
    expect(path[0]).toBeCloseTo(50, 9);
    expect(path[16]).toBeCloseTo(82, 9);
    expect(path[path.length - 1]).toBeCloseTo(114, 9);
  });

  test('is known again after it was forgotten', () => {
    const demand = follow(new GroupDemand(), 20, 500);
    demand.reset();
    expect(demand.foreseenPerS).toBeNaN();
    expect(follow(demand, 1, 20).foreseenPerS).toBe(20);
  });
});

describe('the parts of classes', () => {
  test('follow what is told, step by step, and are default where it is not', () => {
    const parts = new ClassParts(2);
    expect(Array.from(parts.parts)).toEqual([0, 1]);
    parts.tick([30, 10], false);
    expect(Array.from(parts.parts)).toEqual([0.75, 0.25]);
    parts.tick([0, 10], false);
    expect(parts.parts[0]).toBe(0.75);
    parts.tick([0, 10], true);
    expect(parts.parts[0]).toBeCloseTo(0.525, 9);
    parts.tick([NaN, 10], true);
    expect(Array.from(parts.parts)).toEqual([0, 1]);
  });
});
