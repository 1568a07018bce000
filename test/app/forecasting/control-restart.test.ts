/** Ends and begins: what a control path knows when it comes back to a history file. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HORIZONS } from '../../../src/core/forecasts';
import { wrongAnswers } from './every-answer';
import { BEGIN_MS, daily, HOUR_MS, MINUTE_MS, RULE, SERVICE, SimulatedControl } from './simulated-control';

const shop = { [RULE.id]: daily, [SERVICE.id]: daily };
const settings = 'forecast:\n  seasons: [1h]\n';
let folder: string;
let path: string;
const open: SimulatedControl[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-control-'));
  path = join(folder, 'history.db');
});
afterEach(async () => {
  for (const sim of open.splice(0)) await sim.close();
  for (const one of [folder, `${folder}-left`]) rmSync(one, { recursive: true, force: true });
});

/** What a crash leaves: the files as they are, with nothing closed. */
function crash(): void {
  const left = `${folder}-left`;
  cpSync(folder, left, { recursive: true });
  path = join(left, 'history.db');
}

function begin(beginMs: number, source: string): SimulatedControl {
  const sim = new SimulatedControl({ settings, path, beginMs, source });
  open.push(sim);
  return sim;
}

async function end(sim: SimulatedControl): Promise<void> {
  open.splice(open.indexOf(sim), 1);
  await sim.close();
}

const forecasts = (sim: SimulatedControl) =>
  Promise.all(
    HORIZONS.map(async (horizon) => {
      const { version, model, warm, flags, steps } = await sim.predict(RULE.id, horizon, 0.95);
      return { version, model, warm, flags, steps };
    }),
  );

describe('a control path that comes back', () => {
  it('forecasts as it did, after it was ended in order', async () => {
    const first = begin(BEGIN_MS, 'one');
    await first.pass(8 * 60 + 20, shop);
    const before = await forecasts(first);
    const models = await first.ask('models', { classId: RULE.id });
    const accuracy = await first.ask('accuracy', { offset: 0, limit: 10 });
    await end(first);
    const second = begin(first.nowMs, 'two');
    expect(await forecasts(second)).toEqual(before);
    expect(before.map(({ version }) => version)).toEqual([1, 1, 1]);
    expect(await second.ask('models', { classId: RULE.id })).toEqual(models);
    expect(await second.ask('accuracy', { offset: 0, limit: 10 })).toEqual(accuracy);
    await second.pass(5, shop);
    expect(second.last.tracked).toBe(2);
    expect((await second.predict(RULE.id, '1m')).flags).toEqual([]);
    expect(await wrongAnswers(second, [RULE.id, SERVICE.id])).toEqual([]);
  });

  it('catches up on what it did not keep, from history, after a crash', async () => {
    const first = begin(BEGIN_MS, 'one');
    await first.pass(8 * 60 + 10, shop);
    // Forecasters were last kept within the last ten minutes of turns, each in its own.
    for (let turn = 0; turn < 4; turn += 1) first.control.turn();
    await first.pass(25, shop);
    first.history.flush(first.nowMs);
    crash();
    const before = await forecasts(first);
    const second = begin(first.nowMs, 'two');
    const after = await forecasts(second);
    after.forEach(({ steps, version }, index) => {
      expect(version).toBe(before[index]?.version);
      expect(steps.map(({ atMs }) => atMs)).toEqual(before[index]?.steps.map(({ atMs }) => atMs));
      steps.forEach(({ mean }, step) => {
        const told = before[index]?.steps[step]?.mean ?? NaN;
        expect(Math.abs(mean - told) / told).toBeLessThan(0.05);
      });
    });
  });

  it('goes on after days away: what was missed is missing, and the forecast begins now', async () => {
    const first = begin(BEGIN_MS, 'one');
    await first.pass(8 * 60, shop);
    await end(first);
    for (const awayMs of [3 * HOUR_MS, 40 * 24 * HOUR_MS]) {
      const second = begin(first.nowMs + awayMs, `after ${awayMs}`);
      await second.pass(12, shop);
      const { steps, flags } = await second.predict(RULE.id, '1m');
      expect(flags).not.toContain('stale');
      expect(Math.abs((steps[0]?.atMs ?? NaN) - second.nowMs)).toBeLessThanOrEqual(2 * MINUTE_MS);
      expect(await wrongAnswers(second, [RULE.id, SERVICE.id])).toEqual([]);
      await end(second);
    }
  });

  it('begins anew from what history holds where the clock was set back while it was away', async () => {
    const first = begin(BEGIN_MS, 'one');
    await first.pass(10 * 60, shop);
    await end(first);
    const second = begin(first.nowMs - 3 * HOUR_MS, 'two');
    await second.pass(12, shop);
    const { steps } = await second.predict(RULE.id, '1m');
    expect(Math.abs((steps[0]?.atMs ?? NaN) - second.nowMs)).toBeLessThanOrEqual(2 * MINUTE_MS);
    expect(await wrongAnswers(second, [RULE.id, SERVICE.id])).toEqual([]);
  });

  it('begins a class anew whose forecasters cannot be read', async () => {
    const first = begin(BEGIN_MS, 'one');
    await first.pass(8 * 60, shop);
    first.history.records.models(RULE.id).forEach(({ kind, version }) => {
      first.history.records.updateModel(RULE.id, kind, version, {
        fine: { kind: 'of another time' },
        odd: 1,
      });
    });
    first.history.flush(first.nowMs);
    crash();
    const second = begin(first.nowMs, 'two');
    const { source, steps } = await second.predict(RULE.id, '1m');
    expect(source).not.toBe('none');
    expect(steps[0]?.mean).toBeGreaterThan(0);
    await second.pass(5, shop);
    expect(await wrongAnswers(second, [RULE.id, SERVICE.id])).toEqual([]);
  });
});

describe('a control path that begins in the middle of a step', () => {
  const steady = { [RULE.id]: () => 600, [SERVICE.id]: () => 600 };

  it.each([
    [4, 10],
    [2, 10],
  ])('takes the step for a whole one when it began %i minutes into it', async (minutes, ratePerS) => {
    const sim = begin(BEGIN_MS + minutes * MINUTE_MS, 'one');
    await sim.pass(10 - minutes, steady);
    const { steps } = await sim.predict(RULE.id, '1h');
    expect(steps[0]?.mean).toBeCloseTo(ratePerS, 6);
  });

  it('takes nothing from a step that it saw less than half of', async () => {
    const sim = begin(BEGIN_MS + 7 * MINUTE_MS, 'one');
    await sim.pass(3, steady);
    // Nothing is known yet, which is not the same as nothing being expected.
    expect(await sim.predict(RULE.id, '1h')).toMatchObject({ source: 'none', flags: ['unknown'], steps: [] });
    await sim.pass(10, steady);
    const { steps } = await sim.predict(RULE.id, '1h');
    expect(steps[0]?.mean).toBeCloseTo(10, 6);
  });
});
