import fc from 'fast-check';
import { ModeKeeper, type ModeInputs } from '../../../src/control/shadow/mode-keeper';
import { POOL_MODES, type ModeOrder, type PoolMode } from '../../../src/core/control';

const T = 1_700_006_400_000;
const MINUTE = 60_000;

function order(mode: PoolMode): ModeOrder {
  return { pool: 'pool', mode, author: 'ada', reason: 'sale', setAtMs: T };
}

function inputs(changes: Partial<ModeInputs> = {}): ModeInputs {
  return { configured: 'shadow', order: undefined, advice: undefined, autoPromote: true, ...changes };
}

/** A keeper that has looked once a second for so many minutes. */
function keeper(minutes: number, seen: ModeInputs, fromMs = T): ModeKeeper {
  const made = new ModeKeeper();
  follow(made, minutes, seen, fromMs);
  return made;
}

function follow(made: ModeKeeper, minutes: number, seen: ModeInputs, fromMs: number): PoolMode {
  let mode: PoolMode = 'off';
  for (let at = 0; at <= minutes * 60; at += 1) mode = made.next(fromMs + at * 1_000, seen).mode;
  return mode;
}

test.each<[string, Partial<ModeInputs>, PoolMode]>([
  ['the settings without advice', {}, 'shadow'],
  ['active after half an hour of advice', { advice: 'promote' }, 'active'],
  ['the settings where promotion is by hand', { advice: 'promote', autoPromote: false }, 'shadow'],
  ['off, whatever is advised', { configured: 'off', advice: 'promote' }, 'off'],
  ['shadow when active loses more', { configured: 'active', advice: 'demote' }, 'shadow'],
  ['shadow, and never off, by advice', { advice: 'demote' }, 'shadow'],
  ['an order above advice', { order: order('shadow'), advice: 'promote' }, 'shadow'],
  ['an order above the settings', { order: order('active'), configured: 'off' }, 'active'],
  ['an order to be off', { order: order('off'), configured: 'active' }, 'off'],
  ['an order where promotion is by hand', { order: order('active'), autoPromote: false }, 'active'],
])('%s', (_, seen, mode) => {
  expect(follow(new ModeKeeper(), 31, inputs(seen), T)).toBe(mode);
});

test('no step before the least time in a mode', () => {
  const promote = inputs({ advice: 'promote' });
  const shadow = keeper(29, promote);
  expect(shadow.next(T + 29 * MINUTE + 1_000, promote).mode).toBe('shadow');
  expect(shadow.next(T + 30 * MINUTE, promote)).toEqual({
    mode: 'active',
    why: 'promoted: the proposals lose less than the configured limits',
  });
  const demote = inputs({ advice: 'demote' });
  expect(follow(shadow, 4, demote, T + 30 * MINUTE + 1_000)).toBe('active');
  expect(follow(shadow, 1, demote, T + 34 * MINUTE + 1_000)).toBe('shadow');
  expect(follow(shadow, 29, promote, T + 35 * MINUTE + 2_000)).toBe('shadow');
});

test('a jump of the clock is no time spent in a mode', () => {
  const promote = inputs({ advice: 'promote' });
  const made = keeper(1, promote);
  expect(made.next(T + 10 * 3_600_000, promote).mode).toBe('shadow');
  expect(made.next(T - 10 * 3_600_000, promote).mode).toBe('shadow');
});

test('what advice has led to stays without advice, and goes with an order, with the settings, and with automatic promotion', () => {
  const promoted = () => keeper(31, inputs({ advice: 'promote' }));
  const after = T + 32 * MINUTE;
  expect(promoted().next(after, inputs()).mode).toBe('active');
  expect(promoted().next(after, inputs({ autoPromote: false })).mode).toBe('shadow');
  expect(promoted().next(after, inputs({ configured: 'off' })).mode).toBe('off');
  const ordered = promoted();
  expect(ordered.next(after, inputs({ order: order('shadow') }))).toEqual({
    mode: 'shadow',
    why: 'ordered by ada: sale',
  });
  expect(ordered.next(after + 1_000, inputs()).mode).toBe('shadow');
});

test('who takes over goes on in the mode that the last leader published', () => {
  const made = keeper(1, inputs({ published: 'active' }));
  expect(made.next(T + 2 * MINUTE, inputs())).toEqual({
    mode: 'active',
    why: 'as the last leader published',
  });
  expect(keeper(1, inputs({ published: 'active', autoPromote: false })).next(T, inputs()).mode).toBe(
    'shadow',
  );
  expect(keeper(1, inputs({ published: 'off' })).next(T, inputs()).mode).toBe('shadow');
});

test('advice moves one step, and neither into off nor out of it', () => {
  const look = fc.record({
    passedMs: fc.integer({ min: -MINUTE, max: 40 * MINUTE }),
    configured: fc.constantFrom(...POOL_MODES),
    advice: fc.constantFrom('promote', 'demote', undefined),
    autoPromote: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(look, { maxLength: 80 }), (looks) => {
      const made = new ModeKeeper({ shadowMs: MINUTE, activeMs: MINUTE });
      let nowMs = T;
      for (const { passedMs, configured, advice, autoPromote } of looks) {
        nowMs += passedMs;
        const { mode, why } = made.next(nowMs, { configured, order: undefined, advice, autoPromote });
        expect(why).not.toBe('');
        expect(mode === 'off').toBe(configured === 'off');
        if (!autoPromote) expect(mode).toBe(configured);
      }
    }),
  );
});
