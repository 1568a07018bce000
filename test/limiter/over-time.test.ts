/** The limiter on the memory store, on a clock that the test sets. */
import { RlsCode } from '../../src/core/rls';
import { Limiter, type LimiterOptions } from '../../src/limiter/limiter';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { decideNow, descriptor, LIMITER, RecordedTelemetry, requestOf, SetClock, tableOf } from './parts';

const MINUTE_START_US = 1_700_000_040_000_000;

class Setup {
  readonly clock = new SetClock(MINUTE_START_US);
  readonly telemetry = new RecordedTelemetry();
  readonly store = new MemoryStore({ clock: this.clock });
  readonly limiter: Limiter;

  constructor(text: string, options: Partial<LimiterOptions> = {}) {
    this.limiter = new Limiter(
      { store: this.store, local: this.store, telemetry: this.telemetry },
      { ...LIMITER, ...options },
    );
    this.load(text);
  }

  load(text: string): void {
    this.limiter.useTable(tableOf(text, { countersFor: this.telemetry.countersFor }));
  }

  /** `code remaining reset`, seconds after the start of a minute. */
  at(seconds: number, text: string, hitsAddend?: number): string {
    this.clock.us = MINUTE_START_US + seconds * 1e6;
    const one = descriptor(text, hitsAddend === undefined ? {} : { hitsAddend });
    const [status] = decideNow(this.limiter, requestOf([one])).statuses;
    return `${status?.code === RlsCode.OK ? 'OK' : 'OVER'} ${status?.limitRemaining} ${status?.durationUntilResetS}`;
  }
}

const rule = (algorithm: string, more = ''): string =>
  `{domain: d, descriptors: [{key: k, algorithm: ${algorithm}, rate_limit: {unit: minute, requests_per_unit: 6${more}}}]}`;

describe('a rule over time', () => {
  test('token_bucket refills one by one, up to its capacity', () => {
    const setup = new Setup(rule('token_bucket', ', capacity: 2'));
    expect(setup.at(0, 'k=a', 2)).toBe('OK 0 20');
    expect(setup.at(0, 'k=a')).toBe('OVER 0 10');
    expect(setup.at(9.5, 'k=a')).toBe('OVER 0 1');
    expect(setup.at(10, 'k=a', 0)).toBe('OK 1 10');
    expect(setup.at(10, 'k=a')).toBe('OK 0 20');
    expect(setup.at(500, 'k=a', 0)).toBe('OK 2 0');
    expect(setup.at(500, 'k=b')).toBe('OK 1 10');
  });

  test('fixed_window starts anew with each minute', () => {
    const setup = new Setup(rule('fixed_window'));
    expect(setup.at(50, 'k=a', 6)).toBe('OK 0 10');
    expect(setup.at(59.9, 'k=a')).toBe('OVER 0 1');
    expect(setup.at(60, 'k=a')).toBe('OK 5 60');
  });

  test('sliding_window lets nothing through that the last minute has no room for', () => {
    const setup = new Setup(rule('sliding_window'));
    expect(setup.at(50, 'k=a', 6)).toMatch(/^OK 0 /);
    expect(setup.at(60, 'k=a')).toMatch(/^OVER 0 /);
    expect(setup.at(109, 'k=a')).toMatch(/^OVER 0 /);
    expect(setup.at(113, 'k=a')).toMatch(/^OK 5 /);
  });

  test('a reload keeps what is in use and takes the new limit', () => {
    const setup = new Setup(rule('fixed_window'));
    expect(setup.at(0, 'k=a', 5)).toBe('OK 1 60');
    setup.load(rule('fixed_window').replace('requests_per_unit: 6', 'requests_per_unit: 10'));
    expect(setup.at(1, 'k=a')).toBe('OK 4 59');
    setup.load(rule('fixed_window').replace('requests_per_unit: 6', 'requests_per_unit: 3'));
    expect(setup.at(2, 'k=a')).toBe('OVER 0 58');
  });

  test('a change of algorithm is another bucket', () => {
    const setup = new Setup(rule('fixed_window'));
    expect(setup.at(0, 'k=a', 6)).toBe('OK 0 60');
    setup.load(rule('token_bucket'));
    expect(setup.at(1, 'k=a')).toMatch(/^OK 5 /);
  });

  test.each(['token_bucket', 'fixed_window', 'sliding_window'])(
    '%s: absurd addends are denied, and harm nothing',
    (algorithm) => {
      const setup = new Setup(rule(algorithm));
      for (const hits of [7, 2 ** 32, 2 ** 53, 2 ** 64 - 1])
        expect(setup.at(0, 'k=a', hits)).toMatch(/^OVER 0 /);
      expect(setup.at(0, 'k=a', 6)).toMatch(/^OK 0 /);
      expect(setup.at(0, 'k=a', 0)).toMatch(/^OK 0 /);
    },
  );

  test('a request that is denied charges none of its buckets, or all, as the settings say', () => {
    const text = `{domain: d, descriptors: [{key: k, rate_limit: {unit: day, requests_per_unit: 6}}, {key: j, rate_limit: {unit: day, requests_per_unit: 0}}]}`;
    const left = (chargeDenied: 'none' | 'over' | 'all'): string => {
      const setup = new Setup(text, { chargeDenied });
      expect(decideNow(setup.limiter, requestOf(['k=a', 'j=b'])).overallCode).toBe(RlsCode.OVER_LIMIT);
      return setup.at(0, 'k=a', 0).split(' ').slice(0, 2).join(' ');
    };
    expect([left('none'), left('over'), left('all')]).toEqual(['OK 6', 'OK 6', 'OK 5']);
  });
});
