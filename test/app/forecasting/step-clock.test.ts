import fc from 'fast-check';
import { StepClock } from '../../../src/app/forecasting/step-clock';

const clock = (nowMs: number): StepClock => new StepClock(60_000, 2_000, 5, nowMs);

describe('the step clock', () => {
  it('closes each step once, after its grace', () => {
    const steps = clock(30_000);
    expect(steps.due(60_000)).toEqual([]);
    expect(steps.due(61_999)).toEqual([]);
    expect(steps.due(62_000)).toEqual([0]);
    expect(steps.due(119_000)).toEqual([]);
    expect(steps.due(190_000)).toEqual([60_000, 120_000]);
  });

  it('jumps what it cannot catch up with', () => {
    const steps = clock(0);
    expect(steps.due(3_600_000_000 + 2_000)).toEqual(
      [5, 4, 3, 2, 1].map((back) => 3_600_000_000 - back * 60_000),
    );
  });

  it('goes on from where a clock was set back to, without closing a step twice in a row', () => {
    const steps = clock(600_000);
    expect(steps.due(662_000)).toEqual([600_000]);
    expect(steps.due(659_000)).toEqual([]);
    expect(steps.due(662_000)).toEqual([]);
    expect(steps.due(122_000)).toEqual([]);
    expect(steps.due(182_000)).toEqual([120_000]);
  });

  it('never gives a step that has not ended, and gives them in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 40 }), (waits) => {
        const steps = clock(0);
        let nowMs = 0;
        const closed: number[] = [];
        for (const wait of waits) {
          nowMs += wait;
          for (const atMs of steps.due(nowMs)) {
            expect(atMs + 60_000 + 2_000).toBeLessThanOrEqual(nowMs);
            closed.push(atMs);
          }
        }
        expect(closed).toEqual([...new Set(closed)].sort((a, b) => a - b));
      }),
    );
  });
});
