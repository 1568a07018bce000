/** The chain of fallbacks: every fault takes effect at the look that sees it, and no level flaps. */
import fc from 'fast-check';
import {
  adviceBar,
  demotingFault,
  forecastBar,
  type AdviceFacts,
} from '../../../src/control/advice/advice-bars';
import { ADVICE_LEVELS, AdviceChain, type Bar, type Bars } from '../../../src/control/advice/advice-chain';
import type { MemberForecast, PoolAdvice } from '../../../src/core/control';

const CALM_MS = 5_000;
const NOW_MS = 1_000_000;

function advice(changes: Partial<PoolAdvice> = {}): PoolAdvice {
  return {
    model: 'm1',
    madeAtMs: NOW_MS,
    members: [
      { id: 'a', demandFactor: 1.2, keepFactor: 1 },
      { id: 'b', demandFactor: 0.9, keepFactor: 1.1 },
    ],
    ...changes,
  };
}

function facts(changes: Partial<AdviceFacts> = {}): AdviceFacts {
  return {
    nowMs: NOW_MS,
    mode: 'active',
    why: 'as configured',
    model: true,
    advice: advice(),
    lifeMs: 11_000,
    fault: '',
    tookMs: 0.3,
    members: new Set(['a', 'b']),
    maxFactor: 2,
    outOfRange: 0,
    anomalous: 0,
    drifted: 0,
    heard: true,
    unwatched: '',
    ...changes,
  };
}

const weights = (demandFactor: number) => advice({ members: [{ id: 'a', demandFactor, keepFactor: 1 }] });

describe('what bars learned advice', () => {
  test.each<[string, Partial<AdviceFacts>, string, boolean]>([
    ['nobody tells of demand', { heard: false }, 'no_telemetry', true],
    ['weights that are no numbers', { advice: weights(NaN) }, 'insane', true],
    ['an endless factor', { advice: weights(Infinity) }, 'insane', true],
    ['a factor beyond the bound', { advice: weights(2.1) }, 'insane', true],
    ['a factor below the bound', { advice: weights(0.4) }, 'insane', true],
    ['a negative factor', { advice: weights(-1) }, 'insane', true],
    [
      'a member that is advised twice',
      { advice: advice({ members: [...advice().members, ...advice().members] }) },
      'insane',
      true,
    ],
    ['a fault in making it', { fault: 'boom', advice: undefined }, 'insane', true],
    ['advice that took too long', { tookMs: 21 }, 'slow', true],
    ['advice of an interval that is over', { advice: advice({ madeAtMs: NOW_MS - 11_001 }) }, 'late', true],
    ['advice from the future', { advice: advice({ madeAtMs: NOW_MS + 2 }) }, 'late', true],
    ['figures beyond the ranges of training', { outOfRange: 0.1 }, 'out_of_range', true],
    ['figures whose range cannot be told', { outOfRange: NaN }, 'out_of_range', true],
    ['anomalies', { anomalous: 0.3 }, 'anomaly', true],
    ['drift', { drifted: 0.3 }, 'drift', true],
    ['a replay that says nothing', { unwatched: 'the thread died' }, 'unwatched', true],
    ['no model', { model: false, advice: undefined }, 'no_model', false],
    ['a mode that does not allow it', { mode: 'shadow' }, 'mode', false],
    ['no advice yet', { advice: undefined }, 'no_advice', false],
  ])('%s', (_, change, reason, fault) => {
    expect(adviceBar(facts(change))).toMatchObject({ reason, fault });
  });

  test('nothing does when all is well; advice may leave members out and speak of those that are gone', () => {
    expect(adviceBar(facts())).toBeUndefined();
    expect(adviceBar(facts({ advice: weights(2) }))).toBeUndefined();
    const gone = advice({ members: [{ id: 'gone', demandFactor: 1, keepFactor: 1 }] });
    expect(adviceBar(facts({ advice: gone }))).toBeUndefined();
  });

  test('a model goes back to shadow for what is its own fault, not for late telemetry or a slow moment', () => {
    const demotes = (change: Partial<AdviceFacts>): boolean =>
      demotingFault(adviceBar(facts(change))) !== undefined;
    expect([
      demotes({ advice: weights(NaN) }),
      demotes({ outOfRange: 1 }),
      demotes({ anomalous: 1 }),
      demotes({ drifted: 1 }),
      demotes({ unwatched: 'dead' }),
    ]).toEqual([true, true, true, true, true]);
    expect([
      demotes({ heard: false }),
      demotes({ tookMs: 30 }),
      demotes({ mode: 'shadow' }),
      demotes({}),
    ]).toEqual([false, false, false, false]);
  });

  test('forecasts count while one is fresh and to be relied on', () => {
    const made = (changes: Partial<MemberForecast> = {}): MemberForecast => ({
      madeAtMs: NOW_MS,
      meanPerS: 1,
      upperPerS: 2,
      anomalous: false,
      ...changes,
    });
    const old = made({ madeAtMs: NOW_MS - 300_001 });
    const strange = made({ anomalous: true });
    expect(forecastBar(NOW_MS, [], 300_000)).toBeUndefined();
    expect(forecastBar(NOW_MS, [made(), undefined], 300_000)).toBeUndefined();
    expect(forecastBar(NOW_MS, [undefined, undefined], 300_000)).toMatchObject({ reason: 'no_forecast' });
    expect(forecastBar(NOW_MS, [old, strange], 300_000)).toMatchObject({
      reason: 'no_forecast',
      fault: true,
    });
  });
});

const FAULT: Bar = { reason: 'insane', why: 'NaN', fault: true };
const NO_FORECAST: Bar = { reason: 'no_forecast', why: 'none', fault: true };
const SILENT: Bar = { reason: 'no_telemetry', why: 'silent', fault: true };

describe('the chain', () => {
  test.each<[string, Bars, string]>([
    ['a fault of the model', { ppo: FAULT }, 'forecast'],
    ['no forecasts', { forecast: NO_FORECAST }, 'last'],
    ['no telemetry', { last: SILENT }, 'configured'],
  ])('%s switches at the look that sees it, and back after the calm time', (_, bars, level) => {
    const chain = new AdviceChain(CALM_MS);
    expect(chain.look(0, {})).toMatchObject({ level: 'ppo', switched: undefined });
    const down = chain.look(1_000, bars);
    expect(down.level).toBe(level);
    expect(down.switched).toMatchObject({ from: 'ppo', to: level, reason: Object.values(bars)[0]?.reason });
    const course = [2_000, 3_000, 4_000, 5_000, 6_000, 7_000].map((atMs) => chain.look(atMs, {}).level);
    expect(course.slice(-2)).toEqual(['ppo', 'ppo']);
    expect(course.slice(0, 3)).not.toContain('ppo');
  });

  test('what nobody has allowed needs no calm time once it is', () => {
    const chain = new AdviceChain(CALM_MS);
    const mode: Bar = { reason: 'mode', why: 'shadow', fault: false };
    expect(chain.look(0, { ppo: mode }).level).toBe('forecast');
    expect(chain.look(1_000, {})).toMatchObject({ level: 'ppo', switched: { reason: 'calm' } });
  });

  test('a fault that comes and goes keeps the level away', () => {
    const chain = new AdviceChain(CALM_MS);
    chain.look(0, {});
    const levels = Array.from(
      { length: 40 },
      (_, at) => chain.look(1_000 * (at + 1), at % 4 === 0 ? { ppo: FAULT } : {}).level,
    );
    expect(new Set(levels)).toEqual(new Set(['forecast']));
  });

  test('after the configured shares the solver goes on as soon as it can, learned advice later', () => {
    const chain = new AdviceChain(CALM_MS);
    chain.look(0, {});
    chain.look(1_000, { last: SILENT });
    expect(chain.look(2_000, {}).level).toBe('last');
    expect(chain.look(6_000, {}).level).toBe('ppo');
  });

  test('whatever comes: a barred level never acts, nor one above it, and a switch says from where to where', () => {
    const bar = (reason: Bar['reason']) =>
      fc
        .option(fc.boolean(), { nil: undefined })
        .map((fault): Bar | undefined => (fault === undefined ? undefined : { reason, why: reason, fault }));
    const tick = fc.record({
      stepMs: fc.oneof(fc.integer({ min: -5_000, max: 20_000 }), fc.constant(NaN)),
      bars: fc.record({ ppo: bar('insane'), forecast: bar('no_forecast'), last: bar('no_telemetry') }),
    });
    fc.assert(
      fc.property(fc.array(tick, { maxLength: 60 }), (ticks) => {
        const chain = new AdviceChain(CALM_MS);
        let nowMs = NOW_MS;
        let before: string | undefined;
        for (const { stepMs, bars } of ticks) {
          nowMs += Number.isNaN(stepMs) ? 0 : stepMs;
          const { level, switched } = chain.look(Number.isNaN(stepMs) ? NaN : nowMs, bars);
          const at = ADVICE_LEVELS.indexOf(level);
          const barred = (['ppo', 'forecast', 'last'] as const).findLastIndex(
            (one) => bars[one] !== undefined,
          );
          expect(at).toBeGreaterThan(barred);
          if (before !== undefined) expect(switched === undefined).toBe(before === level);
          if (switched !== undefined) expect([switched.from, switched.to]).toEqual([before, level]);
          before = level;
        }
      }),
    );
  });
});
