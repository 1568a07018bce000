import { fitCalendar, trendAt } from '../../../src/forecast/model/calendar-regression';
import type { SeriesContext } from '../../../src/forecast/model/model';
import { PROPHET } from '../../../src/forecast/model/prophet';
import { seededRandom } from '../../../src/forecast/numeric/random';

const hourMs = 3_600_000;
const day = 24;
const startMs = Date.UTC(2024, 0, 1, 5);
const context: SeriesContext = { startMs, stepMs: hourMs, seasons: [day, 7 * day], seed: 1 };
const noisy = (length: number, value: (at: number) => number, seed: number, noise = 0.1): Float64Array => {
  const random = seededRandom(seed);
  return Float64Array.from({ length }, (_, at) => value(at) + noise * random.normal());
};

describe('the calendar regression', () => {
  it('recovers a trend that changes once', () => {
    const trend = (at: number): number => (at < 300 ? 0.01 * at : 3 + 0.03 * (at - 300));
    const fit = fitCalendar(noisy(672, trend, 1), context);
    for (const at of [50, 200, 300, 450, 671])
      expect(Math.abs(trendAt(fit, at) - trend(at))).toBeLessThan(0.3);
    expect(Math.abs(trendAt(fit, 672) - trendAt(fit, 671) - 0.03)).toBeLessThan(0.003);
  });

  it('changes the trend of a straight line hardly at all', () => {
    const fit = fitCalendar(
      noisy(672, (at) => 0.01 * at, 2),
      context,
    );
    const total = fit.changes.reduce((sum, { by }) => sum + Math.abs(by), 0);
    expect(total).toBeLessThan(0.003);
  });

  it('counts phases from midnight UTC', () => {
    const fit = fitCalendar(
      noisy(672, (at) => ((startMs / hourMs + at) % day === 12 ? 3 : 0), 3),
      context,
    );
    const phases = Array.from(fit.seasons[0]?.phases ?? []);
    expect(phases.indexOf(Math.max(...phases))).toBe(12);
  });
});

describe('the kind prophet', () => {
  const holidays = [5, 13, 22, 39].map((days) => ({
    name: 'sale',
    startMs: startMs + days * day * hourMs,
    endMs: startMs + (days + 1) * day * hourMs,
  }));
  const onSale = (at: number): boolean => [5, 13, 22, 39].includes(Math.floor(at / day));
  const rate = (at: number): number =>
    200 * Math.exp(0.4 * Math.sin((2 * Math.PI * at) / day) + (onSale(at) ? 0.7 : 0));

  it('learns a holiday by its name and foretells it where it is next', () => {
    const random = seededRandom(6);
    const values = Float64Array.from(
      { length: 38 * day },
      (_, at) => rate(at) * Math.exp(0.05 * random.normal()),
    );
    const { mean } = PROPHET.fit(values, { ...context, holidays }).predict(4 * day, []);
    const miss = mean.map((value, step) => Math.abs(value / rate(values.length + step) - 1));
    expect(Math.max(...miss)).toBeLessThan(0.25);
    expect((mean[day + 6] ?? 0) / (mean[6] ?? 1)).toBeGreaterThan(1.7);
  });

  it('foretells nothing unusual without the holiday', () => {
    const values = Float64Array.from({ length: 38 * day }, (_, at) => rate(at));
    const { mean } = PROPHET.fit(values, context).predict(4 * day, []);
    expect((mean[day + 6] ?? 0) / (mean[6] ?? 1)).toBeLessThan(1.3);
  });

  it('is the same model after it was saved, with its holidays', () => {
    const values = Float64Array.from({ length: 20 * day }, (_, at) => rate(at));
    const model = PROPHET.fit(values, { ...context, holidays });
    model.update(300);
    const again = PROPHET.restore(structuredClone(model.save()));
    expect(again.predict(25 * day, [0.8])).toEqual(model.predict(25 * day, [0.8]));
  });
});
