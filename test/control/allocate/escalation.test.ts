import { Escalation, type Fared } from '../../../src/control/allocate/escalation';
import { PRIORITY_WEIGHTS, priorityRank } from '../../../src/control/allocate/priority-weights';
import { PRIORITIES, type Priority } from '../../../src/core/priority';

const WELL: Fared = { askedPerS: 100, admittedPerS: 100, deniedPerS: 0, queuedPerS: 0, nominalPerS: 100 };
const SHORT: Fared = { ...WELL, admittedPerS: 50, deniedPerS: 50 };

function after(...fares: readonly (readonly [number, Fared])[]): Escalation {
  const escalation = new Escalation();
  for (const [ticks, fared] of fares) for (let t = 0; t < ticks; t += 1) escalation.tick(fared);
  return escalation;
}

describe('escalation', () => {
  it.each([
    ['stays for a few short ticks', after([4, SHORT]), 1],
    ['rises with repeated shortfalls', after([5, SHORT]), 1.5],
    ['starts anew after a good tick', after([4, SHORT], [1, WELL], [4, SHORT]), 1],
    ['is bounded', after([1_000, SHORT]), 4],
    ['decays when all is well', after([10, SHORT], [10, WELL]), 1.5],
    ['decays to nothing', after([1_000, SHORT], [1_000, WELL]), 1],
    [
      'is not for who gets what it was configured for',
      after([99, { ...SHORT, askedPerS: 200, admittedPerS: 100 }]),
      1,
    ],
    ['learns nothing where nothing is told', after([99, { ...SHORT, askedPerS: NaN }]), 1],
  ])('%s', (_name, escalation, factor) => expect(escalation.factor).toBe(factor));

  it('rises while a queue grows, though nothing is denied', () => {
    const escalation = new Escalation();
    for (let t = 1; t <= 5; t += 1) escalation.tick({ ...WELL, admittedPerS: 50, queuedPerS: 10 * t });
    expect(escalation.factor).toBe(1.5);
  });

  it('never lifts a priority over the next', () => {
    const most = after([1_000, SHORT]).factor;
    for (let p = 1; p < PRIORITIES.length; p += 1) {
      const [above, own] = [PRIORITIES[p - 1], PRIORITIES[p]] as [Priority, Priority];
      expect(PRIORITY_WEIGHTS[own] * most).toBeLessThan(PRIORITY_WEIGHTS[above]);
      expect(priorityRank(above)).toBeLessThan(priorityRank(own));
    }
  });

  test.each([
    [2, 2],
    [99, 4],
    [-1, 1],
    [0.5, 1],
    [NaN, 1],
  ])('goes on from step %p with %p', (step, factor) => {
    const escalation = new Escalation();
    escalation.restore(step);
    expect(escalation.factor).toBe(factor);
  });
});
