import { FirstTouches } from '../../src/store/leased/first-touches';

describe('buckets asked for once of late', () => {
  test.each([
    [0, 0],
    [399.9, 0],
    [700, 0],
  ])('are known %d ms later by when that was', (laterMs, sinceMs) => {
    const touches = new FirstTouches();
    expect(touches.touched('k', 0.7)).toBeUndefined();
    expect(touches.touched('k', laterMs)).toBe(sinceMs);
  });

  test('are forgotten after two generations, also where nothing came in between', () => {
    const touches = new FirstTouches();
    touches.touched('k', 0);
    expect(touches.touched('k', 800)).toBeUndefined();
    touches.touched('busy', 900);
    touches.touched('other', 1_250);
    touches.touched('other', 1_700);
    expect(touches.touched('busy', 1_701)).toBeUndefined();
  });

  test('keep the time of their first call', () => {
    const touches = new FirstTouches();
    touches.touched('k', 5);
    touches.touched('k', 100);
    expect(touches.touched('k', 300)).toBe(5);
  });

  test('are bounded, the latest staying', () => {
    const touches = new FirstTouches();
    for (let i = 0; i < 200_000; i += 1) touches.touched(`k${i}`, 1);
    expect(touches.size).toBeLessThanOrEqual(2 ** 16);
    expect(touches.touched('k199999', 2)).toBe(1);
    expect(touches.touched('k0', 2)).toBeUndefined();
  });
});
