import { seededRandom, type Random } from '../../src/forecast/numeric/random';
import type { AnomalyReason } from '../../src/forecast/anomaly/anomaly-detector';
import { DAY, daily, runAll, seasonalCounts, SmoothingModel, STEP_MS, tracked } from './tracked-fixtures';

const WEEK = 7 * DAY;

/** Streams that have nothing odd about them. */
const NOISES: readonly (readonly [string, (random: Random, step: number) => number])[] = [
  ['normal', (random) => 100 + 10 * random.normal()],
  ['heavy-tailed', (random) => 10 * Math.exp(0.7 * random.normal())],
  ['seasonal', (random, step) => 200 * daily(step) * (1 + 0.08 * random.normal())],
  ['bursty', (random) => 10 + (random.next() < 0.05 ? 200 * random.next() : 0)],
  ['of small counts', (random) => Math.floor(-Math.log(1 - random.next()) * 1.5)],
];

describe('the budget of false alarms', () => {
  it.each(NOISES)('is kept where noise is %s', (_, draw) => {
    const days = 30;
    let alarms = 0;
    for (const seed of [1, 2]) {
      const random = seededRandom(seed);
      const values = Float64Array.from({ length: days * DAY }, (_unused, step) =>
        Math.max(0, draw(random, step)),
      );
      alarms += runAll(tracked(new SmoothingModel()), values).filter(({ began }) => began).length;
    }
    expect(alarms / (2 * days)).toBeLessThan(0.27);
  });

  it('is a setting: a larger one gives more alarms', () => {
    const random = seededRandom(6);
    const values = Float64Array.from({ length: 20 * DAY }, () => 10 * Math.exp(0.6 * random.normal()));
    const alarms = [0.05, 1].map((falseAlarmsPerDay) => {
      const forecaster = tracked(new SmoothingModel(), { falseAlarmsPerDay });
      return runAll(forecaster, values).filter(({ began }) => began).length;
    });
    expect(alarms[0]).toBeLessThan(alarms[1] ?? 0);
    expect((alarms[0] ?? NaN) / 20).toBeLessThan(0.11);
  });

  it('is never overdrawn for long, not even where the level jumps nearly every day', () => {
    const days = 56;
    const random = seededRandom(7);
    let level = 30;
    let left = 100;
    const values = Float64Array.from({ length: days * DAY }, () => {
      left -= 1;
      if (left < 0) {
        left = 50 + Math.floor(300 * random.next());
        level = 20 + 10 * Math.floor(4 * random.next());
      }
      return level + 0.8 * random.normal();
    });
    const events = runAll(tracked(new SmoothingModel()), values).filter(({ began }) => began);
    expect(events.length).toBeGreaterThan(0.1 * days);
    expect(events.length).toBeLessThanOrEqual(5 + 0.2 * days);
  });
});

const AT = WEEK + 100;
/** What happens from `AT` on, and what may be said of it. */
const EVENTS: readonly (readonly [
  string,
  (value: number, since: number) => number,
  readonly AnomalyReason[],
])[] = [
  ['a spike', (value, since) => (since < 2 ? 4 * value : value), ['spike']],
  ['a drop', (value, since) => (since < 12 ? value / 10 : value), ['drop', 'level shift']],
  ['nothing at all', (value, since) => (since < 24 ? 0 : value), ['drop', 'flatline', 'level shift']],
  [
    'one value again and again',
    (value, since) => (since < 48 ? 777 : value),
    ['flatline', 'spike', 'level shift'],
  ],
  ['a lasting rise', (value) => 2 * value, ['spike', 'level shift', 'seasonal violation']],
  [
    'wild values',
    (value, since) => (since < 72 ? value * (since % 2 === 0 ? 1.5 : 0.6) : value),
    ['unusual variance', 'spike', 'drop', 'level shift'],
  ],
  ['missing values', (value, since) => (since < 24 ? NaN : value), ['missing data']],
];

describe('an anomaly', () => {
  it.each(EVENTS)('is found, with its reason: %s', (_, change, reasons) => {
    const values = seasonalCounts(AT + DAY, 31);
    const changed = values.map((value, step) => (step < AT ? value : change(value, step - AT)));
    const reports = runAll(tracked(), changed);
    const found = reports.slice(AT, AT + 48).find(({ began }) => began);
    expect(found?.anomaly).toBeDefined();
    expect(reasons).toContain(found?.anomaly?.reason);
    expect(found?.anomaly?.score).toBeGreaterThanOrEqual(1);
  });

  it('is one event from its first flagged step to its last, with its peak', () => {
    const values = seasonalCounts(AT + DAY, 31).map((value, step) => {
      const since = step - AT;
      return since >= 0 && since < 10 ? value * (since === 4 ? 6 : 4) : value;
    });
    const forecaster = tracked();
    runAll(forecaster, values);
    const event = forecaster.anomalies().find(({ startMs }) => startMs === AT * STEP_MS);
    expect(event?.endMs).toBeGreaterThan(AT * STEP_MS);
    const peak = (event?.peakMs ?? NaN) / STEP_MS;
    expect(peak - AT).toBeGreaterThanOrEqual(0);
    expect(peak - AT).toBeLessThan(10);
    expect(event?.actual).toBe(values[peak]);
    expect(forecaster.anomalous).toBe(false);
  });

  it('does not teach the model, and its end is the end of it', () => {
    const clean = seasonalCounts(AT + 60, 31);
    const values = clean.map((value, step) => (step >= AT && step < AT + 6 ? 10 * value : value));
    const model = new SmoothingModel(daily);
    runAll(tracked(model), values);
    for (let step = AT; step < AT + 6; step += 1) {
      expect(model.told[step]).toBeLessThan((values[step] ?? NaN) / 2);
    }
    expect(model.told[AT + 59]).toBe(values[AT + 59]);
  });

  it('that lasts is what is now usual: it is learnt, told as a drift, and no alarm goes on', () => {
    const values = seasonalCounts(AT + 4 * DAY, 31).map((value, step) => (step < AT ? value : 3 * value));
    const model = new SmoothingModel(daily);
    const forecaster = tracked(model, { adoptAfterMs: 2 * 3_600_000 });
    const reports = runAll(forecaster, values);
    const last = reports.slice(-DAY);
    const error =
      last.reduce((sum, { actual, forecast }) => sum + Math.abs(actual - forecast) / actual, 0) / DAY;
    expect(error).toBeLessThan(0.2);
    expect(model.told.at(-1)).toBe(values.at(-1));
    expect(last.filter(({ anomaly }) => anomaly !== undefined).length).toBeLessThan(DAY / 4);
    expect(reports.slice(AT, AT + DAY).some(({ drift }) => drift !== undefined)).toBe(true);
  });

  it('is remembered among a bounded number', () => {
    const random = seededRandom(4);
    const forecaster = tracked(new SmoothingModel(), { maxEvents: 3, falseAlarmsPerDay: 5 });
    runAll(
      forecaster,
      Float64Array.from({ length: 8 * DAY }, () => Math.exp(2 * random.normal())),
    );
    expect(forecaster.anomalies().length).toBe(3);
  });
});
