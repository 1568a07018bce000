/** What members were asked for, over all processes. */
import { DemandTap } from '../../../src/app/control/demand-tap';
import { COUNTS, type ObservationBatch } from '../../../src/core/observation';

const ALL = (): boolean => true;

function batch(
  source: string,
  rows: Readonly<Record<string, readonly number[]>>,
  stepMs = 1_000,
): ObservationBatch {
  const classes = Object.keys(rows);
  const counts = Float64Array.from(classes.flatMap((id) => rows[id] ?? []));
  expect(counts).toHaveLength(classes.length * COUNTS.length);
  return { source, sequence: 1, atMs: 0, stepMs, added: [], classes, counts };
}

describe('demand over all processes', () => {
  it('is not known before anybody told of it, and nothing once somebody told of others only', () => {
    const tap = new DemandTap();
    tap.forgetSilent(0);
    expect(tap.ratesOf('a').demandPerS).toBeNaN();
    tap.note(batch('one', { b: [1, 1, 0, 0, 1] }), ALL, 0);
    tap.forgetSilent(0);
    expect(tap.ratesOf('a')).toEqual({ demandPerS: 0, admittedPerS: 0, deniedPerS: 0, queuedPerS: 0 });
  });

  it('is the sum of the newest step of each, in tokens a second', () => {
    const tap = new DemandTap();
    tap.note(batch('one', { a: [99, 99, 0, 0, 99] }), ALL, 0);
    tap.note(batch('one', { a: [10, 6, 4, 2, 30] }), ALL, 1_000);
    tap.note(batch('two', { a: [4, 4, 0, 0, 4] }, 2_000), ALL, 1_000);
    expect(tap.ratesOf('a')).toEqual({ demandPerS: 32, admittedPerS: 20, deniedPerS: 12, queuedPerS: 2 });
  });

  it('forgets who has gone silent, and then knows nothing', () => {
    const tap = new DemandTap();
    tap.note(batch('one', { a: [10, 10, 0, 0, 10] }), ALL, 0);
    tap.note(batch('two', { a: [5, 5, 0, 0, 5] }), ALL, 3_000);
    tap.forgetSilent(4_500);
    expect(tap.ratesOf('a').demandPerS).toBe(5);
    tap.forgetSilent(9_000);
    expect(tap.ratesOf('a').demandPerS).toBeNaN();
  });

  it('keeps only classes of members, and so many processes', () => {
    const tap = new DemandTap();
    tap.note(batch('one', { a: [1, 1, 0, 0, 1], b: [7, 7, 0, 0, 7] }), (id) => id === 'a', 0);
    expect(tap.ratesOf('b').demandPerS).toBe(0);
    for (let at = 0; at < 2_000; at += 1) tap.note(batch(`s${at}`, { a: [1, 1, 0, 0, 1] }), ALL, 0);
    expect(tap.ratesOf('a').demandPerS).toBe(1_000);
  });
});
