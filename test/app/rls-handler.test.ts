/** The RateLimitService's method, given messages on their own or where they lie: the same answers. */
import { RateLimitCalls, SHOULD_RATE_LIMIT } from '../../src/app/rls-handler';
import type { BucketRequest, BucketResult, BucketStore } from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';
import { Later } from '../../src/core/later';
import type { UnaryHandler } from '../../src/core/ports';
import { RlsCode } from '../../src/core/rls';
import { compileLimits } from '../../src/limiter/compile-limits';
import { Limiter } from '../../src/limiter/limiter';
import { PlanCache } from '../../src/limiter/plan-cache';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { decodeRateLimitResponse, encodeRateLimitRequest } from '../../src/wire';

const LIMITS = `
domain: d
descriptors:
  - key: one
    rate_limit: {unit: hour, requests_per_unit: 3}
  - key: two
    rate_limit: {unit: day, requests_per_unit: 500, name: a rule with a name}
`;
const NO_DEADLINE = { timeoutMs: Infinity };

/** A store that answers what the one beneath does, when told to. */
class WaitingStore implements BucketStore {
  readonly settle: (() => void)[] = [];

  constructor(private readonly inner: MemoryStore) {}

  decide(request: BucketRequest): Later<readonly BucketResult[]> {
    const answer = new Later<readonly BucketResult[]>();
    this.settle.push(() => answer.resolve(this.inner.decide(request)));
    return answer;
  }

  ready(): boolean {
    return true;
  }

  async close(): Promise<void> {}
}

function setUp({ waits = false, retryAfter = false } = {}) {
  const local = new MemoryStore({ clock: { nowUs: () => 1e15, monotonicMs: () => 0 } });
  const waiting = new WaitingStore(local);
  const telemetry = {
    countersFor: () => NOTHING,
    domainNotFound: () => undefined,
    globalShadow: () => undefined,
    callFailed: jest.fn(),
    failureModeUsed: () => undefined,
    denied: () => undefined,
  };
  const { table } = compileLimits([{ name: 'd.yaml', text: LIMITS }], {
    defaults: { algorithm: 'fixed_window', consistency: 'exact', onError: 'error' },
    mergeDomains: false,
    lenient: false,
    generation: 1,
    countersFor: () => NOTHING,
  });
  if (table === undefined) throw new Error('the limits are wrong');
  const headers = { enabled: false, limit: '', remaining: '', reset: '', retryAfter };
  const limiter = new Limiter(
    { store: waits ? waiting : local, local, telemetry },
    {
      ...{ colocate: 'bucket', shadowMode: false, quotaMode: false, dynamicMetadata: false, headers },
      ...{ nearLimitRatio: 0.8, chargeDenied: 'none', storeDeadlineMs: 10, strictRequests: false },
    },
  );
  limiter.useTable(table);
  const finished = jest.fn();
  const calls = new RateLimitCalls({
    limiter,
    telemetry,
    plans: new PlanCache({ maxPlans: 8, maxMessageBytes: 100 }),
    finished,
    bounds: { maxMessageBytes: 1_000, maxDescriptors: 10, maxEntries: 10 },
    monotonicMs: () => 0,
  });
  const handler = calls.methods().get(SHOULD_RATE_LIMIT) as UnaryHandler;
  return { handler, waiting, finished, telemetry };
}

const NOTHING = {
  totalHits: () => undefined,
  overLimit: () => undefined,
  nearLimit: () => undefined,
  withinLimit: () => undefined,
  shadowMode: () => undefined,
};

const message = (...keys: string[]): Uint8Array =>
  encodeRateLimitRequest({
    domain: 'd',
    descriptors: keys.map((key) => ({ entries: [{ key, value: 'x' }], negativeHits: false })),
    hitsAddend: 0,
  });

/** The handler for messages that lie somewhere in other bytes. */
function inPlace(handler: UnaryHandler): (bytes: Uint8Array) => ReturnType<UnaryHandler> {
  return (bytes) => {
    const around = new Uint8Array(bytes.length + 14).fill(0x7f);
    around.set(bytes, 9);
    const answer = handler.inPlace?.(around, 9, 9 + bytes.length, NO_DEADLINE);
    if (answer === undefined) throw new Error('it cannot be asked in place');
    around.fill(0);
    return answer;
  };
}

function now(answer: ReturnType<UnaryHandler>): Uint8Array {
  if (!(answer instanceof Uint8Array)) throw new Error('it did not answer at once');
  return answer;
}

describe('the RateLimitService by messages', () => {
  it.each([false, true])('answers in place what it answers otherwise (retry-after: %s)', (retryAfter) => {
    const [one, two] = [setUp({ retryAfter }), setUp({ retryAfter })];
    const asked = [['one'], ['two'], ['one', 'two'], ['none'], ['one'], ['one'], ['one'], ['two', 'none']];
    for (const keys of [...asked, ...asked]) {
      const bytes = message(...keys);
      const expected = Buffer.from(now(one.handler(bytes, NO_DEADLINE)));
      expect(Buffer.from(now(inPlace(two.handler)(bytes)))).toEqual(expected);
    }
    expect(two.finished.mock.calls).toEqual(one.finished.mock.calls);
    expect(one.finished).toHaveBeenCalledWith('over_limit', 0, 1);
  });

  it('answers messages on their own in bytes that stay', () => {
    const { handler } = setUp();
    const first = now(handler(message('two'), NO_DEADLINE));
    const kept = Buffer.from(first);
    for (let call = 0; call < 5; call += 1) now(handler(message('one'), NO_DEADLINE));
    expect(Buffer.from(first)).toEqual(kept);
  });

  it('answers in bytes that stay where the store answers later, also when asked in place', async () => {
    const { handler, waiting, finished } = setUp({ waits: true });
    const ask = inPlace(handler);
    const answers = [ask(message('one')), ask(message('two')), ask(message('one'))];
    for (const settle of waiting.settle) settle();
    const decoded = (await Promise.all(answers.map(async (answer) => answer))).map((bytes) =>
      decodeRateLimitResponse(bytes),
    );
    expect(decoded.map(({ statuses }) => statuses[0]?.limitRemaining)).toEqual([2, 499, 1]);
    expect(decoded.every(({ overallCode }) => overallCode === RlsCode.OK)).toBe(true);
    expect(finished.mock.calls).toEqual([
      ['ok', 0, 1],
      ['ok', 0, 1],
      ['ok', 0, 1],
    ]);
  });

  it('counts and throws what is wrong with a message', () => {
    const { handler, finished, telemetry } = setUp();
    expect(() => inPlace(handler)(new Uint8Array([0xff]))).toThrow(TidegateError);
    expect(finished).toHaveBeenCalledWith('error', 0, 1);
    expect(telemetry.callFailed).toHaveBeenCalledWith('service', expect.any(TidegateError));
  });
});
