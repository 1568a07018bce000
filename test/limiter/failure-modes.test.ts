/** Buckets that cannot be asked: each rule's failure mode, and nothing charged for a request that is denied. */
import type { BucketResult, FailureMode } from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';
import { RlsCode, type RlsResponse } from '../../src/core/rls';
import { Limiter, type LimiterOptions } from '../../src/limiter/limiter';
import { MemoryStore } from '../../src/store/memory/memory-store';
import {
  LIMITER,
  NO_DEADLINE,
  outcome,
  RecordedTelemetry,
  requestOf,
  ScriptedStore,
  SetClock,
  tableOf,
} from './parts';

const TABLE = `
domain: d
descriptors:
  - {key: ok, rate_limit: {unit: day, requests_per_unit: 10}}
  - {key: other, rate_limit: {unit: day, requests_per_unit: 10}}
  - {key: full, rate_limit: {unit: day, requests_per_unit: 0}}
  - {key: quota, quota_mode: true, rate_limit: {unit: day, requests_per_unit: 10}}
  - {key: allow, on_error: allow, rate_limit: {unit: day, requests_per_unit: 2}}
  - {key: deny, on_error: deny, rate_limit: {unit: day, requests_per_unit: 2}}
  - {key: local, on_error: local, rate_limit: {unit: day, requests_per_unit: 2}}
  - {key: local2, on_error: local, rate_limit: {unit: day, requests_per_unit: 2}}
  - {key: qlocal, quota_mode: true, on_error: local, rate_limit: {unit: day, requests_per_unit: 2}}
  - {key: error, on_error: error, rate_limit: {unit: day, requests_per_unit: 2}}
  - {key: qerror, quota_mode: true, on_error: error, rate_limit: {unit: day, requests_per_unit: 2}}
  - {key: default, rate_limit: {unit: day, requests_per_unit: 2}}
`;
const TIMEOUT = new TidegateError('TG_STORE_TIMEOUT', 'too late');

/**
 * A shared store where every bucket whose rule has a failure mode is out of reach, and the rest live in memory; and the
 * local one. Both real, so that what is charged can be read off.
 */
class Setup {
  readonly clock = new SetClock();
  readonly reachable = new MemoryStore({ clock: this.clock });
  readonly local = new MemoryStore({ clock: this.clock });
  readonly telemetry = new RecordedTelemetry();
  readonly limiter: Limiter;

  constructor(options: Partial<LimiterOptions> = {}, onError: FailureMode = 'allow') {
    const store = new ScriptedStore((request) => {
      const within = request.calls.filter((call) => this.reaches(call.key));
      const assumed = request.calls.filter((call) => !this.reaches(call.key) && call.hits > 0);
      // As the real stores do: what cannot be asked counts as assumed when the others are settled.
      const denies = assumed.some((call) => call.role === 'hard' && !call.assumeOnFailure);
      const satisfied =
        request.quotaSatisfied || assumed.some((call) => call.role === 'quota' && call.assumeOnFailure);
      const calls =
        denies && request.chargeDenied === 'none' ? within.map((call) => ({ ...call, hits: 0 })) : within;
      const results = this.reachable.decide({ ...request, calls, quotaSatisfied: satisfied });
      return request.calls.map((call): BucketResult => results[within.indexOf(call)] ?? TIMEOUT);
    });
    this.limiter = new Limiter(
      { store, local: this.local, telemetry: this.telemetry },
      { ...LIMITER, ...options },
    );
    this.limiter.useTable(
      tableOf(TABLE, {
        countersFor: this.telemetry.countersFor,
        defaults: { algorithm: 'fixed_window', consistency: 'exact', onError },
      }),
    );
  }

  private reaches(key: string): boolean {
    return ['ok', 'other', 'full', 'quota'].includes(key.replace(/^d\|(\w+)=.*/, '$1'));
  }

  async decide(...descriptors: string[]): Promise<RlsResponse> {
    return await this.limiter.decide(requestOf(descriptors), NO_DEADLINE);
  }

  /** Tokens in use of a bucket, in the shared store and here. */
  used(key: string): [shared: number, here: number] {
    const params = this.limiter.currentTable?.rules.find((rule) => rule.id === `d.${key}`)?.params;
    if (params === undefined) throw new Error(`no rule d.${key}`);
    const call = {
      key: `d|${key}=x`,
      group: 'g',
      params,
      hits: 0,
      role: 'hard',
      assumeOnFailure: true,
    } as const;
    const ask = (store: MemoryStore): number => {
      const [result] = store.decide({
        calls: [call],
        chargeDenied: 'none',
        quotaSatisfied: false,
        deadlineMs: 1,
      });
      return result === undefined || result instanceof TidegateError ? NaN : result.usedBefore;
    };
    return [ask(this.reachable), ask(this.local)];
  }
}

describe('a rule whose bucket cannot be asked', () => {
  test('allow: passes', async () => {
    const setup = new Setup();
    const { overallCode, statuses } = await setup.decide('allow=x');
    expect([overallCode, statuses[0]?.code, statuses[0]?.limitRemaining]).toEqual([
      RlsCode.OK,
      RlsCode.OK,
      2,
    ]);
    expect(setup.telemetry.events).toEqual(['mode allow TG_STORE_TIMEOUT']);
    expect(setup.telemetry.figures.get('d.allow')).toMatchObject({ total: 1, within: 1, over: 0 });
  });

  test('deny: denied, and may come again in a second', async () => {
    const setup = new Setup({ headers: { ...LIMITER.headers, retryAfter: true } });
    const { overallCode, statuses, responseHeadersToAdd } = await setup.decide('deny=x');
    expect([overallCode, statuses[0]?.limitRemaining, statuses[0]?.durationUntilResetS]).toEqual([
      RlsCode.OVER_LIMIT,
      0,
      1,
    ]);
    expect(responseHeadersToAdd).toEqual([{ key: 'retry-after', value: '1' }]);
    expect(setup.telemetry.figures.get('d.deny')).toMatchObject({ total: 1, within: 0, over: 1 });
  });

  test('local: the same limit, counted here', async () => {
    const setup = new Setup();
    const codes = [];
    for (let call = 0; call < 4; call += 1) codes.push((await setup.decide('local=x')).overallCode);
    expect(codes).toEqual([1, 1, 2, 2]);
    expect(setup.used('local')).toEqual([0, 2]);
  });

  test('error: the call fails with the reason', async () => {
    const setup = new Setup();
    await expect(setup.decide('error=x')).rejects.toBe(TIMEOUT);
    expect(setup.telemetry.events).toEqual(['mode error TG_STORE_TIMEOUT']);
  });

  test.each<[FailureMode, number]>([
    ['allow', RlsCode.OK],
    ['deny', RlsCode.OVER_LIMIT],
    ['local', RlsCode.OK],
  ])('a rule without a mode takes the default, %s', async (mode, code) => {
    expect((await new Setup({}, mode).decide('default=x')).overallCode).toBe(code);
  });
});

describe('with other buckets in the same request', () => {
  test.each<[string, string[], number, Record<string, [number, number]>]>([
    ['allow lets the others take', ['ok=x', 'allow=x'], 1, { ok: [1, 0] }],
    ['deny lets nobody take', ['ok=x', 'deny=x'], 2, { ok: [0, 0] }],
    ['local takes here and there', ['ok=x', 'local=x'], 1, { ok: [1, 0], local: [0, 1] }],
    [
      'a denial there gives back what was taken here',
      ['full=x', 'local=x'],
      2,
      { full: [0, 0], local: [0, 0] },
    ],
    [
      'a denial there leaves others as they were',
      ['ok=x', 'full=x', 'local=x'],
      2,
      { ok: [0, 0], local: [0, 0] },
    ],
  ])('%s', async (_what, descriptors, code, used) => {
    const setup = new Setup();
    expect((await setup.decide(...descriptors)).overallCode).toBe(code);
    for (const [key, figures] of Object.entries(used)) expect([key, setup.used(key)]).toEqual([key, figures]);
  });

  test('a denial here gives back what was taken there, and shows it as left', async () => {
    const setup = new Setup();
    await setup.decide('local=x');
    await setup.decide('local=x');
    const { overallCode, statuses } = await setup.decide('ok=x', 'local=x', 'other=x');
    expect(overallCode).toBe(RlsCode.OVER_LIMIT);
    expect(statuses.map((status) => [status.code, status.limitRemaining])).toEqual([
      [1, 10],
      [2, 0],
      [1, 10],
    ]);
    expect([setup.used('ok'), setup.used('other')]).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test('a denial here after a denial there gives back nothing that was never taken', async () => {
    const setup = new Setup();
    for (const one of ['ok=x', 'local=x', 'local=x']) await setup.decide(one);
    await setup.decide('ok=x', 'full=x', 'local=x');
    expect(setup.used('ok')).toEqual([1, 0]);
  });

  test('one local bucket denies, the other takes nothing', async () => {
    const setup = new Setup();
    for (const one of ['local2=x', 'local2=x']) await setup.decide(one);
    expect((await setup.decide('local=x', 'local2=x')).overallCode).toBe(RlsCode.OVER_LIMIT);
    expect(setup.used('local')).toEqual([0, 0]);
  });

  test('a quota that runs out here denies as one there would', async () => {
    const setup = new Setup();
    for (const one of ['qlocal=x', 'qlocal=x']) await setup.decide(one);
    expect((await setup.decide('qlocal=x', 'ok=x')).overallCode).toBe(RlsCode.OVER_LIMIT);
    expect(setup.used('ok')).toEqual([0, 0]);
    expect((await setup.decide('qlocal=x', 'quota=x', 'ok=x')).overallCode).toBe(RlsCode.OK);
    expect([setup.used('ok'), setup.used('quota')]).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });

  test('a call that fails leaves nothing charged', async () => {
    const setup = new Setup();
    await expect(setup.decide('ok=x', 'error=x')).rejects.toBe(TIMEOUT);
    await expect(setup.decide('quota=x', 'ok=x', 'local=x', 'qerror=x')).rejects.toBe(TIMEOUT);
    expect([setup.used('ok'), setup.used('quota'), setup.used('local')]).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  test.each(['all', 'over'] as const)(
    'where denied requests are charged (%s), nothing is given back',
    async (chargeDenied) => {
      const setup = new Setup({ chargeDenied });
      for (const one of ['local=x', 'local=x']) await setup.decide(one);
      expect((await setup.decide('ok=x', 'local=x')).overallCode).toBe(RlsCode.OVER_LIMIT);
      expect(setup.used('ok')).toEqual([1, 0]);
    },
  );
});

describe('a store that answers less than it was asked', () => {
  test('is treated as one that failed', async () => {
    const telemetry = new RecordedTelemetry();
    const store = new ScriptedStore(() => [outcome()]);
    const limiter = new Limiter({ store, local: store, telemetry }, LIMITER);
    limiter.useTable(tableOf(TABLE, { countersFor: telemetry.countersFor }));
    const { statuses } = await limiter.decide(requestOf(['ok=x', 'deny=x']), NO_DEADLINE);
    expect(statuses.map((status) => status.code)).toEqual([1, 2]);
    expect(telemetry.events[0]).toBe('mode deny TG_STORE_REPLY');
  });
});
