import fc from 'fast-check';
import { TotalGovernor } from '../../../src/control/health/total-governor';
import type { ServiceHealth } from '../../../src/core/control';

const T = 1_700_006_400_000;

function health(changes: Partial<ServiceHealth> = {}): ServiceHealth {
  return { service: 'a', cpu: 0.4, memory: 0.4, errorShare: 0, latencyMs: 80, ...changes };
}

/** One look a second. */
class Run {
  readonly governor = new TotalGovernor();
  second = 0;

  look(seconds: number, ...rows: readonly ServiceHealth[]): { totalPerS: number; why: string } {
    let total = { totalPerS: NaN, why: '' };
    for (let at = 0; at < seconds; at += 1) {
      total = this.governor.total(T + this.second * 1_000, 1_000, rows);
      this.second += 1;
    }
    return total;
  }
}

test('healthy services get the whole total, without a word', () => {
  expect(new Run().look(120, health(), health({ service: 'b' }))).toEqual({ totalPerS: 1_000, why: '' });
});

test.each<[string, Partial<ServiceHealth>, RegExp]>([
  ['response time', { latencyMs: 240 }, /a: response time 2\d\d ms, over the long term \d+\.?\d* ms/],
  ['CPU', { cpu: 0.97 }, /a: CPU 97 %, over 85 %/],
  ['memory', { memory: 0.95 }, /a: memory 95 %, over 90 %/],
  ['errors', { errorShare: 0.25 }, /a: errors 25 %, over 10 %/],
])('%s alone lowers it, to a bound, and says so; it comes back gradually', (_, ill, why) => {
  const run = new Run();
  run.look(60, health());
  const first = run.look(2, health(ill));
  expect(first.totalPerS).toBeGreaterThan(700);
  const lowered = run.look(20, health(ill));
  expect(lowered.totalPerS).toBeLessThan(first.totalPerS);
  expect(lowered.totalPerS).toBeGreaterThanOrEqual(600);
  expect(lowered.why).toMatch(/^total \d+\.\d of 1000\.0\/s \(\d+ %\): /);
  expect(lowered.why).toMatch(why);
  const soon = run.look(3, health()).totalPerS;
  expect(soon).toBeLessThan(1_000);
  expect(run.look(120, health())).toEqual({ totalPerS: 1_000, why: '' });
});

test('two figures that agree lower it to the floor and no further', () => {
  const run = new Run();
  run.look(60, health());
  expect(run.look(60, health({ cpu: 1, errorShare: 0.9 })).totalPerS).toBe(300);
  const other = new Run();
  const ill = { cpu: 1 };
  expect(other.look(60, health(ill), health({ service: 'b', ...ill })).totalPerS).toBe(300);
});

test('figures that are NaN or missing change nothing for a while, then are let go', () => {
  const run = new Run();
  run.look(30, health());
  const before = run.look(20, health({ cpu: 0.99 }));
  const unknown = health({ cpu: NaN, memory: NaN, errorShare: NaN, latencyMs: NaN });
  expect(run.look(10, unknown)).toEqual(before);
  expect(run.look(10)).toEqual(before);
  expect(run.look(80)).toEqual({ totalPerS: 1_000, why: '' });
});

test('a service that tells nothing, or the impossible, lowers nothing', () => {
  const impossible = health({ cpu: 7, memory: -1, errorShare: Infinity, latencyMs: -3 });
  expect(new Run().look(60, impossible)).toEqual({ totalPerS: 1_000, why: '' });
});

test('a response time that lowering the load does not cure is the usual one after some minutes', () => {
  const run = new Run();
  run.look(60, health());
  expect(run.look(30, health({ latencyMs: 200 })).totalPerS).toBe(600);
  expect(run.look(900, health({ latencyMs: 200 }))).toEqual({ totalPerS: 1_000, why: '' });
});

test('one absurd response time does not blind it', () => {
  const run = new Run();
  run.look(60, health());
  run.look(1, health({ latencyMs: 1e300 }));
  run.look(120, health());
  expect(run.look(30, health({ latencyMs: 400 })).totalPerS).toBeLessThan(900);
});

test('a jump of the clock counts for a few seconds, a step back for none', () => {
  const governor = new TotalGovernor();
  const ill = [health({ cpu: 1 })];
  governor.total(T, 1_000, ill);
  const jumped = governor.total(T + 86_400_000, 1_000, ill).totalPerS;
  expect(jumped).toBeCloseTo(1_000 * Math.max(0.6, 0.9 ** 5), 6);
  expect(governor.total(T, 1_000, ill).totalPerS).toBe(jumped);
});

test.each([NaN, -5, Infinity])('a configured total of %p is none', (configured) => {
  expect(new TotalGovernor().total(T, configured, []).totalPerS).toBe(0);
});

test('the total stays between the floor and what is configured, whatever is told', () => {
  const figure = fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.constantFrom(NaN, -1, 2, 1e300, Infinity),
  );
  const row = fc.record({
    service: fc.constantFrom('a', 'b', 'c'),
    cpu: figure,
    memory: figure,
    errorShare: figure,
    latencyMs: fc.oneof(figure, fc.double({ min: 0, max: 1e4, noNaN: true })),
  });
  const look = fc.record({
    nowMs: fc.oneof(fc.integer({ min: 0, max: 1e6 }), fc.constantFrom(NaN, -1, 1e15)),
    rows: fc.array(row, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(look, { minLength: 1, maxLength: 40 }), (looks) => {
      const governor = new TotalGovernor();
      for (const { nowMs, rows } of looks) {
        const { totalPerS, why } = governor.total(nowMs, 500, rows);
        expect(totalPerS).toBeGreaterThanOrEqual(150);
        expect(totalPerS).toBeLessThanOrEqual(500);
        expect(totalPerS < 500 && why === '').toBe(false);
      }
    }),
    { numRuns: 200 },
  );
});

test('goes on from what another knew, and what cannot be is cut to the bounds', () => {
  const first = new Run();
  first.look(60, health(), health({ service: 'b' }));
  const ill = [health({ latencyMs: 240, cpu: 0.97 }), health({ service: 'b', errorShare: 0.2 })];
  const lowered = first.look(20, ...ill);
  const second = new Run();
  second.second = first.second;
  second.governor.restore(first.governor.save());
  expect(second.look(1).totalPerS).toBeCloseTo(lowered.totalPerS, 6);
  first.look(1);
  expect(second.look(9, ...ill)).toEqual(first.look(9, ...ill));
  const forged = new Run();
  forged.governor.restore([['a', 1e300, -1, -1, -5, -5, 9, -5, 9, -5, 9]]);
  expect(forged.look(1).totalPerS).toBeCloseTo(300, 6);
  expect(forged.look(200, health())).toEqual({ totalPerS: 1_000, why: '' });
});
