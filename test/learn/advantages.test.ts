/** Generalised advantage estimation, against cases solved by hand. */
import { advantages, standardise } from '../../src/learn/ppo/advantage';

interface Case {
  readonly name: string;
  readonly rewards: readonly number[];
  readonly values: readonly number[];
  readonly terminated: boolean;
  readonly discount: number;
  readonly traceDecay: number;
  readonly expected: readonly number[];
}

const cases: readonly Case[] = [
  {
    name: 'one step that ends it all',
    rewards: [1],
    values: [0.25, 100],
    terminated: true,
    discount: 0.9,
    traceDecay: 0.95,
    expected: [0.75],
  },
  {
    name: 'one step that is cut off: what would come counts',
    rewards: [1],
    values: [0.25, 100],
    terminated: false,
    discount: 0.9,
    traceDecay: 0.95,
    expected: [1 + 90 - 0.25],
  },
  {
    name: 'lambda 0: one-step surprises',
    rewards: [1, 2, 3],
    values: [4, 5, 6, 7],
    terminated: false,
    discount: 0.5,
    traceDecay: 0,
    expected: [1 + 2.5 - 4, 2 + 3 - 5, 3 + 3.5 - 6],
  },
  {
    name: 'lambda 1: discounted returns less values',
    rewards: [1, 2, 3],
    values: [4, 5, 6, 8],
    terminated: false,
    discount: 0.5,
    traceDecay: 1,
    expected: [1 + 1 + 0.75 + 1 - 4, 2 + 1.5 + 2 - 5, 3 + 4 - 6],
  },
  {
    name: 'lambda 1, ended',
    rewards: [1, 2, 3],
    values: [4, 5, 6, 8],
    terminated: true,
    discount: 0.5,
    traceDecay: 1,
    expected: [1 + 1 + 0.75 - 4, 2 + 1.5 - 5, 3 - 6],
  },
  {
    name: 'between the two',
    rewards: [1, 2],
    values: [0, 0, 10],
    terminated: false,
    discount: 0.5,
    traceDecay: 0.5,
    expected: [1 + 0.25 * 7, 7],
  },
  {
    name: 'no discount, no value: all rewards to come',
    rewards: [1, 1, 1, 1],
    values: [0, 0, 0, 0, 0],
    terminated: true,
    discount: 1,
    traceDecay: 1,
    expected: [4, 3, 2, 1],
  },
  {
    name: 'discount 0: only what comes at once',
    rewards: [1, 2],
    values: [3, 4, 5],
    terminated: false,
    discount: 0,
    traceDecay: 1,
    expected: [-2, -2],
  },
  {
    name: 'a critic that is right leaves nothing to be surprised at',
    rewards: [1, 1, 1],
    values: [3, 2, 1, 99],
    terminated: true,
    discount: 1,
    traceDecay: 0.7,
    expected: [0, 0, 0],
  },
  { name: 'no step', rewards: [], values: [1], terminated: false, discount: 1, traceDecay: 1, expected: [] },
];

describe('advantages', () => {
  test.each(cases)('$name', ({ rewards, values, terminated, discount, traceDecay, expected }) => {
    const into = new Float64Array(expected.length + 2).fill(-7);
    const settings = { discount, traceDecay };
    advantages(Float64Array.from(rewards), Float64Array.from(values), terminated, settings, into, 1);
    expected.forEach((advantage, step) => expect(into[step + 1]).toBeCloseTo(advantage, 12));
    expect([into[0], into.at(-1)]).toEqual([-7, -7]);
  });
});

describe('standardised figures', () => {
  test('have mean 0 and deviation 1', () => {
    const figures = Float64Array.of(1, 2, 3, 6);
    standardise(figures);
    expect(figures.reduce((sum, figure) => sum + figure, 0)).toBeCloseTo(0, 10);
    expect(figures.reduce((sum, figure) => sum + figure ** 2, 0) / 4).toBeCloseTo(1, 6);
  });

  test.each([[[]], [[5]], [[2, 2, 2]]])('of %j are 0 where nothing differs', (given) => {
    const figures = Float64Array.from(given);
    standardise(figures);
    expect([...figures]).toEqual(given.map(() => 0));
  });
});
