/** Thousands of classes to open: the control thread goes on meanwhile. */
import { ControlLoop, type ControlLoopParts } from '../../../src/app/forecasting/control-loop';
import type { ClassInfo } from '../../../src/core/observation';

const BEGIN_MS = Date.UTC(2026, 0, 5);
/** What opening one class takes, ms. */
const EACH_MS = 100;

function loopOver(count: number) {
  const classes = Array.from({ length: count }, (_, at) => ({
    id: `c${at}`,
    kind: 'rule' as const,
    lastMs: 0,
  }));
  const ended = { id: 'ended', kind: 'rule' as const, lastMs: 0, ended: true };
  const open = new Set<string>();
  let spentMs = 0;
  const parts = {
    history: {
      classes: () => [...classes, ended],
      has: () => true,
      take: () => true,
      closeStep: () => undefined,
      value: () => NaN,
    },
    book: {
      ids: () => open.keys(),
      has: (id: string) => open.has(id),
      of: () => undefined,
      close: (id: string) => open.delete(id),
      step: () => ({ classes: open.size, anomalies: [], drifts: [] }),
      get size() {
        return open.size;
      },
    },
    opener: {
      open: ({ id }: ClassInfo) => {
        spentMs += EACH_MS;
        open.add(id);
        return true;
      },
    },
    shelf: { dropAllBut: () => undefined, forget: () => undefined },
    costs: { note: () => undefined, forget: () => undefined },
    fits: { turn: () => undefined, counts: {} },
    alerts: { look: () => undefined, views: () => [] },
    replicas: { views: () => [] },
    figures: { make: () => ({}) },
    tell: () => undefined,
    logger: { debug: jest.fn(), info: jest.fn(), warn: jest.fn(), error: jest.fn() },
    monotonicMs: () => spentMs,
  };
  const loop = new ControlLoop(parts as unknown as ControlLoopParts, BEGIN_MS);
  return { loop, open, spent: () => spentMs };
}

it('are opened a part at the start and at each turn, all of them in the end', () => {
  const { loop, open, spent } = loopOver(200);
  expect(open.size).toBeGreaterThan(0);
  expect(spent()).toBeLessThanOrEqual(5_000 + EACH_MS);
  for (let second = 1; second <= 90; second += 1) {
    const before = spent();
    loop.turn(BEGIN_MS + second * 1_000);
    expect(spent() - before).toBeLessThanOrEqual(200 + EACH_MS);
  }
  expect(open.size).toBe(200);
  expect(open.has('ended')).toBe(false);
});

it('are not opened when they end before their turn', () => {
  const { loop, open } = loopOver(60);
  expect(open.has('c59')).toBe(false);
  const nothing = { added: [], classes: [], counts: new Float64Array(0) };
  const batch = { source: 'a', sequence: 1, atMs: BEGIN_MS, stepMs: 1_000, ended: ['c59'], ...nothing };
  loop.take(batch, BEGIN_MS);
  for (let second = 1; second < 30; second += 1) loop.turn(BEGIN_MS + second * 1_000);
  expect(open.has('c58')).toBe(true);
  expect(open.has('c59')).toBe(false);
});
