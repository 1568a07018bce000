/** Changes over the API, however fast they come. */
import { ChangeGate } from '../../../src/app/control/change-gate';

test('lets people order, and a program that flaps no faster than five times a second', () => {
  const gate = new ChangeGate();
  const passed = (fromMs: number, forMs: number, everyMs: number): number => {
    let sum = 0;
    for (let nowMs = fromMs; nowMs < fromMs + forMs; nowMs += everyMs) {
      try {
        gate.pass(nowMs);
        sum += 1;
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'TG_CONTROL_UNAVAILABLE' });
      }
    }
    return sum;
  };
  expect(passed(1_000_000, 10_000, 10)).toBe(50 + 49);
  expect(passed(1_000, 1_000, 100)).toBeLessThanOrEqual(5);
  expect(passed(2_000_000, 60_000, 1_000)).toBe(60);
});
