import fc from 'fast-check';
import { Consumption, type ConsumptionOptions } from '../../../src/forecast/resource/consumption';
import { seededRandom } from '../../../src/forecast/numeric/random';

const OPTIONS: ConsumptionOptions = { classesMax: 8, memorySteps: 2000, priorSteps: 2, given: new Map() };

/** A host whose use is made of costs, an idle base and noise. */
function taught(
  options: Partial<ConsumptionOptions>,
  costs: Readonly<Record<string, number>>,
  { steps = 1500, idle = 5, noise = 2, seed = 1, missing = 0 } = {},
): Consumption {
  const random = seededRandom(seed);
  const learner = new Consumption({ ...OPTIONS, ...options });
  for (let step = 0; step < steps; step += 1) {
    const counts = new Map(Object.keys(costs).map((id) => [id, 1 + Math.floor(100 * random.next())]));
    let use = idle + noise * random.normal();
    for (const [id, count] of counts) use += count * (costs[id] ?? 0);
    learner.observe(counts, random.next() < missing ? NaN : Math.max(0, use));
  }
  return learner;
}

describe('the cost of a request', () => {
  it.each([
    ['all samples', 0],
    ['a third of the samples missing', 0.33],
  ])('is recovered under noise with %s', (_, missing) => {
    const learner = taught({}, { a: 0.5, b: 0.1, c: 2 }, { missing });
    expect(learner.costOf('a')).toBeCloseTo(0.5, 1);
    expect(learner.costOf('b')).toBeCloseTo(0.1, 1);
    expect(learner.costOf('c')).toBeCloseTo(2, 1);
    expect(Math.abs(learner.idleUse() - 5)).toBeLessThan(1.5);
    for (const { confidence } of learner.all().values()) expect(confidence).toBeGreaterThan(0.95);
  });

  it('is never negative nor not a figure, whatever is observed', () => {
    const figure = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -1, 0, 1e300));
    fc.assert(
      fc.property(fc.array(fc.tuple(figure, figure, figure), { maxLength: 30 }), (steps) => {
        const learner = new Consumption(OPTIONS);
        for (const [a, b, use] of steps)
          learner.observe(
            new Map([
              ['a', a],
              ['b', b],
            ]),
            use,
          );
        for (const value of [learner.costOf('a'), learner.costOf('b'), learner.idleUse()]) {
          expect(Number.isFinite(value) && value >= 0).toBe(true);
        }
      }),
    );
  });

  it('is shared by classes that only come together as the costs given say, and is not trusted', () => {
    const random = seededRandom(3);
    const learner = new Consumption({
      ...OPTIONS,
      given: new Map([
        ['a', 3],
        ['b', 1],
      ]),
    });
    for (let step = 0; step < 500; step += 1) {
      const count = 1 + Math.floor(50 * random.next());
      learner.observe(
        new Map([
          ['a', count],
          ['b', count],
        ]),
        8 * count,
      );
    }
    const sum = learner.costOf('a') + learner.costOf('b');
    expect(sum).toBeCloseTo(8, 1);
    expect(learner.costOf('a') - learner.costOf('b')).toBeCloseTo(2, 1);
    expect(learner.all().get('a')?.confidence).toBeLessThan(0.8);
  });

  it('is what is given before anything is seen', () => {
    const learner = new Consumption({ ...OPTIONS, given: new Map([['a', 3]]) });
    expect([learner.costOf('a'), learner.costOf('b'), learner.idleUse()]).toEqual([3, 0, 0]);
  });

  it('follows a change as the past fades', () => {
    const random = seededRandom(5);
    const learner = new Consumption({ ...OPTIONS, memorySteps: 50 });
    for (let step = 0; step < 1000; step += 1) {
      const count = Math.floor(100 * random.next());
      learner.observe(new Map([['a', count]]), count * (step < 500 ? 1 : 4));
    }
    expect(learner.costOf('a')).toBeCloseTo(4, 1);
  });

  it('tells only so many classes apart, and takes the others together', () => {
    const learner = taught({ classesMax: 2 }, { a: 1, b: 2, c: 3, d: 3 });
    expect([...learner.all().keys()]).toEqual(['a', 'b']);
    expect(learner.costOf('c')).toBeCloseTo(3, 1);
  });
});
