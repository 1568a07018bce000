/** Load reports whose names hosts choose. */
import { LoadWindow } from '../../../src/mesh/telemetry/load-window';

test('names such as __proto__ are names like any other', () => {
  const window = new LoadWindow(2_000, 1_000, 10, 0);
  const names = ['__proto__', 'constructor', 'toString', 'cpu_utilization'];
  const row = {
    cluster: '__proto__',
    host: 'constructor',
    issued: 4,
    successful: 4,
    errors: 0,
    inProgress: 0,
    dropped: 0,
    drops: new Map(names.map((name) => [name, 4])),
    metrics: new Map(names.map((name) => [name, { answers: 2, total: 1 }])),
  };
  expect(window.add(row, 0)).toBe(true);
  const [figures] = window.figures(1_000);
  if (figures === undefined) throw new Error('nothing was counted');
  expect(Object.keys(figures.metrics).sort()).toEqual([...names].sort());
  expect(Object.keys(figures.dropsPerS).sort()).toEqual([...names].sort());
  expect(Object.getPrototypeOf(figures.metrics)).toBe(Object.prototype);
  expect(JSON.parse(JSON.stringify(figures.metrics))).toHaveProperty('constructor', 0.5);
  expect(Object.entries(structuredClone(figures.metrics))).toContainEqual(['__proto__', 0.5]);
});
