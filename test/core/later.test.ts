import { Later } from '../../src/core/later';

/** What an answer has come to so far. */
function seen<T>(later: Later<T>): { value?: T; reason?: unknown } {
  const seen: { value?: T; reason?: unknown } = {};
  later.done(
    (value) => (seen.value = value),
    (reason) => (seen.reason = reason),
  );
  return seen;
}

describe('an answer that comes later', () => {
  test('tells its listener in the turn in which it settles, once', () => {
    const later = new Later<number>();
    const told = seen(later);
    expect(told).toEqual({});
    later.resolve(1);
    later.resolve(2);
    later.reject(new Error('too late'));
    expect(told).toEqual({ value: 1 });
  });

  test.each([
    ['an answer', (later: Later<number>) => later.resolve(1), { value: 1 }],
    ['a failure', (later: Later<number>) => later.reject('no'), { reason: 'no' }],
  ])('tells a listener that comes after %s', (_, settle, told) => {
    const later = new Later<number>();
    settle(later);
    expect(seen(later)).toEqual(told);
  });

  test('comes to what a function makes of it, at once or later', () => {
    const [first, second] = [new Later<number>(), new Later<string>()];
    const told = seen(first.map((value) => value + 1).map(() => second));
    first.resolve(1);
    expect(told).toEqual({});
    second.resolve('two');
    expect(told).toEqual({ value: 'two' });
  });

  test('fails where a function throws, until one takes the failure', () => {
    const later = new Later<number>();
    const told = seen(
      later
        .map<number>(() => {
          throw new RangeError('bad');
        })
        .map((value) => value + 1)
        .map(
          () => 'fine',
          (reason) => String(reason),
        ),
    );
    later.resolve(1);
    expect(told).toEqual({ value: 'RangeError: bad' });
  });

  test('can be cancelled at the end of a chain, also where the chain goes on with another answer', () => {
    const cancelled: string[] = [];
    const later = new Later<number>();
    later.cancel = () => cancelled.push('first');
    later.map((value) => value).cancel?.();
    expect(cancelled).toEqual(['first']);
    const [outer, inner] = [new Later<number>(), new Later<number>()];
    inner.cancel = () => cancelled.push('inner');
    outer.resolve(inner);
    outer.cancel?.();
    expect(cancelled).toEqual(['first', 'inner']);
  });

  test('is awaited as a promise is, and made of one', async () => {
    const later = new Later<number>();
    const awaited = (async () => (await later) + 1)();
    later.resolve(1);
    expect(await awaited).toBe(2);
    expect(await Later.from(Promise.resolve(3))).toBe(3);
    await expect(Later.from(Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(Later.from(later)).toBe(later);
  });
});
