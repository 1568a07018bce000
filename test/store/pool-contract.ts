/** What every link to a pool is held to, whatever it stands on. */
import type { ModeOrder, Override, PoolTable } from '../../src/core/control';
import { MAX_OVERRIDES, MAX_TABLE_BYTES, type PoolLink } from '../../src/core/pool-link';
import { until } from '../parts/until';

/** What a leader publishes, told apart by its state. */
export function proposal(state: string, part: Partial<PoolTable> = {}): Parameters<PoolLink['publish']>[0] {
  return {
    madeAtMs: 1_800_000_000_000,
    lifeMs: 30_000,
    decayMs: 30_000,
    mode: 'active',
    buckets: [
      {
        id: 'd.a_b',
        ruleId: 'd.a_b',
        bucketKey: 'd|a=ü{}"',
        ratePerS: 1.25,
        capacity: 7,
        lenders: [{ bucketKey: 'd|a=c', keep: 3 }],
      },
    ],
    state,
    ...part,
  };
}

/** An override of a member, of a minute. */
export function override(member: string, part: Partial<Override> = {}): Override {
  const setAtMs = Date.now();
  return {
    pool: 'p',
    member,
    ratePerS: 5,
    untilMs: setAtMs + 60_000,
    author: 'ann',
    reason: 'a sale',
    setAtMs,
    ...part,
  };
}

/** An order for the mode. */
export function modeOrder(mode: ModeOrder['mode']): ModeOrder {
  return { pool: 'p', mode, author: 'bob', reason: 'it looks good', setAtMs: Date.now() };
}

/** @param make a link of pool `p`, which nobody else leads; not started. */
export function describePool(make: () => PoolLink): void {
  let link: PoolLink;
  beforeEach(() => (link = make()));
  afterEach(() => link.close());

  const lead = async (): Promise<void> => {
    link.start();
    await until('it leads', () => link.role().leader);
  };

  test('leads when it is alone, with an epoch, and no more when it is closed', async () => {
    expect(link.role().leader).toBe(false);
    expect(link.pool).toBe('p');
    await lead();
    expect(link.role().epoch).toBeGreaterThan(0);
    await link.close();
    expect(link.role().leader).toBe(false);
    expect(await link.publish(proposal('late'))).toBeUndefined();
  });

  test('publishes as its leader alone, and tells who listens of each table, in order', async () => {
    const heard: PoolTable[] = [];
    link.onTable((table) => heard.push(table));
    expect(await link.publish(proposal('early'))).toBeUndefined();
    expect(link.table()).toBeUndefined();
    await lead();
    const first = await link.publish(proposal('one'));
    const second = await link.publish(proposal('two'));
    expect(first).toEqual({
      ...proposal('one'),
      pool: 'p',
      epoch: link.role().epoch,
      sequence: 1,
      version: expect.any(Number) as number,
    });
    expect(second?.sequence).toBe(2);
    expect(second?.version).toBeGreaterThan(first?.version ?? Infinity);
    expect(heard).toEqual([first, second]);
    expect(link.table()).toEqual(second);
  });

  test('gives versions that are times', async () => {
    await lead();
    const table = await link.publish(proposal('one'));
    expect(Math.abs((table?.version ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  test('publishes nothing that is too large', async () => {
    await lead();
    expect(await link.publish(proposal('x'.repeat(MAX_TABLE_BYTES)))).toBeUndefined();
    expect(link.table()).toBeUndefined();
    expect(await link.publish(proposal('x'.repeat(100_000)))).toBeDefined();
  });

  test('keeps orders until they are dropped, replaced, or run out', async () => {
    await lead();
    expect(link.orders()).toEqual({ overrides: [], mode: undefined });
    await link.putOverride(override('a'));
    await link.putOverride(override('b', { capacity: 9, lending: false, priority: 'LOW' }));
    const shadow = modeOrder('shadow');
    await link.putMode(shadow);
    expect(link.orders().mode).toEqual(shadow);
    expect(new Set(link.orders().overrides.map(({ member }) => member))).toEqual(new Set(['a', 'b']));
    const replaced = override('a', { ratePerS: 8, reason: 'still "on"' });
    await link.putOverride(replaced);
    expect(await link.dropOverride('b')).toBe(true);
    expect(await link.dropOverride('b')).toBe(false);
    expect(link.orders().overrides).toEqual([replaced]);
    const setAtMs = Date.now();
    await link.putOverride(override('a', { setAtMs, untilMs: setAtMs + 20 }));
    await until('it has run out', () => link.orders().overrides.length === 0);
    const active = modeOrder('active');
    await link.putMode(active);
    expect(link.orders().mode).toEqual(active);
    const learning = { ...modeOrder('off'), mode: 'auto' } as const;
    await link.putLearning(learning);
    expect(link.orders()).toMatchObject({ mode: active, learning });
  });

  test('takes a bounded number of overrides', async () => {
    await lead();
    const AT_ONCE = 20;
    for (let from = 0; from < MAX_OVERRIDES; from += AT_ONCE)
      await Promise.all(
        Array.from({ length: AT_ONCE }, (_, index) => link.putOverride(override(`m${from + index}`))),
      );
    await expect(link.putOverride(override('more'))).rejects.toMatchObject({
      code: 'TG_CONTROL_BAD_OVERRIDE',
    });
    await link.putOverride(override('m3', { ratePerS: 1 }));
    await link.dropOverride('m0');
    await link.putOverride(override('more'));
    expect(link.orders().overrides).toHaveLength(MAX_OVERRIDES);
  });
}
