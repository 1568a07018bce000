import { spreadClass } from '../../src/balance/share/class-spread';
import { groupShape } from '../../src/balance/share/group-shape';
import type { TrafficTarget } from '../../src/core/traffic';
import { target } from './traffic-samples';

const INF = Infinity;

interface Case {
  readonly name: string;
  readonly targets: readonly TrafficTarget[];
  readonly demand: number;
  /** What each can take. */
  readonly left: readonly number[];
  readonly weight?: readonly number[];
  /** What each gets, and the part nobody can take. */
  readonly gets: readonly number[];
  readonly short?: number;
}

const three = [target('a'), target('b'), target('c')];
const backup = target('s', 1, { backup: true, maxShare: 0.25 });

const CASES: readonly Case[] = [
  {
    name: 'a greatest share is kept',
    targets: [target('a'), target('b', 1, { maxShare: 0.4 }), target('c')],
    demand: 90,
    left: [0, 80, 20],
    gets: [0, 36, 54],
    short: 33.1 / 90,
  },
  { name: 'all by their weights', targets: three, demand: 90, left: [50, 50, 50], gets: [30, 30, 30] },
  {
    name: 'one is cut to what it can take',
    targets: three,
    demand: 90,
    left: [10, 50, 50],
    gets: [10, 40, 40],
  },
  {
    name: 'a surplus goes by what is left',
    targets: three,
    demand: 90,
    left: [10, 40, 60],
    gets: [10, 35, 45],
  },
  {
    name: 'one without an end takes it',
    targets: three,
    demand: 90,
    left: [10, 30, INF],
    gets: [10, 30, 50],
  },
  {
    name: 'two without an end by their weights',
    targets: three,
    demand: 90,
    left: [0, INF, INF],
    weight: [0, 10, 20],
    gets: [0, 30 + 10, 30 + 20],
  },
  {
    name: 'a greatest share leaves little room',
    targets: [target('a'), target('b', 1, { maxShare: 0.4 }), target('c')],
    demand: 90,
    left: [0, 80, 80],
    gets: [0, 33.2, 56.8],
  },
  {
    name: 'a backup gets only the surplus',
    targets: [target('a'), target('b'), backup],
    demand: 80,
    left: [40, 30, 90],
    gets: [40, 30, 10],
  },
  {
    name: 'a backup is not used while others have room',
    targets: [target('a'), target('b'), backup],
    demand: 80,
    left: [20, 70, 90],
    gets: [20, 60, 0],
  },
  {
    name: 'what is too much goes by what all can take',
    targets: three,
    demand: 200,
    left: [20, 40, 40],
    gets: [40, 80, 80],
    short: 0.5,
  },
  {
    name: 'what is too much goes to a backup up to its greatest share',
    targets: [target('a'), target('b'), backup],
    demand: 200,
    left: [20, 20, 60],
    gets: [75, 75, 50],
    short: 110 / 200,
  },
  {
    name: 'nobody can take anything: by the weights',
    targets: [target('a', 3), target('b', 1)],
    demand: 40,
    left: [0, 0],
    gets: [30, 10],
    short: 39.6 / 40,
  },
  {
    name: 'weight 0 gets nothing',
    targets: [target('a'), target('b', 0)],
    demand: 40,
    left: [10, 90],
    gets: [40, 0],
    short: 0.75,
  },
];

test.each(CASES)('$name', ({ targets, demand, left, weight, gets, short }) => {
  const shape = groupShape(targets, 0.01);
  const row = new Float64Array(targets.length);
  const finite = left.map((each) => (each === INF ? demand : each));
  const room = { left: Float64Array.from(left), weight: Float64Array.from(weight ?? finite) };
  const missing = spreadClass(demand, shape, room, row);
  const floors = left.some((each) => each === 0) ? 0.011 * demand : 1e-6 * demand;
  for (const [t, amount] of gets.entries()) {
    expect(Math.abs((row[t] ?? NaN) * demand - amount)).toBeLessThanOrEqual(floors);
  }
  expect(row.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 8);
  expect(Math.abs(missing - (short ?? 0))).toBeLessThan(0.011);
});

test('takes what it gives from what is left for the next class', () => {
  const shape = groupShape(three, 0.01);
  const room = { left: Float64Array.of(10, 60, INF), weight: Float64Array.of(10, 60, 30) };
  spreadClass(60, shape, room, new Float64Array(3));
  expect(room.left[0]).toBe(0);
  expect(room.left[1]).toBeLessThan(40);
  expect(room.left[2]).toBe(INF);
});
