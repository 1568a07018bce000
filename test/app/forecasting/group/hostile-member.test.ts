/** A member whose batches cannot be taken. */
import { GroupExchange } from '../../../../src/app/forecasting/group/group-exchange';
import type { ObservationBatch } from '../../../../src/core/observation';
import { FakeLink, FakeStore } from './fake-group';

const NOW_MS = Date.UTC(2026, 0, 5);

it('is passed over: the others are heard, and nothing falls', async () => {
  const store = new FakeStore();
  const from = (source: string): ObservationBatch => ({
    source,
    sequence: 1,
    atMs: NOW_MS,
    stepMs: 1_000,
    added: [],
    classes: [],
    counts: new Float64Array(0),
  });
  store.log.push(from('bad'), from('bad'), from('good'));
  const taken: string[] = [];
  const faults: unknown[] = [];
  const exchange = new GroupExchange(
    {
      link: new FakeLink(store, 'self'),
      source: 'self',
      take: ({ source }) => {
        if (source === 'bad') throw new Error('odd');
        taken.push(source);
      },
      heldUntilMs: -Infinity,
      lateMs: 30_000,
      onFault: (thrown) => faults.push(thrown),
    },
    NOW_MS - 1_000,
  );
  exchange.turn(() => NOW_MS);
  for (let wait = 0; wait < 10; wait += 1) await Promise.resolve();
  expect(taken).toEqual(['good']);
  expect(faults).toHaveLength(1);
  expect(exchange.clockMs(NOW_MS)).toBe(NOW_MS - 3_000);
});
