import fc from 'fast-check';
import { Breaker, type BreakerOptions } from '../../src/store/guarded/breaker';

const OPTIONS: BreakerOptions = {
  consecutiveFailures: 3,
  failureRatio: 0.5,
  windowMs: 1_000,
  minCalls: 10,
  backoffMs: 100,
  backoffMaxMs: 400,
  jitter: 0,
  probeTimeoutMs: 50,
};

const breaker = (options: Partial<BreakerOptions> = {}, random = 0.5): Breaker =>
  new Breaker({ ...OPTIONS, ...options }, () => random);

/** Lets `count` calls through that all fail. */
function failTimes(subject: Breaker, count: number, nowMs: number): void {
  for (let i = 0; i < count; i += 1) {
    subject.admit(nowMs);
    subject.fail(nowMs);
  }
}

describe('a breaker', () => {
  it('opens after so many failures in a row, and refuses until the back-off is over', () => {
    const subject = breaker();
    failTimes(subject, 2, 0);
    subject.succeed(0);
    failTimes(subject, 2, 0);
    expect(subject.state).toBe('closed');
    failTimes(subject, 1, 0);
    expect(subject.state).toBe('open');
    expect(subject.admit(99)).toBe(false);
    expect(subject.admit(100)).toBe(true);
    expect(subject.state).toBe('half_open');
  });

  it('opens at the failure ratio, but not on few calls', () => {
    const subject = breaker({ consecutiveFailures: 1_000 });
    for (let i = 0; i < 4; i += 1) {
      subject.succeed(i);
      subject.fail(i);
    }
    expect(subject.state).toBe('closed');
    subject.succeed(5);
    subject.fail(5);
    expect(subject.state).toBe('open');
  });

  it.each([
    ['half a window later it still counts', 600, 'open'],
    ['a window later it is forgotten', 1_600, 'closed'],
  ])('remembers failures by window: %s', (_, laterMs, state) => {
    const subject = breaker({ consecutiveFailures: 1_000 });
    for (let i = 0; i < 9; i += 1) subject.fail(0);
    subject.fail(laterMs);
    expect(subject.state).toBe(state);
  });

  it('lets one probe through at a time, and another when the first is lost', () => {
    const subject = breaker();
    failTimes(subject, 3, 0);
    expect([subject.admit(100), subject.admit(100), subject.admit(149)]).toEqual([true, false, false]);
    expect([subject.admit(150), subject.admit(150)]).toEqual([true, false]);
  });

  it('closes on a good probe, and doubles the back-off up to its bound on bad ones', () => {
    const subject = breaker();
    failTimes(subject, 3, 0);
    let nowMs = 0;
    for (const backoffMs of [100, 200, 400, 400]) {
      expect(subject.admit(nowMs + backoffMs - 1)).toBe(false);
      nowMs += backoffMs;
      expect(subject.admit(nowMs)).toBe(true);
      subject.fail(nowMs);
      expect(subject.state).toBe('open');
    }
    nowMs += 400;
    expect(subject.admit(nowMs)).toBe(true);
    subject.succeed(nowMs);
    expect(subject.state).toBe('closed');
    failTimes(subject, 3, nowMs);
    expect([subject.admit(nowMs + 99), subject.admit(nowMs + 100)]).toEqual([false, true]);
  });

  it.each([
    [0, 75],
    [1, 125],
  ])('spreads the back-off: random %d', (random, backoffMs) => {
    const subject = breaker({ jitter: 0.25 }, random);
    failTimes(subject, 3, 0);
    expect([subject.admit(backoffMs - 1), subject.admit(backoffMs)]).toEqual([false, true]);
  });

  it('takes no notice of stragglers while open', () => {
    const subject = breaker();
    failTimes(subject, 3, 0);
    subject.succeed(1);
    subject.fail(2);
    expect([subject.state, subject.admit(99), subject.admit(100)]).toEqual(['open', false, true]);
  });
});

type Step = { readonly afterMs: number; readonly what: 'call' | 'succeed' | 'fail' };

const stepsArb = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 150 }),
    what: fc.constantFrom<Step['what']>('call', 'succeed', 'fail'),
  }),
  { maxLength: 200 },
);

describe('a breaker, whatever happens', () => {
  it('never refuses for longer than the longest back-off or a lost probe', () => {
    fc.assert(
      fc.property(stepsArb, fc.double({ min: 0, max: 1, noNaN: true }), (steps, random) => {
        const subject = breaker({ jitter: 0.25 }, random);
        let nowMs = 0;
        for (const { afterMs, what } of steps) {
          nowMs += afterMs;
          if (what === 'call') subject.admit(nowMs);
          else if (what === 'succeed') subject.succeed(nowMs);
          else subject.fail(nowMs);
        }
        expect(subject.admit(nowMs + OPTIONS.backoffMaxMs * 1.25)).toBe(true);
      }),
    );
  });

  it('never refuses what always succeeds, and never admits two probes within a probe timeout', () => {
    fc.assert(
      fc.property(stepsArb, (steps) => {
        const healthy = breaker();
        const subject = breaker();
        let nowMs = 0;
        let probeMs = -Infinity;
        for (const { afterMs, what } of steps) {
          nowMs += afterMs;
          expect(healthy.admit(nowMs)).toBe(true);
          healthy.succeed(nowMs);
          const before = subject.state;
          if (what === 'succeed') subject.succeed(nowMs);
          else if (what === 'fail') subject.fail(nowMs);
          else if (subject.admit(nowMs) && before === 'half_open') {
            expect(nowMs - probeMs).toBeGreaterThanOrEqual(OPTIONS.probeTimeoutMs);
          }
          if (what === 'call' && subject.state === 'half_open' && before !== 'half_open') probeMs = nowMs;
          else if (what === 'call' && before === 'half_open' && nowMs - probeMs >= OPTIONS.probeTimeoutMs) {
            probeMs = nowMs;
          }
        }
      }),
    );
  });

  it('is open exactly from opening to the first admission', () => {
    fc.assert(
      fc.property(stepsArb, (steps) => {
        const subject = breaker();
        let nowMs = 0;
        for (const { afterMs, what } of steps) {
          nowMs += afterMs;
          const before = subject.state;
          if (what === 'call') {
            const admitted = subject.admit(nowMs);
            expect(admitted || before !== 'closed').toBe(true);
            expect(subject.state === 'open').toBe(before === 'open' && !admitted);
          } else if (what === 'succeed') {
            subject.succeed(nowMs);
            expect(subject.state).toBe(before === 'open' ? 'open' : 'closed');
          } else {
            subject.fail(nowMs);
            if (before !== 'closed') expect(subject.state).toBe('open');
          }
        }
      }),
    );
  });
});
