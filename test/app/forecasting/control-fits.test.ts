/** Fits: when they are made, what is taken of them, and what happens when they fail. */
import type { FitJob, FitOutcome } from '../../../src/app/forecasting/fit-job';
import { fitterHere, type Fitter } from '../../../src/app/forecasting/fit-threads';
import { TidegateError } from '../../../src/core/errors';
import { wrongAnswers } from './every-answer';
import { daily, MINUTE_MS, noise, RULE, SimulatedControl } from './simulated-control';

const shop = { [RULE.id]: daily };
const SEASONS = 'forecast:\n  seasons: [1h]\n';
const HOURS = 60;

/** A fitter whose answers the test gives. */
class HeldFitter implements Fitter {
  readonly width = 1;
  readonly held: {
    job: FitJob;
    resolve: (outcome: FitOutcome) => void;
    reject: (thrown: unknown) => void;
  }[] = [];

  fit(job: FitJob): Promise<FitOutcome> {
    return new Promise((resolve, reject) => this.held.push({ job, resolve, reject }));
  }

  close(): Promise<void> {
    for (const { reject } of this.held.splice(0)) reject(new TidegateError('TG_INTERNAL', 'ended'));
    return Promise.resolve();
  }

  async answer(outcome: 'fit' | 'won' | 'lost' | 'dies' | 'nonsense'): Promise<void> {
    const next = this.held.shift();
    if (next === undefined) throw new Error('no fit was begun');
    const { job, resolve, reject } = next;
    if (outcome === 'dies') reject(new TidegateError('TG_INTERNAL', 'the thread that fits models ended'));
    else if (outcome === 'lost') resolve({ verdict: 'lost', state: undefined, errors: undefined });
    else if (outcome === 'nonsense')
      resolve({ verdict: 'won', state: { what: 'is this' }, errors: undefined });
    else {
      const { champion, ...alone } = job;
      const fitted = await fitterHere.fit(alone);
      resolve(outcome === 'won' && champion !== undefined ? { ...fitted, verdict: 'won' } : fitted);
    }
    await new Promise((settled) => setImmediate(settled));
  }
}

function passHours(sim: SimulatedControl, hours: number): void {
  for (let minute = 0; minute < hours * HOURS; minute += 1) sim.passOne(shop);
}

const versions = async (sim: SimulatedControl, scale: 'fine' | 'coarse') =>
  (await sim.ask('models', { classId: RULE.id })).models.filter((model) => model.scale === scale);

describe('fits', () => {
  it('come with the first milestone; the model before serves until they are over', async () => {
    const fitter = new HeldFitter();
    const sim = new SimulatedControl({ classes: [RULE], settings: SEASONS, fitter });
    passHours(sim, 5);
    expect(fitter.held).toHaveLength(0);
    expect(sim.last.refits.first).toBe(0);
    passHours(sim, 2);
    expect(fitter.held).toHaveLength(1);
    expect(sim.last.waitingFits).toBeGreaterThan(0);
    const before = await sim.predict(RULE.id, '1h');
    expect(before).toMatchObject({ version: 0, model: 'online' });
    expect(before.steps).toHaveLength(6);
    passHours(sim, 1);
    for (let left = 2; left > 0; left -= 1) {
      await fitter.answer('fit');
      sim.passOne(shop);
    }
    expect(sim.last).toMatchObject({ refits: { first: 2 }, waitingFits: 0 });
    expect(await sim.predict(RULE.id, '1h')).toMatchObject({ version: 1, model: 'default' });
    expect(await versions(sim, 'coarse')).toMatchObject([
      { version: 1, why: 'first', active: true, ratio: null },
    ]);
    // Rolled through what came while it was fitted: its forecast begins where the class is.
    expect((await sim.predict(RULE.id, '1h')).steps[0]?.atMs).toBeGreaterThan(sim.nowMs - 600_000);
    await sim.close();
  });

  it('replace a model where they won, and leave it where they lost, failed, died or came to nonsense', async () => {
    const fitter = new HeldFitter();
    const sim = new SimulatedControl({ classes: [RULE], settings: SEASONS, fitter });
    passHours(sim, 7);
    for (let left = 2; left > 0; left -= 1) {
      await fitter.answer('fit');
      sim.passOne(shop);
    }
    const cases = [
      ['lost', 1, { lost: 2 }],
      ['dies', 1, { failed: 1 }],
      ['nonsense', 1, { failed: 2 }],
      ['won', 2, { won: 1 }],
    ] as const;
    for (const [outcome, version, counted] of cases) {
      expect(await sim.ask('refit', { classId: RULE.id })).toEqual({ waiting: 2 });
      sim.passOne(shop);
      expect(fitter.held[0]?.job.champion).toBeDefined();
      await fitter.answer(outcome);
      sim.passOne(shop);
      await fitter.answer('lost');
      sim.passOne(shop);
      expect((await sim.predict(RULE.id, '1h')).version).toBe(version);
      expect((await versions(sim, 'coarse')).find(({ active }) => active)?.version).toBe(version);
      expect(sim.last.refits).toMatchObject(counted);
      expect(await wrongAnswers(sim, [RULE.id])).toEqual([]);
    }
    expect(sim.logged('a model was not fitted')).toHaveLength(2);
    await sim.close();
  });

  it('never hold up the end, and come to nothing after it', async () => {
    const fitter = new HeldFitter();
    const sim = new SimulatedControl({ classes: [RULE], settings: SEASONS, fitter });
    passHours(sim, 7);
    expect(fitter.held).toHaveLength(1);
    await sim.close();
    expect(sim.logged('a model was not fitted')).toEqual([]);
  });

  it('of a class that ended meanwhile are dropped', async () => {
    const fitter = new HeldFitter();
    const sim = new SimulatedControl({ classes: [RULE], settings: SEASONS, fitter });
    passHours(sim, 7);
    const batch = sim.batch(sim.nowMs, { [RULE.id]: 1 });
    sim.control.observe({ ...batch, ended: [RULE.id] });
    await fitter.answer('fit');
    sim.passOne({ [RULE.id]: daily });
    expect(await versions(sim, 'coarse')).toEqual([]);
    expect(sim.last.waitingFits).toBe(0);
    await sim.close();
  });

  it('can be undone: an earlier version comes back, rolled to now', async () => {
    const sim = new SimulatedControl({ classes: [RULE], settings: SEASONS, fitter: new WinningFitter() });
    await sim.pass(7 * HOURS, shop);
    await sim.ask('refit', {});
    await sim.pass(6, shop);
    const before = await sim.predict(RULE.id, '1h');
    expect(before.version).toBe(2);
    const { models } = await sim.ask('rollback', { classId: RULE.id, scale: 'coarse', version: 1 });
    expect(models.filter(({ scale, active }) => scale === 'coarse' && active)).toMatchObject([
      { version: 1 },
    ]);
    const after = await sim.predict(RULE.id, '1h');
    expect(after.version).toBe(1);
    expect(after.steps.map(({ atMs }) => atMs)).toEqual(before.steps.map(({ atMs }) => atMs));
    await expect(
      sim.ask('rollback', { classId: RULE.id, scale: 'coarse', version: 9 }),
    ).rejects.toMatchObject({
      code: 'TG_ADMIN_BAD_REQUEST',
    });
    expect((await sim.predict(RULE.id, '1h')).version).toBe(1);
    await sim.close();
  });

  it('follow a drift once it has settled', async () => {
    const tails: number[] = [];
    const fitter: Fitter = {
      ...fitterHere,
      fit: (job) => {
        if (job.context.stepMs === MINUTE_MS) tails.push(job.values.length - job.tailStart);
        return fitterHere.fit(job);
      },
    };
    const settings = 'forecast:\n  seasons: [1h]\n  learn_after: 30m\n';
    const sim = new SimulatedControl({ classes: [RULE], settings, fitter });
    await sim.pass(8 * HOURS, shop);
    const moved = { [RULE.id]: (_: number, minute: number) => 3_000 * noise(minute) };
    await sim.pass(2 * HOURS, moved);
    const { drifts } = await sim.ask('anomalies', { classId: RULE.id, offset: 0, limit: 10 });
    expect(drifts.map(({ classId }) => classId)).toContain(RULE.id);
    expect(sim.last.drifts.find(({ id }) => id === RULE.id)?.count).toBe(drifts.length);
    expect(sim.history.records.events({ kind: 'drift' })).toHaveLength(drifts.length);
    expect((await sim.predict(RULE.id, '1m')).steps[0]?.mean).toBeCloseTo(50, -1);
    await sim.pass(3 * HOURS, moved);
    // Proven on the half hour before, which is all that is known of the new level besides what it is fitted to.
    expect(tails.slice(1)).toContain(30);
    const { won, lost } = sim.last.refits;
    expect(won + lost).toBeGreaterThan(0);
    await sim.close();
  });
});

/** Fits here, and takes every fit for the better one. */
class WinningFitter implements Fitter {
  readonly width = 2;

  async fit({ champion, ...job }: FitJob): Promise<FitOutcome> {
    const outcome = await fitterHere.fit(job);
    return champion === undefined ? outcome : { ...outcome, verdict: 'won' };
  }

  async close(): Promise<void> {
    // Nothing is under way between fits.
  }
}
