/** Regret is measured elsewhere: whatever becomes of the thread, nobody waits for it, and what is not known is said. */
import { RegretBench } from '../../../src/app/control/learning/regret-bench';
import { RegretWatch } from '../../../src/app/control/learning/regret-watch';
import type {
  FromLearning,
  LearningPort,
  ToLearning,
} from '../../../src/app/control/learning/learning-messages';
import { TidegateError } from '../../../src/core/errors';
import type { RecordedInterval } from '../../../src/learn/replay/recorded';
import { memberPolicy, poolPolicy } from '../../control/pool-samples';

const MODEL = { version: 'm1', text: '{}' };
const RULES = { windowMs: 60_000, intervalMs: 1_000, confidence: 0.95, maxFactor: 2 };

const recorded: RecordedInterval = {
  policy: poolPolicy({ intervalMs: 1_000 }),
  members: [memberPolicy('a')],
  queueLimits: new Float64Array(1),
  ticks: [{ atMs: 0, arrived: Float64Array.of(500), forecasts: [undefined], health: [] }],
};

/** Threads that answer when they are told to. */
function threads() {
  const begun: { got: ToLearning[]; ended: boolean; answer(): void; die(why: string): void }[] = [];
  const bench = () => new RegretBench(() => ({ advise: () => undefined, decided: () => undefined }));
  const begin = (): LearningPort => {
    const work = bench();
    let hear: (message: FromLearning) => void = () => undefined;
    let end: (why: string) => void = () => undefined;
    const thread = {
      got: [] as ToLearning[],
      ended: false,
      waiting: [] as FromLearning[],
      answer: () => thread.waiting.splice(0).forEach((message) => hear(message)),
      die: (why: string) => end(why),
    };
    begun.push(thread);
    return {
      post: (message) => {
        thread.got.push(message);
        const answer = work.take(message);
        if (answer !== undefined) thread.waiting.push(answer);
      },
      onMessage: (listener) => void (hear = listener),
      onEnd: (listener) => void (end = listener),
      end: () => void (thread.ended = true),
    };
  };
  return { begun, begin };
}

function watching(begin: () => LearningPort) {
  let nowMs = 0;
  const warned: string[] = [];
  const logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: (_: object, message: string) => void warned.push(message),
    error: () => undefined,
  };
  const watch = new RegretWatch({ begin, logger, monotonicMs: () => nowMs });
  watch.use('p', MODEL, RULES);
  return { watch, warned, pass: (ms: number) => void (nowMs += ms) };
}

test('figures come when the thread has them; until then nothing is known, and nothing is late', () => {
  const { begun, begin } = threads();
  const { watch } = watching(begin);
  watch.interval('p', recorded);
  expect([watch.figures('p'), watch.unwatched('p')]).toEqual([undefined, '']);
  begun[0]?.answer();
  expect(watch.figures('p')).toMatchObject({ model: 'm1' });
  expect(begun[0]?.got.map(({ kind }) => kind)).toEqual(['model', 'interval']);
});

test('a slow thread is told of once its answer is late, and is well again when it has caught up', () => {
  const { begun, begin } = threads();
  const { watch, pass } = watching(begin);
  watch.interval('p', recorded);
  pass(3_000);
  expect(watch.unwatched('p')).toBe('');
  pass(1);
  expect(watch.unwatched('p')).toContain('still being measured');
  begun[0]?.answer();
  expect(watch.unwatched('p')).toBe('');
});

test('no more than a few intervals wait for a thread', () => {
  const { begun, begin } = threads();
  const { watch } = watching(begin);
  for (let at = 0; at < 100; at += 1) watch.interval('p', recorded);
  expect(begun[0]?.got.filter(({ kind }) => kind === 'interval')).toHaveLength(8);
});

test('a dead thread is told of at once, and begun anew with waits that grow; what it knew is gone', () => {
  const { begun, begin } = threads();
  const { watch, pass, warned } = watching(begin);
  watch.interval('p', recorded);
  begun[0]?.answer();
  begun[0]?.die('out of memory');
  expect(watch.unwatched('p')).toContain('out of memory');
  expect([watch.figures('p'), warned.length]).toEqual([undefined, 1]);
  pass(999);
  watch.interval('p', recorded);
  expect(begun).toHaveLength(1);
  pass(1);
  watch.interval('p', recorded);
  expect(begun).toHaveLength(2);
  expect(begun[1]?.got.map(({ kind }) => kind)).toEqual(['model', 'interval']);
  begun[1]?.die('again');
  pass(1_000);
  expect(watch.unwatched('p')).toContain('again');
  pass(1_000);
  expect(watch.unwatched('p')).toBe('');
  expect(begun).toHaveLength(3);
});

test('one that hangs is ended', () => {
  const { begun, begin } = threads();
  const { watch, pass } = watching(begin);
  watch.interval('p', recorded);
  pass(60_001);
  expect(watch.unwatched('p')).not.toBe('');
  expect(begun[0]?.ended).toBe(true);
  // What it says after that is nobody's word.
  begun[0]?.answer();
  expect(watch.figures('p')).toBeUndefined();
});

test('where no thread can be had it says so, and goes on trying', () => {
  let tries = 0;
  const { watch, pass } = watching(() => {
    tries += 1;
    throw new Error('no threads');
  });
  for (let second = 0; second < 200; second += 1) {
    expect(watch.unwatched('p')).toContain('no threads');
    watch.interval('p', recorded);
    pass(1_000);
  }
  expect(tries).toBeGreaterThan(5);
  expect(tries).toBeLessThan(15);
});

test('a model that cannot be used there is no regret of; another one begins anew', () => {
  const begin = (): LearningPort => {
    const bench = new RegretBench(({ version }) => {
      if (version === 'm1') throw new TidegateError('TG_LEARN_BAD_MODEL', 'it is damaged');
      return { advise: () => undefined, decided: () => undefined };
    });
    let hear: (message: FromLearning) => void = () => undefined;
    return {
      post: (message) => {
        const answer = bench.take(message);
        if (answer !== undefined) hear(answer);
      },
      onMessage: (listener) => void (hear = listener),
      onEnd: () => undefined,
      end: () => undefined,
    };
  };
  const { watch } = watching(begin);
  watch.interval('p', recorded);
  watch.interval('p', recorded);
  expect(watch.unwatched('p')).toContain('it is damaged');
  watch.use('p', { version: 'm2', text: '{}' }, RULES);
  watch.interval('p', recorded);
  expect([watch.unwatched('p'), watch.figures('p')?.model]).toEqual(['', 'm2']);
  watch.use('p', undefined, RULES);
  expect([watch.unwatched('p'), watch.figures('p')]).toEqual(['', undefined]);
});
