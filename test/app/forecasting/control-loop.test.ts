/** The control path over days, on a clock of the test's own. */
import type { FitJob } from '../../../src/app/forecasting/fit-job';
import { fitterHere, type Fitter } from '../../../src/app/forecasting/fit-threads';
import { HORIZON_STEPS, HORIZONS } from '../../../src/core/forecasts';
import type { ClassInfo } from '../../../src/core/observation';
import { wrongAnswers } from './every-answer';
import {
  daily,
  DAY_MS,
  MINUTE_MS,
  noise,
  RULE,
  SERVICE,
  SimulatedControl,
  type Demand,
} from './simulated-control';

const NEW: ClassInfo = { id: 'shop.new', kind: 'rule', parent: SERVICE.id, service: 'shop' };
const half: Demand = (atMs, minute) => daily(atMs, minute) / 2;
const shop = { [RULE.id]: half, [SERVICE.id]: daily };

/** The rate of {@link half} around which it wavers, a second. */
const usual = (atMs: number): number => 5 + 2.5 * Math.sin((2 * Math.PI * (atMs % DAY_MS)) / DAY_MS);

const jobs: FitJob[] = [];
/** Fits here and now, and keeps what it was given. */
const fitter: Fitter = {
  ...fitterHere,
  fit: (job) => {
    jobs.push(job);
    return fitterHere.fit(job);
  },
};

async function days(count: number, sim = new SimulatedControl({ fitter })): Promise<SimulatedControl> {
  await sim.pass(count * 1_440, shop);
  return sim;
}

describe('a class that is counted for two days', () => {
  let sim: SimulatedControl;
  beforeAll(async () => {
    sim = await days(2);
  }, 60_000);
  afterAll(() => sim.close());

  it('is listed with its rates, of denials too', async () => {
    await sim.pass(1, shop, 0.25);
    const { total, classes } = await sim.ask('classes', { offset: 0, limit: 10 });
    expect(total).toBe(2);
    expect(classes.map(({ id }) => id)).toEqual([SERVICE.id, RULE.id]);
    const [, rule] = classes;
    expect(rule).toMatchObject({ kind: 'rule', parent: SERVICE.id, service: 'shop', anomalous: false });
    expect(rule?.deniedPerS).toBeCloseTo((rule?.ratePerS ?? 0) / 4, 6);
    expect(await sim.ask('classes', { offset: 0, limit: 10, kind: 'service' })).toMatchObject({ total: 1 });
    expect(await sim.ask('classes', { offset: 0, limit: 10, search: 'rule' })).toMatchObject({ total: 1 });
    expect((await sim.ask('classes', { offset: 1, limit: 1 })).classes).toHaveLength(1);
  });

  it.each(HORIZONS)(
    'has forecasts at %s that are near what comes, in intervals within each other',
    async (horizon) => {
      const { stepMs, steps } = HORIZON_STEPS[horizon];
      const narrow = await sim.predict(RULE.id, horizon, 0.8);
      const wide = await sim.predict(RULE.id, horizon, 0.95);
      expect(narrow).toMatchObject({ classId: RULE.id, source: 'model', stepMs, flags: [], warm: true });
      expect(narrow.model).toBe(horizon === '1m' ? 'online' : 'default');
      expect(narrow.steps).toHaveLength(steps);
      let inside = 0;
      narrow.steps.forEach((step, index) => {
        const { lower = NaN, upper = NaN } = wide.steps[index] ?? {};
        expect(lower).toBeLessThanOrEqual(step.lower);
        expect(step.lower).toBeLessThanOrEqual(step.mean);
        expect(step.mean).toBeLessThanOrEqual(step.upper);
        expect(step.upper).toBeLessThanOrEqual(upper);
        inside += usual(step.atMs) >= lower && usual(step.atMs) <= upper ? 1 / steps : 0;
        if (index > 0) expect(step.atMs - (narrow.steps[index - 1]?.atMs ?? NaN)).toBe(stepMs);
      });
      expect(inside).toBeGreaterThan(0.8);
      expect((narrow.steps[0]?.atMs ?? NaN) + stepMs).toBeGreaterThan(sim.nowMs - MINUTE_MS);
    },
  );

  it('has scores: better than repeating the last value, with coverage near what is promised', async () => {
    const { total, accuracy } = await sim.ask('accuracy', { offset: 0, limit: 10 });
    expect(total).toBe(2);
    const minute = accuracy.find(({ classId, horizon }) => classId === RULE.id && horizon === '1m');
    expect(minute?.scored).toBeGreaterThan(1_000);
    expect(minute?.maeRatio).toBeLessThan(0.9);
    expect(Math.abs((minute?.coverage80 ?? NaN) - 0.8)).toBeLessThan(0.08);
    expect(Math.abs((minute?.coverage95 ?? NaN) - 0.95)).toBeLessThan(0.04);
  });

  it('keeps its scores over time, hour by hour', async () => {
    const ask = { classId: RULE.id, horizon: '1m', measure: 'maeRatio' } as const;
    const { points } = await sim.ask('accuracyHistory', ask);
    expect(points.length).toBeGreaterThan(40);
    expect(points.every(({ atMs, value }) => atMs % 3_600_000 === 0 && value > 0 && value < 2)).toBe(true);
    const untilMs = points[5]?.atMs ?? 0;
    expect((await sim.ask('accuracyHistory', { ...ask, toMs: untilMs })).points).toEqual(points.slice(0, 5));
  });

  it('is in the figures of metrics', () => {
    const { classes, tracked, history, refits, leader } = sim.last;
    expect(tracked).toBe(2);
    expect(leader).toBe(true);
    expect(history).toMatchObject({ kind: 'memory', degraded: false, classes: 2 });
    expect(refits.first).toBe(4);
    expect(classes.map(({ id }) => id)).toEqual([SERVICE.id, RULE.id]);
    for (const { horizons, ratePerS } of classes) {
      expect(ratePerS).toBeGreaterThan(0);
      expect(horizons.map(({ horizon }) => horizon)).toEqual(HORIZONS);
      for (const { levels } of horizons) expect(levels.map(({ level }) => level)).toEqual([0.8, 0.95]);
    }
  });

  it('uses resources as its requests do, and its service as the mean of its rules', async () => {
    const demand = await sim.predict(RULE.id, '1h');
    const ofService = await sim.predict(SERVICE.id, '1h');
    const cpu = await sim.predict(RULE.id, '1h', 0.8, 'cpu');
    expect(cpu.figure).toBe('cpu');
    expect(cpu.steps.map(({ upper }) => upper)).toEqual(demand.steps.map(({ upper }) => upper * 2));
    const network = await sim.predict(SERVICE.id, '1h', 0.8, 'network');
    network.steps.forEach(({ mean }, index) =>
      expect(mean).toBeCloseTo((ofService.steps[index]?.mean ?? NaN) * 3, 9),
    );
    const seen = await sim.ask('series', { classId: RULE.id, figure: 'cpu', resolutionMs: 60_000 });
    const hits = await sim.ask('series', { classId: RULE.id, figure: 'arrivals', resolutionMs: 60_000 });
    expect(seen.values.slice(-5)).toEqual(hits.values.slice(-5).map((value) => (value ?? NaN) * 2));
    await expect(
      sim.ask('prediction', { classId: RULE.id, figure: 'denied', horizon: '1h', level: 0.8 }),
    ).rejects.toMatchObject({
      code: 'TG_ADMIN_BAD_REQUEST',
    });
  });

  it("gives a new class its parent's forecast by its share, and its own once it has seen enough", async () => {
    const classes = [RULE, SERVICE, NEW];
    const young = new SimulatedControl({ classes, settings: 'forecast:\n  seasons: [1h]\n' });
    const withNew = { ...shop, [NEW.id]: (atMs: number, minute: number) => daily(atMs, minute) / 10 };
    await young.pass(140, shop);
    await young.pass(30, withNew);
    const leaning = await young.predict(NEW.id, '1m');
    expect(leaning).toMatchObject({ classId: NEW.id, source: 'parent', warm: false });
    const parent = await young.predict(SERVICE.id, '1m');
    expect((leaning.steps[0]?.mean ?? NaN) / (parent.steps[0]?.mean ?? NaN)).toBeCloseTo(0.1, 2);
    expect(leaning.steps[0]?.upper).toBeGreaterThan((parent.steps[0]?.upper ?? NaN) * 0.1);
    await young.pass(120, withNew);
    const own = await young.predict(NEW.id, '1m');
    expect(own).toMatchObject({ source: 'model', warm: true });
    expect(own.steps[0]?.mean).toBeCloseTo(
      ((await young.predict(SERVICE.id, '1m')).steps[0]?.mean ?? NaN) / 10,
      0,
    );
    expect(await wrongAnswers(young, [NEW.id])).toEqual([]);
    await young.close();
  }, 60_000);

  it('answers as is described, and knows nothing of classes that are not there', async () => {
    expect(await wrongAnswers(sim, [RULE.id, SERVICE.id])).toEqual([]);
    await expect(sim.predict('other', '1h')).rejects.toMatchObject({ code: 'TG_FORECAST_UNKNOWN_CLASS' });
    await expect(sim.ask('refit', { classId: 'other' })).rejects.toMatchObject({
      code: 'TG_FORECAST_UNKNOWN_CLASS',
    });
    await expect(sim.ask('anything' as never, {} as never)).rejects.toMatchObject({ code: 'TG_INTERNAL' });
  });

  it('says when something is off: once, with its reason, everywhere; and leaves it out of fits', async () => {
    const before = sim.lines.length;
    const burstAtMs = Math.ceil(sim.nowMs / MINUTE_MS) * MINUTE_MS;
    const burst: Demand = (atMs, minute) => 1_200 * noise(minute) + half(atMs, minute);
    await sim.pass(8, { [RULE.id]: burst, [SERVICE.id]: daily });
    expect((await sim.predict(RULE.id, '1m')).flags).toContain('anomaly');
    expect(sim.last.classes.find(({ id }) => id === RULE.id)).toMatchObject({ anomalous: true });
    await sim.pass(30, shop);
    const { anomalies } = await sim.ask('anomalies', { classId: RULE.id, offset: 0, limit: 10 });
    const [spike] = anomalies;
    expect(spike).toMatchObject({ classId: RULE.id, reason: 'spike' });
    expect(Math.abs((spike?.startMs ?? NaN) - burstAtMs)).toBeLessThanOrEqual(MINUTE_MS);
    expect(spike?.actual).toBeGreaterThan((spike?.expected ?? NaN) * 2);
    const told = sim.lines.slice(before).filter(({ message }) => message.includes('unlike its forecasts'));
    // Once by each scale that sees it.
    expect(told).toHaveLength(anomalies.length);
    const counted = sim.last.anomalies.filter(({ id }) => id === RULE.id);
    expect(counted.reduce((sum, { count }) => sum + count, 0)).toBe(told.length);
    expect(sim.last.anomalies).toEqual(counted);
    expect(sim.history.records.events({ kind: 'anomaly', classId: RULE.id })).toHaveLength(told.length);
    expect((await sim.ask('anomalies', { classId: SERVICE.id, offset: 0, limit: 10 })).total).toBe(0);
    await sim.ask('refit', { classId: RULE.id });
    await sim.pass(3, shop);
    const fitted = jobs.filter(({ context }) => context.stepMs === MINUTE_MS).at(-1);
    const at = (burstAtMs + 4 * MINUTE_MS - (fitted?.context.startMs ?? NaN)) / MINUTE_MS;
    expect(fitted?.values[at]).toBeNaN();
    expect(fitted?.values[at - 60]).toBeGreaterThan(0);
  }, 30_000);
});

test('a class has its share: a rule of its service, a service and a tenant of all', async () => {
  const other: ClassInfo = { id: 'service:desk', kind: 'service', service: 'desk' };
  const tenant: ClassInfo = { id: 'tenant:gold', kind: 'tenant', tenant: 'gold' };
  const sim = new SimulatedControl({ classes: [RULE, SERVICE, other, tenant] });
  const steady = (perMinute: number) => () => perMinute;
  await sim.pass(3, {
    [RULE.id]: steady(150),
    [SERVICE.id]: steady(300),
    [other.id]: steady(900),
    [tenant.id]: steady(60),
  });
  const { classes } = await sim.ask('classes', { offset: 0, limit: 10 });
  expect(Object.fromEntries(classes.map(({ id, share }) => [id, share]))).toEqual({
    [RULE.id]: 0.5,
    [SERVICE.id]: 0.25,
    [other.id]: 0.75,
    [tenant.id]: 0.05,
  });
  await sim.close();
});
