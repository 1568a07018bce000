/** A scenario of what was seen, and histories that are too short to be one. */
import {
  historyScenario,
  type HistoryMember,
  type PoolHistory,
} from '../../../src/app/training/history-scenario';
import { trainingPlan, trainingScenario } from '../../../src/app/training/training-plan';
import { partDemand } from '../../../src/simulate/demand';
import { proportional } from '../../../src/simulate/policy/shares';

const DAY = 1_440;

function member(name: string, days: number, rate: number, over: Partial<HistoryMember> = {}): HistoryMember {
  const perMinute = Float64Array.from({ length: days * DAY }, (_, at) => rate * (1 + Math.sin(at / 200) / 2));
  return {
    ...{ name, priority: 'HIGH', nominalPerS: 50, guaranteePerS: 5, queueLimitMs: 0, perMinute },
    ...over,
  };
}

const pool = (members: readonly HistoryMember[], over: Partial<PoolHistory> = {}): PoolHistory => ({
  ...{ members, totalPerS: 100, intervalMs: 10_000, tickMs: 1_000, lending: true },
  ...over,
});

test('takes the last whole days, demand by what was asked and shares of the total by what is configured', () => {
  const scenario = historyScenario(
    pool([member('a', 3.5, 30, { nominalPerS: 20 }), member('b', 3.5, 10, { nominalPerS: 60 })]),
    7,
  );
  expect(scenario).toMatchObject({ seed: 7, trainDays: 3, testDays: 0, intervalMs: 10_000, tickMs: 1_000 });
  expect(scenario.services.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(scenario.services.map(({ share }) => Number(share.toFixed(2)))).toEqual([0.75, 0.25]);
  expect([...proportional(scenario.services, 100)]).toEqual([25, 75]);
});

test('members of which little is known, or nothing was asked, are left out; the heaviest of very many are kept', () => {
  const unknown = member('gaps', 3, 10, { perMinute: new Float64Array(3 * DAY).fill(NaN) });
  const idle = member('idle', 3, 0);
  const many = Array.from({ length: 70 }, (_, at) => member(`m${at}`, 2, at + 1));
  const names = historyScenario(pool([unknown, idle, ...many]), 1).services.map(({ name }) => name);
  expect(names).toHaveLength(64);
  expect(names[0]).toBe('m69');
  expect(names).not.toContain('gaps');
});

test.each<[string, readonly HistoryMember[], RegExp]>([
  ['no members', [], /0\.0 days/],
  ['less than two days', [member('a', 1.9, 5), member('b', 1.9, 5)], /1\.9 days.*2 at least/],
  ['one member', [member('a', 3, 5)], /1 members/],
  ['nothing asked', [member('a', 3, 0), member('b', 3, 0)], /0 members/],
  [
    'one that came yesterday',
    [member('a', 3, 5), member('b', 3, 5, { perMinute: new Float64Array(DAY).fill(4) })],
    /1 members/,
  ],
])('%s is too little, and says how much it takes', (_, members, message) => {
  expect(() => historyScenario(pool(members), 1)).toThrow(
    expect.objectContaining({
      code: 'TG_LEARN_TOO_LITTLE_HISTORY',
      message: expect.stringMatching(message) as string,
    }) as Error,
  );
});

test('the days held out are the last of the train days, and nothing of the test days is in a training', () => {
  const whole = historyScenario(pool([member('a', 4, 30), member('b', 4, 10)]), 7);
  const trace = whole.services[0]!.trace;
  const scenario = { ...whole, trainDays: 3, testDays: 1 };
  const training = trainingScenario(scenario);
  expect(training.trainDays + training.testDays).toBeCloseTo(3);
  expect(training.services[0]!.trace).toEqual(trace.slice(0, 3 * DAY));
  const held = partDemand(training, 'test')[0]!;
  expect(held).toHaveLength(Math.round(training.testDays * DAY));
  expect(() => trainingScenario({ ...scenario, trainDays: 1.5 })).toThrow(/1\.5 days.*2 at least/);
});

test.each([
  [100, 1_000],
  [1_000, 1_000],
  [7_000, 7_500],
  [10_000, 10_000],
])('a tick of %i ms becomes %i: a whole part of a minute', (given, tickMs) => {
  const scenario = historyScenario(pool([member('a', 2, 5), member('b', 2, 5)], { tickMs: given }), 1);
  expect(scenario.tickMs).toBe(tickMs);
  expect(scenario.intervalMs % tickMs).toBe(0);
});

test('the number of updates follows from the budget and what is simulated, and looks take a small part of it', () => {
  const of = (budgetMs: number, services: number, tickMs: number): { updates: number; looks: number } => {
    const names = Array.from({ length: services }, (_, at) => member(`m${at}`, 3, at + 1));
    const { settings, scoreEvery } = trainingPlan(
      historyScenario(pool(names, { tickMs, intervalMs: 60_000 }), 1),
      { budgetMs },
    );
    return { updates: settings.updates, looks: Math.round(settings.updates / scoreEvery) };
  };
  const usual = of(600_000, 8, 1_000);
  expect(usual.updates).toBeGreaterThan(100);
  expect(of(60_000, 8, 1_000).updates).toBeLessThan(usual.updates / 5);
  expect(of(600_000, 32, 1_000).updates).toBeLessThan(usual.updates / 3);
  expect(of(600_000, 8, 10_000).updates).toBeGreaterThan(usual.updates);
  expect(of(60_000, 8, 1_000).looks).toBeLessThan(usual.looks);
});
