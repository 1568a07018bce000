import { FallbackSwitch, nominalShares, SILENT_TICKS } from '../../../src/control/guard/fallback';
import { memberPolicy } from '../pool-samples';

describe('nominal shares', () => {
  const members = [
    memberPolicy('a', { nominalPerS: 100 }),
    memberPolicy('b', { nominalPerS: 300, maxPerS: 200 }),
    memberPolicy('c', { nominalPerS: 100, minPerS: 90 }),
  ];
  test.each([
    ['are what is configured, inside the bounds', 1_000, [100, 200, 100]],
    ['are scaled to a total that they exceed', 320, [76.667, 153.333, 90]],
    ['are the minima, scaled, where those exceed it', 45, [0, 0, 45]],
  ])('%s', (_name, totalPerS, expected) => {
    const shares = nominalShares(totalPerS, members);
    for (const [i, share] of expected.entries()) expect(shares[i]).toBeCloseTo(share, 2);
  });
});

describe('falling back', () => {
  function after(...ticks: readonly (readonly [count: number, anybody: boolean])[]): FallbackSwitch {
    const state = new FallbackSwitch();
    for (const [count, anybody] of ticks) for (let t = 0; t < count; t += 1) state.heard(anybody);
    return state;
  }

  test.each([
    ['not at the start', [], false],
    ['not for a few silent ticks', [[SILENT_TICKS - 1, false]], false],
    ['when nobody told anything for long', [[SILENT_TICKS, false]], true],
    [
      'still at the first words after it',
      [
        [SILENT_TICKS, false],
        [2, true],
      ],
      true,
    ],
    [
      'still when words come and go',
      [
        [SILENT_TICKS, false],
        [2, true],
        [1, false],
        [2, true],
      ],
      true,
    ],
    [
      'no more when words keep coming',
      [
        [SILENT_TICKS, false],
        [3, true],
      ],
      false,
    ],
  ] as [string, (readonly [number, boolean])[], boolean][])('%s', (_name, ticks, falls) => {
    expect(after(...ticks).why !== '').toBe(falls);
  });

  it('is at once after a fault, and ends after three ticks without one', () => {
    const state = after([5, true]);
    state.failed('fault: x');
    expect(state.why).toBe('fault: x');
    for (let t = 0; t < 2; t += 1) state.heard(true);
    expect(state.why).toBe('fault: x');
    state.heard(true);
    expect(state.why).toBe('');
  });
});
