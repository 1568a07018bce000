/** The allocator as a library: a total shared by priority, services that come and go, and a run that goes on until it is told. */
import fc from 'fast-check';
import { AllocationController } from '../../../src/app/library/allocation-controller';
import type { AllocationService, ServiceObservation } from '../../../src/app/library/allocation-types';
import { smallModel, wildModel } from '../training/model-parts';
import { PRIORITIES } from '../../../src/core/priority';

const START = 1_767_571_200_000;
const SERVICES: readonly AllocationService[] = [
  { name: 'checkout', priority: 'CRITICAL', share: 0.4, guaranteePerS: 100 },
  { name: 'reports', priority: 'LOW', share: 0.6 },
];

const asked = (service: string, demandPerS: number): ServiceObservation => ({
  ...{ service, demandPerS, admittedPerS: demandPerS, deniedPerS: 0, tokens: 0 },
});

/** Steps a controller a second at a time. @returns the last step's rates by service. */
function stepped(
  controller: AllocationController,
  seconds: number,
  seen: readonly ServiceObservation[],
  fromMs = START,
): Readonly<Record<string, number>> {
  let rates: Record<string, number> = {};
  for (let second = 0; second < seconds; second += 1) {
    const { allocations } = controller.step(fromMs + second * 1_000, seen);
    rates = Object.fromEntries(allocations.map(({ service, ratePerS }) => [service, ratePerS]));
  }
  return rates;
}

const controllerOf = (over: object = {}): AllocationController =>
  new AllocationController({ totalPerS: 1_000, services: SERVICES, intervalMs: 10_000, ...over });

test('gives a service that asks for more what another does not need, the more important one first', () => {
  const rates = stepped(controllerOf(), 120, [asked('checkout', 900), asked('reports', 900)]);
  expect(rates['checkout']!).toBeGreaterThan(700);
  expect(rates['checkout']! + rates['reports']!).toBeCloseTo(1_000, 3);
  const other = stepped(controllerOf(), 120, [asked('checkout', 50), asked('reports', 700)]);
  expect(other['reports']!).toBeGreaterThanOrEqual(700);
});

test('says why, and who decides', () => {
  const controller = controllerOf();
  expect(controller.view()).toMatchObject({ level: 'configured', last: null, model: null });
  stepped(controller, 30, [asked('checkout', 900), asked('reports', 900)]);
  const view = controller.view();
  expect(view).toMatchObject({ level: 'last', services: ['checkout', 'reports'], learningMode: 'shadow' });
  expect(view.why).toContain('nothing is foreseen');
  expect(view.last?.allocations.map(({ why }) => why)).not.toContain('');
  const forecast = { madeAtMs: START + 30_000, meanPerS: 900, upperPerS: 950 };
  stepped(controller, 40, [{ ...asked('checkout', 900), forecast }, asked('reports', 900)], START + 30_000);
  expect(controller.view()).toMatchObject({ level: 'forecast', why: 'there is no model' });
});

test('without a word of any service all have what they are configured for', () => {
  const controller = controllerOf();
  stepped(controller, 60, [asked('checkout', 900), asked('reports', 10)]);
  const rates = stepped(controller, 20, [], START + 60_000);
  expect(rates).toEqual({ checkout: 400, reports: 600 });
  expect(controller.view().level).toBe('configured');
});

test('services appear, vanish and change priority while it runs; what cannot be leaves all as it was', () => {
  const controller = controllerOf();
  const all = ['checkout', 'reports', 'search'].map((name) => asked(name, 900));
  stepped(controller, 60, all);
  expect(controller.view().unknownObservations).toBe(60);
  const [checkout, reports] = SERVICES as [AllocationService, AllocationService];
  const search: AllocationService = { name: 'search', priority: 'HIGH', share: 0.2 };
  controller.setServices([{ ...checkout, priority: 'LOW' }, search], START + 60_000);
  const rates = stepped(controller, 120, all, START + 60_000);
  expect(Object.keys(rates)).toEqual(['checkout', 'search']);
  expect(rates['search']!).toBeGreaterThan(rates['checkout']!);
  expect(() => controller.setServices([search, search], START)).toThrow(/one name/);
  expect(controller.view().services).toEqual(['checkout', 'search']);
  controller.setServices([reports], START + 180_000);
  expect(stepped(controller, 1, all, START + 180_000)).toHaveProperty('reports');
  controller.setServices([], START + 181_000);
  expect(stepped(controller, 1, all, START + 181_000)).toEqual({});
});

test('whatever it is told, the rates are within the total and the bounds', () => {
  const figure = fc.oneof(fc.double(), fc.double({ min: 0, max: 5_000 }), fc.constant(undefined));
  const service = fc.record({
    priority: fc.constantFrom(...PRIORITIES),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    guaranteePerS: fc.double({ min: 0, max: 2_000, noNaN: true }),
  });
  const told = fc.array(fc.record({ demandPerS: figure, admittedPerS: figure, tokens: figure }), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(
      fc.array(service, { minLength: 1, maxLength: 4 }),
      fc.array(fc.tuple(fc.double({ min: -1e5, max: 1e5 }), told), { minLength: 1, maxLength: 30 }),
      (services, steps) => {
        const named = services.map((one, at) => ({ ...one, name: `s${at}`, maxPerS: 800 }));
        const controller = controllerOf({ services: named });
        for (const [stepMs, rows] of steps) {
          const seen = rows.map((row, at) => ({ service: `s${at}`, ...row }) as ServiceObservation);
          const { allocations } = controller.step(START + stepMs, seen);
          const sum = allocations.reduce((all, { ratePerS }) => all + ratePerS, 0);
          expect(sum).toBeLessThanOrEqual(1_000 * (1 + 1e-9));
          for (const { ratePerS } of allocations) expect(ratePerS).toBeLessThanOrEqual(800);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test.each<[string, object, RegExp]>([
  ['no total', { totalPerS: 0 }, /totalPerS/],
  ['a total that is none', { totalPerS: NaN }, /totalPerS/],
  ['an interval off the tick', { intervalMs: 1_500 }, /intervalMs/],
  ['an unknown mode', { learningMode: 'maybe' }, /learningMode/],
  ['a nameless service', { services: [{ name: '', priority: 'LOW' }] }, /name/],
  ['a service twice', { services: [SERVICES[0], SERVICES[0]] }, /one name/],
  ['an unknown priority', { services: [{ name: 'a', priority: 'TOP' }] }, /CRITICAL/],
  ['a share over 1', { services: [{ name: 'a', priority: 'LOW', share: 2 }] }, /share/],
  ['a negative guarantee', { services: [{ name: 'a', priority: 'LOW', guaranteePerS: -1 }] }, /guarantee/],
  [
    'a minimum over the maximum',
    { services: [{ name: 'a', priority: 'LOW', minPerS: 2, maxPerS: 1 }] },
    /maxPerS/,
  ],
])('refuses %s', (_, over, message) => {
  expect(() => controllerOf(over)).toThrow(
    expect.objectContaining({
      code: 'TG_ALLOCATION_INVALID',
      message: expect.stringMatching(message) as string,
    }) as Error,
  );
});

describe('a continuous run', () => {
  test('takes what is pushed, tells of each step before the next, and ends with the source', async () => {
    const controller = controllerOf();
    let atMs = START;
    const told: string[] = [];
    async function* source(): AsyncGenerator<readonly ServiceObservation[]> {
      for (let step = 0; step < 3; step += 1) {
        atMs += 1_000;
        told.push(`seen ${step}`);
        yield [asked('checkout', 500)];
      }
    }
    await controller.run(source(), async ({ decision }) => void told.push(`at ${decision.atMs - START}`), {
      nowMs: () => atMs,
    });
    expect(told).toEqual(['seen 0', 'at 1000', 'seen 1', 'at 2000', 'seen 2', 'at 3000']);
  });

  test('ends at once when the signal comes while it waits, and tells the source', async () => {
    const stopped = new AbortController();
    let left = false;
    const source: AsyncIterable<readonly ServiceObservation[]> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: async () => {
          left = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const run = controllerOf().run(source, () => undefined, { signal: stopped.signal });
    stopped.abort();
    await run;
    expect(left).toBe(true);
  });

  test('asks once a tick by the clock, and rejects with what asking fails of', async () => {
    const controller = controllerOf({ tickMs: 10, intervalMs: 100 });
    let times = 0;
    const ask = (): readonly ServiceObservation[] => {
      if ((times += 1) > 5) throw new Error('the counters are gone');
      return [asked('checkout', 100)];
    };
    let steps = 0;
    await expect(controller.run(ask, () => void (steps += 1))).rejects.toThrow('the counters are gone');
    expect(steps).toBe(5);
  });
});

describe('with a model', () => {
  const model = wildModel(3, 10);
  /** What it does over some intervals, with forecasts that are fresh. */
  const run = (over: object): { controller: AllocationController; rates: readonly number[] } => {
    const controller = controllerOf({ preciseMs: () => 0, ...over });
    const rates: number[] = [];
    for (let second = 0; second < 90; second += 1) {
      const atMs = START + second * 1_000;
      const forecast = { madeAtMs: atMs, meanPerS: 700, upperPerS: 750 };
      const told = ['checkout', 'reports'].map((name) => ({ ...asked(name, 700), forecast }));
      const { allocations } = controller.step(atMs, told);
      for (const { ratePerS } of allocations) rates.push(ratePerS);
      expect(allocations.reduce((sum, { ratePerS }) => sum + ratePerS, 0)).toBeLessThan(1_000.001);
    }
    return { controller, rates };
  };

  test('in shadow its advice changes nothing; active it is followed, and it says what it changed', () => {
    const without = run({});
    const shadow = run({ model: JSON.stringify(model) });
    expect(shadow.rates).toEqual(without.rates);
    expect(shadow.controller.view().level).toBe('forecast');
    expect(shadow.controller.view().why).toMatch(/^learning is shadow/);
    const active = run({ model, learningMode: 'active' });
    const { level, why, last } = active.controller.view();
    expect([level, why]).toEqual(['ppo', '']);
    expect(active.rates).not.toEqual(without.rates);
    expect(last?.allocations[0]?.why).toMatch(/the model counts \d\.\d\d times its demand/);
    expect(active.controller.view().model).toBe(shadow.controller.view().model);
  });

  test('a model that takes too long is not followed', () => {
    let atMs = 0;
    const { controller } = run({ model, learningMode: 'active', preciseMs: () => (atMs += 30) });
    expect(controller.view().level).toBe('forecast');
    expect(controller.view().why).toMatch(/advice took 30\.0 ms/);
  });

  test('a model that has never seen the like is not followed', () => {
    const { controller, rates } = run({ model: wildModel(3), learningMode: 'active' });
    expect(controller.view().level).toBe('forecast');
    expect(controller.view().why).toMatch(/beyond what it was trained on/);
    expect(rates).toEqual(run({}).rates);
  });

  test.each([
    ['text that is no JSON', 'nope', 'TG_LEARN_BAD_MODEL'],
    ['a model that was changed', { ...model, observationClip: 3 }, 'TG_LEARN_BAD_MODEL'],
    ['a model of something else', smallModel(1), 'TG_LEARN_OTHER_MODEL'],
  ])('refuses %s', (_, wrong, code) => {
    expect(() => controllerOf({ model: wrong })).toThrow(expect.objectContaining({ code }) as Error);
    expect(controllerOf({ model: wrong, learningMode: 'off' }).view().model).toBeNull();
  });
});
