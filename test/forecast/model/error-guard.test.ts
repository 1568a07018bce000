import { ErrorGuard, errorEdge } from '../../../src/forecast/model/error-guard';

describe('guarding what a recursion learns', () => {
  it('passes usual errors and bounds unusual ones', () => {
    const guard = new ErrorGuard(10);
    expect([3, -9, 50, -50, 2].map((error) => guard.taught(error))).toEqual([3, -9, 10, -10, 2]);
  });

  it('believes what goes on: the fourth error beyond the edge on one side', () => {
    const guard = new ErrorGuard(10);
    expect([50, 50, 50, 50, 50].map((error) => guard.taught(error))).toEqual([10, 10, 10, 50, 50]);
    expect([-50, 50, 5, -50].map((error) => guard.taught(error))).toEqual([-10, 10, 5, -10]);
  });

  it('costs a square up to the edge and a line beyond, without a jump', () => {
    const guard = new ErrorGuard(2);
    expect([1, -2, 2.000001, 5].map((error) => guard.cost(error))).toEqual([
      1,
      4,
      expect.closeTo(4, 4),
      2 * (2 * 5 - 2),
    ]);
  });

  it('is the same after it was saved', () => {
    const guard = new ErrorGuard(10);
    guard.taught(-50);
    guard.taught(-50);
    guard.taught(-50);
    expect(ErrorGuard.restore(structuredClone(guard.save())).taught(-50)).toBe(-50);
  });

  it.each([
    ['changes of one size', [0, 1, 0, 1, 0, 1], 4 * 1.4826],
    ['nothing that ever changes', [5, 5, 5], Number.MAX_VALUE],
    ['a single value', [5], Number.MAX_VALUE],
    ['rare changes, whose median is 0', [0, 0, 0, 8, 0, 0, 0, 0, 0], 4 * 2],
  ])('reads its edge from %s', (_, values, edge) => {
    expect(errorEdge(Float64Array.from(values))).toBeCloseTo(edge, 9);
  });
});
