/** What a program gets that imports the package. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as library from '../src/library';

test('the package gives the allocator, with its types', () => {
  const { main, types } = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8')) as {
    main: string;
    types: string;
  };
  expect([main, types]).toEqual(['dist/library.js', 'dist/library.d.ts']);
  expect(Object.keys(library)).toEqual(['AllocationController']);
});

test('it shares a total among services by what they ask for', () => {
  const controller = new library.AllocationController({
    totalPerS: 100,
    services: [
      { name: 'checkout', priority: 'CRITICAL', share: 0.5 },
      { name: 'reports', priority: 'LOW', share: 0.5 },
    ],
    learningMode: 'off',
  });
  let rates: readonly number[] = [];
  for (let second = 0; second < 180; second += 1) {
    const { allocations } = controller.step(1_767_323_045_000 + second * 1_000, [
      { service: 'checkout', demandPerS: 80, admittedPerS: 50, deniedPerS: 30 },
      { service: 'reports', demandPerS: 10, admittedPerS: 10, deniedPerS: 0 },
    ]);
    rates = allocations.map(({ ratePerS }) => ratePerS);
  }
  expect(rates[0]).toBeGreaterThan(75);
  expect(rates[1]).toBeGreaterThanOrEqual(10);
  expect((rates[0] ?? 0) + (rates[1] ?? 0)).toBeLessThanOrEqual(100.000_001);
});
