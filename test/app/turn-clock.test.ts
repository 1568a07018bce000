import { CallTimes, type CallResult } from '../../src/app/call-times';
import { TurnClock } from '../../src/app/turn-clock';

/** A turn clock over one that is set by hand and counts its readings. */
function clockOf() {
  const host = { ms: 100, readings: 0 };
  const read = (): number => {
    host.readings += 1;
    return host.ms;
  };
  const clock = new TurnClock({ monotonicMs: read, nowUs: () => read() * 1_000 });
  return { clock, host };
}

describe('the clock of turns', () => {
  it('is the clock beneath outside of turns', () => {
    const { clock, host } = clockOf();
    expect([clock.monotonicMs(), clock.nowUs()]).toEqual([100, 100_000]);
    host.ms = 101.5;
    expect([clock.monotonicMs(), clock.nowUs()]).toEqual([101.5, 101_500]);
  });

  it('tells one time all through a turn, and reads each clock once for it', () => {
    const { clock, host } = clockOf();
    expect(clock.begin()).toBe(100);
    host.ms = 103;
    for (let asked = 0; asked < 20; asked += 1) expect(clock.monotonicMs()).toBe(100);
    expect(clock.nowUs()).toBe(103_000);
    host.ms = 104;
    expect(clock.nowUs()).toBe(103_000);
    expect(host.readings).toBe(2);
    clock.end();
    expect(clock.monotonicMs()).toBe(104);
  });

  it('reads again after some questions, so that a long turn does not live in the past', () => {
    const { clock, host } = clockOf();
    clock.begin();
    host.ms = 107;
    const told = Array.from({ length: 100 }, () => clock.monotonicMs());
    expect(new Set(told)).toEqual(new Set([100, 107]));
    expect(told.indexOf(107)).toBeLessThanOrEqual(64);
    const wall = Array.from({ length: 100 }, () => {
      host.ms += 1;
      return clock.nowUs();
    });
    expect(new Set(wall).size).toBeGreaterThan(1);
  });

  it('begins anew where a turn was not ended', () => {
    const { clock, host } = clockOf();
    clock.begin();
    host.ms = 110;
    expect(clock.begin()).toBe(110);
    expect(clock.monotonicMs()).toBe(110);
  });

  it('tells listeners how long a turn took, and reads no clock for it where there are none', () => {
    const { clock, host } = clockOf();
    clock.begin();
    clock.end();
    expect(host.readings).toBe(1);
    const took: number[] = [];
    clock.onEnd((ms) => took.push(ms));
    clock.begin();
    host.ms += 4;
    clock.end();
    expect(took).toEqual([4]);
  });
});

describe('the times of calls', () => {
  function timesOf(inTurns: boolean) {
    const { clock, host } = clockOf();
    const told: (readonly [CallResult, number, number])[] = [];
    const times = new CallTimes(
      (...one) => told.push(one),
      () => clock.monotonicMs(),
      inTurns ? clock : undefined,
    );
    return { clock, host, told, times };
  }

  it('are those of the turn for what is decided in one, told at its end by how it ended', () => {
    const { clock, host, told, times } = timesOf(true);
    clock.begin();
    for (const result of ['ok', 'over_limit', 'ok'] as const) times.decided(result, clock.monotonicMs());
    expect(told).toEqual([]);
    host.ms += 2;
    clock.end();
    expect(told).toEqual([
      ['ok', 2, 2],
      ['over_limit', 2, 1],
    ]);
    clock.begin();
    clock.end();
    expect(told).toHaveLength(2);
  });

  it.each([true, false])('are its own for a call outside of turns (%s that there are some)', (inTurns) => {
    const { host, told, times } = timesOf(inTurns);
    host.ms += 3;
    times.decided('ok', 100);
    expect(told).toEqual([['ok', 3, 1]]);
  });

  it('are its own for a call that waited or failed, also in a turn', () => {
    const { clock, host, told, times } = timesOf(true);
    host.ms += 5;
    clock.begin();
    times.settled('ok', 100);
    times.settled('error', 101);
    clock.end();
    expect(told).toEqual([
      ['ok', 5, 1],
      ['error', 4, 1],
    ]);
  });
});
