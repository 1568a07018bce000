import fc from 'fast-check';
import { bucketParams } from '../../src/bucket/params';
import type { BucketCall, BucketRequest, BucketResult, BucketStore } from '../../src/core/buckets';
import { Later } from '../../src/core/later';
import { TidegateError } from '../../src/core/errors';
import type { QueueEnd } from '../../src/core/queueing';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { QueuedStore } from '../../src/store/queued/queued-store';

/** Ten tokens a second, one at a time. */
const TEN_PER_S = bucketParams({ algorithm: 'token_bucket', limit: 10, windowUs: 1_000_000, capacity: 1 });

type Results = readonly BucketResult[];

interface Asked {
  readonly hits?: number;
  readonly rank?: number;
  readonly weight?: number;
  readonly flow?: string;
  readonly maxWaitMs?: number;
  readonly maxDepth?: number;
  readonly timeoutMs?: number;
  readonly others?: readonly BucketCall[];
  readonly chargeDenied?: BucketRequest['chargeDenied'];
}

const call = (key: string, part: Partial<BucketCall> = {}): BucketCall => ({
  key,
  group: key,
  params: TEN_PER_S,
  hits: 1,
  role: 'hard',
  assumeOnFailure: true,
  ...part,
});

/** A store over a memory store whose time the test moves. */
class Scene {
  ms = 1_000;
  readonly ends: QueueEnd[] = [];
  waits = 0;
  readonly asked: BucketRequest[] = [];
  readonly store: QueuedStore;
  readonly memory: MemoryStore;

  constructor(maxTotal = 1_000, later = false) {
    const clock = { nowUs: () => this.ms * 1_000, monotonicMs: () => this.ms };
    this.memory = new MemoryStore({ clock });
    const inner: BucketStore = {
      decide: (request) => {
        this.asked.push(request);
        const results = this.memory.decide(request);
        return later ? Later.from(Promise.resolve(results)) : results;
      },
      ready: () => true,
      close: () => this.memory.close(),
    };
    const observer = { ended: (end: QueueEnd) => void this.ends.push(end) };
    this.store = new QueuedStore({ inner, clock, maxTotal, observer });
  }

  ask(asked: Asked = {}): Results | Later<Results> {
    const {
      maxWaitMs = 500,
      maxDepth = 1_000,
      timeoutMs = Infinity,
      rank = 2,
      weight = 1,
      flow = '',
    } = asked;
    return this.store.decide({
      calls: [call('k', { hits: asked.hits ?? 1, queue: { maxWaitMs, maxDepth } }), ...(asked.others ?? [])],
      chargeDenied: asked.chargeDenied ?? 'none',
      quotaSatisfied: false,
      deadlineMs: 10,
      queue: { rank, weight, flow, timeoutMs, waits: () => void (this.waits += 1) },
    });
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1) {
      this.ms += 1;
      this.store.tick();
      for (let turn = 0; turn < 6; turn += 1) await Promise.resolve();
    }
  }
}

/** What has been answered so far. */
function watch(answer: Results | Later<Results>): { verdict: 'waits' | 'passes' | 'denied' | 'error' } {
  const seen: { verdict: 'waits' | 'passes' | 'denied' | 'error' } = { verdict: 'waits' };
  const note = (results: Results): void => {
    if (seen.verdict !== 'waits') throw new Error('answered twice');
    const failed = results.some((result) => result instanceof TidegateError);
    const denied = results.some((result) => !(result instanceof TidegateError) && !result.allowed);
    seen.verdict = failed ? 'error' : denied ? 'denied' : 'passes';
  };
  if (answer instanceof Later) void answer.then(note);
  else note(answer);
  return seen;
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe.each([
  ['answers at once', false],
  ['answers later', true],
])('over a store that %s', (_, later) => {
  test('a call waits for its token, and passes when it is there', async () => {
    const scene = new Scene(1_000, later);
    const first = watch(scene.ask());
    await scene.pass(1);
    const second = watch(scene.ask());
    await scene.pass(97);
    expect([first.verdict, second.verdict, scene.store.depth, scene.waits]).toEqual([
      'passes',
      'waits',
      1,
      1,
    ]);
    await scene.pass(4);
    expect([second.verdict, scene.store.depth, scene.ends]).toEqual(['passes', 0, ['served']]);
  });

  test('it is over the limit when its wait is over', async () => {
    const scene = new Scene(1_000, later);
    watch(scene.ask());
    await scene.pass(1);
    const ahead = watch(scene.ask({ maxWaitMs: 150 }));
    await scene.pass(1);
    const behind = watch(scene.ask({ maxWaitMs: 150 }));
    await scene.pass(145);
    expect([ahead.verdict, behind.verdict]).toEqual(['passes', 'waits']);
    await scene.pass(8);
    expect([behind.verdict, scene.ends]).toEqual(['denied', ['served', 'expired']]);
    await scene.pass(200);
    expect(watch(scene.memory.decide({ ...scene.asked[0]!, calls: [call('k')] })).verdict).toBe('passes');
  });

  test('its wait ends before its caller gives up', async () => {
    const scene = new Scene(1_000, later);
    watch(scene.ask());
    watch(scene.ask({ maxWaitMs: 500 }));
    await scene.pass(1);
    const hurried = watch(scene.ask({ timeoutMs: 200, hits: 1 }));
    await scene.pass(149);
    expect(hurried.verdict).toBe('waits');
    await scene.pass(3);
    expect(hurried.verdict).toBe('denied');
  });

  test('a call whose tokens cannot come in time is not made to wait', async () => {
    const scene = new Scene(1_000, later);
    watch(scene.ask());
    await scene.pass(1);
    const late = watch(scene.ask({ maxWaitMs: 20 }));
    await scene.pass(1);
    expect([late.verdict, scene.waits, scene.ends]).toEqual(['denied', 0, ['late']]);
  });

  test('more hits than the bucket ever has are denied at once', async () => {
    const scene = new Scene(1_000, later);
    const never = watch(scene.ask({ hits: 2 }));
    await scene.pass(1);
    expect([never.verdict, scene.waits]).toEqual(['denied', 0]);
  });

  test('it waits only if all that deny it let it', async () => {
    const scene = new Scene(1_000, later);
    watch(scene.ask({ others: [call('other')] }));
    await scene.pass(1);
    const denied = watch(scene.ask({ others: [call('other')] }));
    await scene.pass(1);
    expect([denied.verdict, scene.store.depth]).toEqual(['denied', 0]);
  });

  test('a cancelled call leaves, and takes nothing', async () => {
    const scene = new Scene(1_000, later);
    watch(scene.ask());
    await scene.pass(1);
    const answer = scene.ask() as Later<Results>;
    const seen = watch(answer);
    await scene.pass(10);
    answer.cancel?.();
    expect(scene.store.depth).toBe(0);
    await scene.pass(200);
    expect([seen.verdict, scene.ends]).toEqual(['denied', ['cancelled']]);
    expect(watch(scene.ask()).verdict).toBe(later ? 'waits' : 'passes');
  });

  test('one more than may wait is denied at once, and takes nothing from those who do', async () => {
    const scene = new Scene(2, later);
    watch(scene.ask());
    await scene.pass(1);
    const waiting = [watch(scene.ask()), watch(scene.ask())];
    await scene.pass(1);
    const refused = watch(scene.ask());
    await scene.pass(1);
    expect([refused.verdict, scene.ends]).toEqual(['denied', ['full']]);
    await scene.pass(210);
    expect(waiting.map((one) => one.verdict)).toEqual(['passes', 'passes']);
  });

  test('a refund is given to who waits', async () => {
    const scene = new Scene(1_000, later);
    watch(scene.ask());
    await scene.pass(1);
    const waiting = watch(scene.ask());
    await scene.pass(5);
    watch(scene.ask({ hits: -1 }));
    await scene.pass(2);
    expect(waiting.verdict).toBe('passes');
  });

  test('closing answers all that wait', async () => {
    const scene = new Scene(1_000, later);
    watch(scene.ask());
    await scene.pass(1);
    const waiting = [watch(scene.ask()), watch(scene.ask()), watch(scene.ask())];
    await scene.pass(1);
    scene.store.drain();
    expect(watch(scene.ask()).verdict).toBe(later ? 'waits' : 'denied');
    await scene.store.close();
    await scene.pass(1);
    expect(waiting.every((one) => one.verdict !== 'waits')).toBe(true);
    expect(scene.store.depth).toBe(0);
  });

  test.each(['over', 'all'] as const)('a denial is charged once, at the end: %s', async (chargeDenied) => {
    const scene = new Scene(1_000, later);
    watch(scene.ask());
    await scene.pass(1);
    const waiting = [
      watch(scene.ask({ chargeDenied, maxWaitMs: 120 })),
      watch(scene.ask({ chargeDenied, maxWaitMs: 120 })),
    ];
    await scene.pass(130);
    expect(waiting.map((one) => one.verdict)).toEqual(['passes', 'denied']);
    expect(scene.asked.filter((request) => request.chargeDenied === chargeDenied)).toHaveLength(1);
  });
});

test('a rule without a queue is asked straight away, also for a bucket that others wait for', () => {
  const scene = new Scene();
  watch(scene.ask());
  watch(scene.ask());
  const { chargeDenied, quotaSatisfied, deadlineMs } = scene.asked[0]!;
  const request = { calls: [call('k')], chargeDenied, quotaSatisfied, deadlineMs };
  expect(watch(scene.store.decide(request)).verdict).toBe('denied');
});

test('a request waits for what it lacks most, and moves on when that changes', async () => {
  const scene = new Scene();
  const slow = bucketParams({ algorithm: 'token_bucket', limit: 5, windowUs: 1_000_000, capacity: 1 });
  const both = { others: [call('slow', { params: slow, queue: { maxWaitMs: 500, maxDepth: 9 } })] };
  expect(watch(scene.ask(both)).verdict).toBe('passes');
  const second = watch(scene.ask(both));
  await scene.pass(195);
  expect(second.verdict).toBe('waits');
  // Somebody else takes what came of the first bucket meanwhile.
  expect(watch(scene.memory.decide({ ...scene.asked[0]!, calls: [call('k')] })).verdict).toBe('passes');
  await scene.pass(10);
  expect(second.verdict).toBe('waits');
  await scene.pass(95);
  expect([second.verdict, scene.ends]).toEqual(['passes', ['served']]);
});

const arrivals = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 20 }),
    hits: fc.integer({ min: 1, max: 3 }),
    rank: fc.nat(3),
    flow: fc.constantFrom('a', 'b'),
    maxWaitMs: fc.integer({ min: 1, max: 60 }),
    cancelAfter: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined, freq: 6 }),
  }),
  { maxLength: 40 },
);

test.each([false, true])(
  'whatever comes: no more than the bucket gave, everybody answered once and in time (later: %s)',
  async (later) => {
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 8 }), async (list, maxDepth) => {
        const params = bucketParams({
          algorithm: 'token_bucket',
          limit: 100,
          windowUs: 1_000_000,
          capacity: 3,
        });
        const scene = new Scene(6, later);
        const startMs = scene.ms;
        let answered = 0;
        let admitted = 0;
        for (const one of list) {
          await scene.pass(one.afterMs);
          const bornMs = scene.ms;
          const { rank, flow, hits, maxWaitMs } = one;
          const answer: Results | Later<Results> = scene.store.decide({
            calls: [call('k', { hits, params, queue: { maxWaitMs, maxDepth } })],
            chargeDenied: 'none',
            quotaSatisfied: false,
            deadlineMs: 10,
            queue: { rank, weight: 1, flow, timeoutMs: Infinity, waits: () => undefined },
          });
          let cancelled = false;
          const note = ([result]: Results): void => {
            answered += 1;
            if (result === undefined || result instanceof TidegateError) throw new Error('no outcome');
            expect(scene.ms - bornMs).toBeLessThanOrEqual(maxWaitMs + 2);
            if (result.allowed && !cancelled) admitted += hits;
            const earnedBy = 3 + ((scene.ms - startMs) / 1_000) * 100;
            expect(admitted).toBeLessThanOrEqual(earnedBy + 1e-6);
          };
          if (answer instanceof Later) {
            void answer.then(note);
            if (one.cancelAfter !== undefined) {
              await scene.pass(one.cancelAfter % 7);
              cancelled = true;
              answer.cancel?.();
            }
          } else note(answer);
          expect(scene.store.depth).toBeLessThanOrEqual(Math.min(6, maxDepth));
        }
        await scene.pass(70);
        expect(answered).toBe(list.length);
        expect(scene.store.depth).toBe(0);
        await scene.store.close();
      }),
      { numRuns: 60 },
    );
  },
);
