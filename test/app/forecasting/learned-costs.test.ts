/** Costs of requests, learned from what a host or a service's instances used. */
import { LearnedCosts } from '../../../src/app/forecasting/learned-costs';
import { COUNTS, type ClassInfo, type ObservationBatch } from '../../../src/core/observation';
import { History } from '../../../src/history/history';
import { DEFAULT_RETENTION } from '../../../src/series/levels';
import { loaded } from '../../config/load';

const BEGIN_MS = Date.UTC(2026, 0, 5);
const RULES: readonly ClassInfo[] = [
  { id: 'cheap', kind: 'rule', service: 'shop', cost: { cpu: 0.02, memory: 0, io: 0, network: 60 } },
  { id: 'dear', kind: 'rule', service: 'shop' },
];
/** Two rules whose requests come and go differently. */
const rates = (step: number) => ({
  cheap: 40 + 30 * Math.sin(step / 7),
  dear: 20 + 15 * Math.cos(step / 11),
});

function batch(sequence: number, atMs: number, arrivals: Readonly<Record<string, number>>): ObservationBatch {
  const ids = Object.keys(arrivals);
  const counts = new Float64Array(ids.length * COUNTS.length);
  // Half of what arrives is denied: what is not admitted costs nothing.
  ids.forEach((id, row) => {
    const all = arrivals[id] ?? 0;
    counts.set([2 * all, all, all, 0, 2 * all], row * COUNTS.length);
  });
  const source = 'a';
  return { source, sequence, atMs, stepMs: 1_000, added: sequence === 1 ? RULES : [], classes: ids, counts };
}

const history = () =>
  new History(
    {
      retention: DEFAULT_RETENTION,
      flushMs: 10_000,
      classesMax: 100,
      lateMs: 30_000,
      memoryMaxBytes: 1e9,
      fileMaxBytes: 1e9,
    },
    BEGIN_MS,
  );

function learnedFrom(file: string, from = history()): LearnedCosts {
  return new LearnedCosts({ settings: loaded({ file }).settings.forecast, history: from, cores: 4 });
}

/** Within a fifth: what is given for a rule, and the idle base, are not forgotten within the hour. */
function expectNear(cost: number | undefined, wanted: number): void {
  expect(Math.abs((cost ?? 0) - wanted)).toBeLessThan(0.2 * wanted);
}

const all = { offset: 0, limit: 100 };

test('where nothing is to be learned, the costs of the settings hold', () => {
  const costs = learnedFrom('');
  costs.note(RULES);
  costs.observe(batch(1, BEGIN_MS, rates(0)));
  costs.turn(BEGIN_MS + 60_000);
  expect(costs.cost('cheap', 'cpu')).toBeUndefined();
  const { learnedFrom: from, costs: views, total } = costs.page(all);
  expect({ from, total, views: views.length }).toEqual({ from: 'off', total: 2, views: 8 });
  expect(views[0]).toEqual({
    classId: 'cheap',
    resource: 'cpu',
    set: 0.02,
    learned: null,
    confidence: null,
    perRequest: 0.02,
  });
  expect(() => costs.page({ ...all, classId: 'nobody' })).toThrow('there is no rule nobody');
});

test("costs are learned from the host's load, in cores and bytes, and replace those of the settings", () => {
  const costs = learnedFrom('forecast: {learn_costs: host}');
  costs.note(RULES);
  for (let step = 0; step < 3_000; step += 1) {
    const nowMs = BEGIN_MS + step * 1_000;
    const { cheap, dear } = rates(step / 10);
    costs.observe({
      ...batch(step + 1, nowMs, { cheap, dear }),
      host: {
        cpu: (0.3 + 0.01 * cheap + 0.03 * dear) / 4,
        memory: NaN,
        diskReadBytesPerS: 100 * dear,
        diskWriteBytesPerS: 200 * dear,
        networkReceivedBytesPerS: 1_000,
        networkSentBytesPerS: 50 * cheap,
        eventLoopDelayMs: 1,
      },
    });
    costs.turn(nowMs + 1_000);
  }
  expectNear(costs.cost('cheap', 'cpu'), 0.01);
  expectNear(costs.cost('dear', 'cpu'), 0.03);
  expectNear(costs.cost('dear', 'io'), 300);
  expectNear(costs.cost('cheap', 'network'), 50);
  // Memory could not be read.
  expect(costs.cost('cheap', 'memory')).toBeUndefined();
  const { costs: views } = costs.page({ ...all, classId: 'dear' });
  expect(views.find(({ resource }) => resource === 'cpu')).toMatchObject({
    set: null,
    perRequest: costs.cost('dear', 'cpu'),
  });
});

test('a rule that never varies by itself is not believed: its given cost holds', () => {
  const costs = learnedFrom('forecast: {learn_costs: host}');
  costs.note(RULES);
  for (let step = 0; step < 600; step += 1) {
    const nowMs = BEGIN_MS + step * 1_000;
    costs.observe({
      ...batch(step + 1, nowMs, { cheap: 10 }),
      host: {
        cpu: 0.1,
        memory: 0.5,
        diskReadBytesPerS: 0,
        diskWriteBytesPerS: 0,
        networkReceivedBytesPerS: 0,
        networkSentBytesPerS: 0,
        eventLoopDelayMs: 1,
      },
    });
    costs.turn(nowMs + 1_000);
  }
  const { costs: views } = costs.page({ ...all, classId: 'cheap' });
  expect(views[0]).toMatchObject({ resource: 'cpu', set: 0.02, perRequest: 0.02 });
});

test('costs are learned from the signals of all instances, also of the hours before a start', () => {
  const from = history();
  const rules = RULES.map(({ cost: _cost, ...info }) => info);
  const minutes = 240;
  for (let minute = 0; minute < minutes; minute += 1) {
    const atMs = BEGIN_MS + minute * 60_000;
    const { cheap, dear } = rates(minute);
    const admitted = { cheap: cheap * 60, dear: dear * 60 };
    from.take({ ...batch(minute + 1, atMs, admitted), added: minute === 0 ? rules : [] }, atMs + 500);
    const used = 0.2 + 0.02 * cheap + 0.05 * dear;
    ['one', 'two'].forEach((instance, index) => {
      const id = `signal:shop/${instance}/cpu`;
      const value = index === 0 ? used * 0.75 : used * 0.25;
      from.putSignal({ classId: id, atMs, value }, { id, kind: 'signal' }, atMs + 500);
    });
  }
  const file =
    'forecast: {learn_costs: signals, cost_signals: [{service: shop, resource: cpu, signal: cpu}]}';
  const costs = learnedFrom(file, from);
  costs.note(rules);
  const endMs = BEGIN_MS + minutes * 60_000 + 40_000;
  for (let turn = 0; turn < 12; turn += 1) costs.turn(endMs + turn * 10_000);
  expectNear(costs.cost('cheap', 'cpu'), 0.02);
  expectNear(costs.cost('dear', 'cpu'), 0.05);
  expect(costs.cost('dear', 'network')).toBeUndefined();
  from.close(endMs);
});

test('more rules than are told apart, clocks that jump and rules by the thousand do no harm', () => {
  const costs = learnedFrom('forecast: {learn_costs: host}');
  const many: ClassInfo[] = Array.from({ length: 12_000 }, (_, index) => ({ id: `r${index}`, kind: 'rule' }));
  costs.note(many);
  const arrivals = Object.fromEntries(many.slice(0, 2_000).map(({ id }) => [id, 1]));
  const host = {
    cpu: 0.5,
    memory: 0.5,
    diskReadBytesPerS: 1,
    diskWriteBytesPerS: 1,
    networkReceivedBytesPerS: 1,
    networkSentBytesPerS: 1,
    eventLoopDelayMs: 1,
  };
  for (const nowMs of [BEGIN_MS, BEGIN_MS - 1e9, BEGIN_MS + 1e12, 0]) {
    costs.observe({ ...batch(1, nowMs, arrivals), host });
    costs.turn(nowMs);
  }
  const { total, costs: views } = costs.page({ offset: 9_999, limit: 100 });
  expect({ total, views: views.length }).toEqual({ total: 10_000, views: 4 });
  for (const { perRequest } of costs.page({ offset: 0, limit: 1_000 }).costs)
    expect(Number.isFinite(perRequest) && perRequest >= 0).toBe(true);
});
