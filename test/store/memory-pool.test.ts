import { TidegateError } from '../../src/core/errors';
import type { PoolOrders } from '../../src/core/pool-link';
import { MemoryPool } from '../../src/store/memory/memory-pool';
import { describePool, modeOrder, override, proposal } from './pool-contract';

describe('the pool of a process alone', () => {
  describePool(() => new MemoryPool({ pool: 'p', nowMs: Date.now }));

  test('gives rising versions while the clock steps back', async () => {
    let nowMs = 1_800_000_000_000;
    const link = new MemoryPool({ pool: 'p', nowMs: () => nowMs });
    link.start();
    const first = await link.publish(proposal('one'));
    nowMs -= 3_600_000;
    const second = await link.publish(proposal('two'));
    expect([first?.version, second?.version]).toEqual([1_800_000_000_000, 1_800_000_000_001]);
  });

  test('has its orders again after a restart, but for those that have run out', async () => {
    let kept: PoolOrders = { overrides: [], mode: undefined };
    let nowMs = 0;
    const make = () => {
      const link = new MemoryPool({
        pool: 'p',
        nowMs: () => nowMs,
        load: () => kept,
        keep: (orders) => (kept = orders),
      });
      link.start();
      return link;
    };
    const link = make();
    const long = override('long', { untilMs: 2_000 });
    const mode = modeOrder('active');
    await link.putOverride(long);
    await link.putOverride(override('short', { untilMs: 1_000 }));
    await link.putMode(mode);
    nowMs = 1_000;
    expect(make().orders()).toEqual({ overrides: [long], mode });
  });

  test('refuses what cannot be kept, and is as it was', async () => {
    const before = override('a');
    const link = new MemoryPool({
      pool: 'p',
      nowMs: () => 0,
      load: () => ({ overrides: [before], mode: undefined }),
      keep: () => {
        throw new TidegateError('TG_CONTROL_UNAVAILABLE', 'the disk is full');
      },
    });
    link.start();
    for (const order of [
      link.putOverride(override('a', { ratePerS: 1 })),
      link.dropOverride('a'),
      link.putMode(modeOrder('off')),
    ])
      await expect(order).rejects.toMatchObject({ code: 'TG_CONTROL_UNAVAILABLE' });
    expect(link.orders()).toEqual({ overrides: [before], mode: undefined });
  });
});
