import fc from 'fast-check';
import {
  BREAKER_BACKOFF_MS,
  BREAKER_FAILURES,
  BREAKER_MAX_BACKOFF_MS,
  LendingBreaker,
} from '../../../src/control/lend/lending-breaker';

function opened(atMs: number): LendingBreaker {
  const breaker = new LendingBreaker();
  for (let failure = 0; failure < BREAKER_FAILURES; failure += 1) breaker.failed(atMs);
  return breaker;
}

describe('the breaker of lending', () => {
  it('opens on failures in a row only', () => {
    const breaker = new LendingBreaker();
    for (let failure = 1; failure < BREAKER_FAILURES; failure += 1) breaker.failed(0);
    breaker.succeeded(0);
    for (let failure = 1; failure < BREAKER_FAILURES; failure += 1) breaker.failed(0);
    expect(breaker.state(0)).toBe('closed');
    expect(breaker.allowance(0, 7)).toBe(Infinity);
    breaker.failed(0);
    expect(breaker.state(0)).toBe('open');
    expect(breaker.allowance(0, 0)).toBe(0);
  });

  it('after its back-off lets one try at a time, and closes when that goes well', () => {
    const breaker = opened(1_000);
    const untilMs = 1_000 + BREAKER_BACKOFF_MS;
    expect(breaker.state(untilMs - 1)).toBe('open');
    expect(breaker.state(untilMs)).toBe('half_open');
    expect(breaker.allowance(untilMs, 0)).toBe(1);
    expect(breaker.allowance(untilMs, 1)).toBe(0);
    breaker.succeeded(untilMs);
    expect(breaker.state(untilMs)).toBe('closed');
  });

  it('waits twice as long after each try that fails, up to a most', () => {
    const breaker = opened(0);
    let nowMs = BREAKER_BACKOFF_MS;
    let backoffMs = BREAKER_BACKOFF_MS;
    for (let round = 0; round < 8; round += 1) {
      breaker.failed(nowMs);
      backoffMs = Math.min(BREAKER_MAX_BACKOFF_MS, backoffMs * 2);
      expect(breaker.state(nowMs + backoffMs - 1)).toBe('open');
      expect(breaker.state(nowMs + backoffMs)).toBe('half_open');
      nowMs += backoffMs;
    }
    expect(backoffMs).toBe(BREAKER_MAX_BACKOFF_MS);
  });

  it('does not count, while open, what was ordered before', () => {
    const breaker = opened(0);
    breaker.succeeded(1);
    breaker.failed(1);
    expect(breaker.state(1)).toBe('open');
    expect(breaker.state(BREAKER_BACKOFF_MS)).toBe('half_open');
  });

  it('tries again within a back-off after a clock that stepped back', () => {
    const breaker = opened(1e12);
    expect(breaker.state(5_000)).toBe('open');
    expect(breaker.state(5_000 + BREAKER_BACKOFF_MS)).toBe('half_open');
  });

  it('never stays open for longer than its longest back-off, and a copy acts alike', () => {
    const step = fc.record({ passMs: fc.nat(40_000), well: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const breaker = new LendingBreaker();
        let nowMs = 0;
        for (const { passMs, well } of steps) {
          nowMs += passMs;
          const copy = new LendingBreaker();
          copy.resume(breaker.saved());
          for (const each of [breaker, copy]) {
            if (well) each.succeeded(nowMs);
            else each.failed(nowMs);
          }
          expect(copy.saved()).toEqual(breaker.saved());
          expect(breaker.state(nowMs + BREAKER_MAX_BACKOFF_MS)).not.toBe('open');
        }
      }),
    );
  });
});
