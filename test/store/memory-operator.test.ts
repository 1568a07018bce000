import { MemoryOperator } from '../../src/store/memory/memory-operator';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { bucket, describeOperator, moved, take, tokensOf } from './operator-contract';
import { SimulatedClock } from './simulated-clock';

function harness(options: { readonly maxKeyChars?: number } = {}) {
  const clock = new SimulatedClock();
  const store = new MemoryStore({ clock, ...options });
  return { store, operator: new MemoryOperator(store), advance: (us: number) => clock.advance(us) };
}

const shared = harness();
describeOperator('in memory', () => shared);

test('remembers a bounded number of transfers', async () => {
  const h = harness();
  const [a, b] = [bucket('a', { capacity: 100_000 }), bucket('b', { capacity: 100_000 })];
  await take(h, b, 100_000);
  for (let i = 0; i <= 8_192; i += 1) await moved(h, { id: `${i}`, from: a, to: b, tokens: 1, keep: 0 });
  expect(await moved(h, { id: '8192', from: a, to: b, tokens: 1, keep: 0 })).toEqual({ moved: 1, lost: 0 });
  expect(await tokensOf(h, [a, b])).toEqual([91_807, 8_193]);
  await moved(h, { id: '0', from: a, to: b, tokens: 1, keep: 0 });
  expect(await tokensOf(h, [a, b])).toEqual([91_806, 8_194]);
});

test('refuses keys over its bound, and everything once it is closed', async () => {
  const h = harness({ maxKeyChars: 4 });
  const [long, short] = [bucket('12345'), bucket('1')];
  expect(await h.operator.levels([long])).toMatchObject([{ code: 'TG_REQUEST_TOO_LARGE' }]);
  const transfer = { id: 't', from: short, to: long, tokens: 1, keep: 0 };
  expect(await h.operator.transfer(transfer)).toMatchObject({ code: 'TG_REQUEST_TOO_LARGE' });
  await h.store.close();
  expect(await h.operator.levels([short])).toMatchObject([{ code: 'TG_STORE_UNAVAILABLE' }]);
  expect(await h.operator.transfer({ ...transfer, to: bucket('2') })).toMatchObject({
    code: 'TG_STORE_UNAVAILABLE',
  });
});
