/** Whatever the control path is told, it answers with figures, and goes on. */
import fc from 'fast-check';
import { COUNTS, type ClassInfo, type ObservationBatch } from '../../../src/core/observation';
import { wrongAnswers } from './every-answer';
import {
  BEGIN_MS,
  daily,
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  RULE,
  SERVICE,
  SimulatedControl,
} from './simulated-control';

const shop = { [RULE.id]: daily, [SERVICE.id]: daily };
const settings = 'forecast:\n  seasons: [1h]\n';
const oddNumber = fc.constantFrom(NaN, -1, -Infinity, Infinity, 1e300, 1e-300, 0, 5, Number.MAX_SAFE_INTEGER);
const jump = fc.constantFrom(
  0,
  1_000,
  MINUTE_MS,
  600_000,
  3 * HOUR_MS,
  4 * DAY_MS,
  -1_500,
  -90_000,
  -5 * HOUR_MS,
  -3 * DAY_MS,
);
const infos: readonly ClassInfo[] = [
  RULE,
  SERVICE,
  { id: 'orphan', kind: 'rule', parent: 'service:none' },
  { id: 'own parent', kind: 'rule', parent: 'own parent' },
  { id: 'signal:shop/a/cpu', kind: 'signal', service: 'shop' },
];

interface Odd {
  readonly jumpMs: number;
  readonly lateMs: number;
  readonly counts: readonly number[];
  readonly short: boolean;
  readonly ended: readonly string[];
  readonly level: number;
}

const odd: fc.Arbitrary<Odd> = fc.record({
  jumpMs: jump,
  lateMs: fc.constantFrom(0, 1_000, 29_000, 31_000, -40_000, NaN),
  counts: fc.array(oddNumber, { minLength: 3 * COUNTS.length, maxLength: 3 * COUNTS.length }),
  short: fc.boolean(),
  ended: fc.subarray([RULE.id, 'orphan', 'never there']),
  level: oddNumber,
});

describe('the control path', () => {
  it('throws nothing and answers nothing odd, whatever it is told and however the clock jumps', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(odd, { minLength: 1, maxLength: 12 }), async (oddities) => {
        const sim = new SimulatedControl({ settings });
        await sim.pass(15, shop);
        let sequence = 0;
        for (const { jumpMs, lateMs, counts, short, ended, level } of oddities) {
          sim.nowMs += jumpMs;
          sequence += 1;
          const batch: ObservationBatch = {
            source: 'odd',
            sequence,
            atMs: Math.floor(sim.nowMs / 1_000) * 1_000 - lateMs,
            stepMs: 1_000,
            added: infos,
            classes: [RULE.id, 'orphan', 'own parent'],
            counts: Float64Array.from(short ? counts.slice(0, 7) : counts),
            ended,
          };
          sim.control.observe(batch);
          const sample = { classId: 'signal:shop/a/cpu', atMs: batch.atMs, value: level };
          sim.control.loop.put(sample, { id: sample.classId, kind: 'signal' }, sim.nowMs);
          sim.control.turn();
          await sim.pass(1, shop);
        }
        const there = (await sim.ask('classes', { offset: 0, limit: 100 })).classes.map(({ id }) => id);
        expect(await wrongAnswers(sim, there)).toEqual([]);
        await sim.close();
      }),
      { numRuns: 12 },
    );
  }, 60_000);

  it('forecasts from where the clock is, after it was set back', async () => {
    const sim = new SimulatedControl({ settings, beginMs: BEGIN_MS + DAY_MS });
    await sim.pass(4 * 60, shop);
    sim.nowMs -= 2 * HOUR_MS;
    await sim.pass(5, shop);
    expect(sim.logged('the clock was set back')).toHaveLength(1);
    const { steps, flags } = await sim.predict(RULE.id, '1m');
    expect(flags).not.toContain('stale');
    expect(Math.abs((steps[0]?.atMs ?? NaN) - sim.nowMs)).toBeLessThanOrEqual(2 * MINUTE_MS);
    expect(steps[0]?.mean).toBeGreaterThan(5);
    await sim.close();
  });

  it('bounds its classes: further ones are counted together, and take the place of those long idle', async () => {
    const many = Array.from({ length: 30 }, (_, index): ClassInfo => ({ id: `r${index}`, kind: 'rule' }));
    const sim = new SimulatedControl({
      settings: 'history:\n  max_classes: 10\n',
      classes: many,
      maxClasses: 10,
    });
    const all = Object.fromEntries(many.map(({ id }) => [id, () => 60]));
    await sim.pass(3, all);
    expect(sim.last.tracked).toBeLessThanOrEqual(11);
    const { total } = await sim.ask('classes', { offset: 0, limit: 100 });
    expect(total).toBe(11);
    const other = await sim.ask('series', { classId: 'other', figure: 'arrivals', resolutionMs: 60_000 });
    expect(other.values.at(-1)).toBe(20 * 60);
    // The first ten fall silent, and one that was not there yet comes.
    const late: ClassInfo = { id: 'late', kind: 'rule' };
    for (let minute = 0; minute < 12; minute += 1) sim.passOne({});
    sim.control.observe({ ...sim.batch(sim.nowMs, { late: 7 }), added: [late] });
    await sim.pass(2, { late: () => 60 });
    expect((await sim.ask('classes', { offset: 0, limit: 100, search: 'late' })).total).toBe(1);
    expect((await sim.predict('late', '1m')).source).not.toBe('none');
    expect(sim.last.tracked).toBeLessThanOrEqual(11);
    await sim.close();
  });

  it('forgets a class that ended, and goes on with it when it comes again', async () => {
    const sim = new SimulatedControl({ settings });
    await sim.pass(70, shop);
    sim.control.observe({ ...sim.batch(sim.nowMs, {}), ended: [RULE.id] });
    await sim.pass(1, { [SERVICE.id]: daily });
    expect(sim.last.tracked).toBe(1);
    const again = { ...sim.batch(sim.nowMs, { [RULE.id]: 5 }), added: [RULE] };
    sim.control.observe(again);
    const { warm, steps } = await sim.predict(RULE.id, '1m');
    expect(warm).toBe(true);
    expect(steps).toHaveLength(1);
    await sim.close();
  });
});
