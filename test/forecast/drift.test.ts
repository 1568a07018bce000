import { seededRandom } from '../../src/forecast/numeric/random';
import { DriftDetector } from '../../src/forecast/drift/drift-detector';
import { PageHinkley } from '../../src/forecast/drift/page-hinkley';
import { DAY, daily, runAll, seasonalCounts, tracked } from './tracked-fixtures';

describe('a Page-Hinkley test', () => {
  it.each([0, 0.6, 0.9])('is silent on figures that depend on each other by %d', (correlation) => {
    const random = seededRandom(2);
    const test = new PageHinkley(480, true);
    let figure = 0;
    let alarms = 0;
    for (let at = 0; at < 20_000; at += 1) {
      figure = correlation * figure + random.normal();
      if (test.observe(figure) < 1) continue;
      alarms += 1;
      test.reset();
    }
    expect(alarms).toBeLessThanOrEqual(6);
  });

  it.each([1.5, -1.5, 3])('finds a change by %d deviations soon', (change) => {
    const random = seededRandom(3);
    const test = new PageHinkley(480, true);
    for (let at = 0; at < 500; at += 1) test.observe(random.normal());
    let delay = 0;
    while (test.observe(change + random.normal()) < 1) delay += 1;
    expect(delay).toBeLessThan(30);
  });
});

describe('drift', () => {
  it('is silent on seasonal traffic', () => {
    const days = 40;
    const reports = runAll(tracked(), seasonalCounts(days * DAY, 12));
    expect(reports.filter(({ drift }) => drift !== undefined).length / days).toBeLessThan(0.1);
  });

  it.each([
    ['level', (value: number) => 2 * value],
    ['variance', (value: number, step: number) => value * (step % 2 === 0 ? 1.25 : 0.75)],
    ['pattern', (_: number, step: number) => 200 * daily(step + DAY / 2)],
  ])('is found within a day when the %s changes', (_, change) => {
    const at = 10 * DAY;
    const values = seasonalCounts(at + 2 * DAY, 13);
    const changed = values.map((value, step) => (step < at ? value : change(value, step)));
    const reports = runAll(tracked(), changed);
    const found = reports.slice(at).findIndex(({ drift }) => drift !== undefined);
    expect(found).toBeGreaterThanOrEqual(0);
    expect(found).toBeLessThan(DAY);
  });

  it('is told less and less readily where it comes again and again, and again after a calm time', () => {
    const drifts = new DriftDetector();
    const tells = (): boolean => drifts.adopt({ atMs: 0, kind: 'level', score: 1.4 }) !== undefined;
    const told = Array.from({ length: 5 }, tells);
    expect(told[0]).toBe(true);
    expect(told.filter(Boolean).length).toBeLessThan(3);
    const again = new DriftDetector(drifts.save());
    expect(again.adopt({ atMs: 0, kind: 'level', score: 1.4 })).toBeUndefined();
    const random = seededRandom(9);
    for (let slot = 0; slot < 48 * 30; slot += 1) {
      for (let step = 0; step < 6; step += 1) again.observe(random.normal());
      again.endSlot(0, random.normal());
    }
    expect(again.adopt({ atMs: 0, kind: 'level', score: 1.4 })).toBeDefined();
  });
});
