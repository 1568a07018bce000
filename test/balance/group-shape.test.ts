import fc from 'fast-check';
import { fitRow, groupShape } from '../../src/balance/share/group-shape';
import { roundRow, SHARE_UNIT } from '../../src/balance/share/whole-row';
import type { TrafficTarget } from '../../src/core/traffic';
import { target } from './traffic-samples';

const backup = (weight: number, maxShare = 1) => target('s', weight, { backup: true, maxShare });

describe('the configured shares', () => {
  test.each<[string, readonly TrafficTarget[], readonly number[]]>([
    ['go by weights of any unit', [target('a', 300), target('b', 100)], [0.75, 0.25]],
    ['are alike without weights', [target('a', 0), target('b', 0)], [0.5, 0.5]],
    ['take no weight that is none', [target('a', NaN), target('b', -3), target('c', 5)], [0, 0, 1]],
    ['hold for weights without end', [target('a', 1e308), target('b', 1e308)], [0.5, 0.5]],
    ['leave backups out', [target('a', 1), backup(9)], [1, 0]],
    ['have no backups where all are', [backup(1), backup(3)], [0.25, 0.75]],
    ['keep greatest shares', [target('a', 9, { maxShare: 0.6 }), target('b', 1)], [0.6, 0.4]],
    ['give backups what greatest shares leave', [target('a', 1, { maxShare: 0.6 }), backup(0)], [0.6, 0.4]],
    [
      'keep greatest shares that just make 1',
      [target('a', 1, { maxShare: 0.3 }), target('b', 1, { maxShare: 0.7 })],
      [0.3, 0.7],
    ],
    [
      'give greatest shares up that cannot be kept',
      [target('a', 3, { maxShare: 0.1 }), target('b', 1, { maxShare: 0.1 })],
      [0.75, 0.25],
    ],
  ])('%s', (_, targets, shares) => {
    const { base } = groupShape(targets, 0.01);
    for (const [t, share] of shares.entries()) expect(base[t]).toBeCloseTo(share, 7);
  });

  test.each<[string, number, readonly TrafficTarget[], readonly number[]]>([
    ['is the floor', 0.01, [target('a'), target('b')], [0.01, 0.01]],
    ['is the configured share where that is less', 0.1, [target('a', 99), target('b', 1)], [0.1, 0.01]],
    ['is none for backups and for weight 0', 0.1, [target('a'), target('b', 0), backup(1)], [0.1, 0, 0]],
  ])('the least share %s', (_, floor, targets, lows) => {
    const { low } = groupShape(targets, floor);
    for (const [t, least] of lows.entries()) expect(low[t]).toBeCloseTo(least, 7);
  });
});

describe('rows', () => {
  const row = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 50 });

  test('are rounded so that any order of summing gives 1', () => {
    fc.assert(
      fc.property(row, (weights) => {
        const sum = weights.reduce((all, one) => all + one, 0);
        if (!(sum > 0)) return;
        const shares = Float64Array.from(weights, (one) => one / sum);
        const before = shares.slice();
        roundRow(shares, new Float64Array(shares.length), new Float64Array(shares.length).fill(1));
        const add = (all: number, one: number) => all + one;
        expect([shares.reduce(add, 0), shares.reduceRight(add, 0)]).toEqual([1, 1]);
        const most = SHARE_UNIT * (shares.length + 1);
        shares.forEach((share, t) => expect(Math.abs(share - (before[t] ?? 0))).toBeLessThanOrEqual(most));
      }),
    );
  });

  test('are fitted in proportion, within bounds', () => {
    const shape = groupShape([target('a'), target('b'), target('c', 1, { maxShare: 0.4 })], 0.1);
    const fitted = Float64Array.of(0, 0.2, 0.8);
    fitRow(fitted, shape);
    for (const [t, share] of [0.1, 0.5, 0.4].entries()) expect(fitted[t]).toBeCloseTo(share, 7);
  });
});
