import fc from 'fast-check';
import { CALM_FORECASTS, lookAt, QUIET, type ThresholdState } from '../../src/forecast/threshold';

describe('a threshold', () => {
  it.each<[readonly number[], string | undefined, number | null, number]>([
    [[1, 2, 3], undefined, 3, -1],
    [[1, 11, 12], 'begins', 12, 1],
    [[10], undefined, 10, -1],
    [[], undefined, null, -1],
    [[NaN, Infinity], undefined, null, -1],
    [[NaN, 20], 'begins', 20, 1],
  ])('with the forecast %j: %s', (values, change, peak, firstOver) => {
    const finite = values.map((value) => (value === Infinity ? NaN : value));
    expect(lookAt(finite, 10, 5, QUIET)).toMatchObject({ change, peak, firstOver });
  });

  it('ends after some calm forecasts in a row, and remembers when it began', () => {
    let state: ThresholdState = lookAt([20], 10, 1, QUIET).state;
    const changes: (string | undefined)[] = [];
    for (const value of [5, 20, 5, ...Array<number>(CALM_FORECASTS - 1).fill(9)]) {
      const look = lookAt([value], 10, 2, state);
      state = look.state;
      changes.push(look.change);
      if (state.active) expect(state.sinceMs).toBe(1);
    }
    expect(changes.at(-1)).toBe('ends');
    expect(changes.slice(0, -1).every((change) => change === undefined)).toBe(true);
    expect(state).toEqual(QUIET);
  });

  it('begins and ends in turns, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.double({ min: 0, max: 20 }), fc.constant(NaN))), (values) => {
        let state = QUIET;
        let active = false;
        values.forEach((value, at) => {
          const look = lookAt([value], 10, at, state);
          if (look.change === 'begins') expect(active).toBe(false);
          if (look.change === 'ends') expect(active).toBe(true);
          if (look.change !== undefined) active = look.change === 'begins';
          state = look.state;
          expect(state.active).toBe(active);
        });
      }),
    );
  });
});
