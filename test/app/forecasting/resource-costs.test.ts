/** The costs of what is above rules. */
import { ResourceCosts } from '../../../src/app/forecasting/resource-costs';
import type { History } from '../../../src/history/history';

const NOW_MS = Date.UTC(2026, 0, 5);

it('reads the requests of each rule once a minute at most, however often it is asked', () => {
  const rules = Array.from({ length: 5 }, (_, at) => ({
    id: `r${at}`,
    kind: 'rule' as const,
    service: 'shop',
  }));
  const classes = [...rules, { id: 'service:shop', kind: 'service' as const, service: 'shop' }];
  let reads = 0;
  let requests = 1;
  const history = {
    classes: () => classes.map((one) => ({ ...one, sinceMs: 0, lastMs: 0, ended: false })),
    series: (id: string) => {
      reads += 1;
      return { startMs: 0, stepMs: 600_000, values: Float64Array.of(id === 'r0' ? requests : 1, NaN) };
    },
  } as unknown as Pick<History, 'classes' | 'series'>;
  const costs = new ResourceCosts(history, (id) => (id === 'r0' ? 6 : 1));
  const ask = (atMs: number) => costs.perRequest('service:shop', 'cpu', atMs);
  expect(ask(NOW_MS)).toBe(2);
  expect(costs.perRequest('service:shop', 'io', NOW_MS + 30_000)).toBe(2);
  expect(reads).toBe(5);
  requests = 6;
  expect(ask(NOW_MS + 60_000)).toBe(4);
  expect(reads).toBe(10);
  // Also a clock that was set back is gone by.
  expect(ask(NOW_MS - 60_000)).toBe(4);
  expect(reads).toBe(15);
});
