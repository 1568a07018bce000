/** What the limiter's tests share: telemetry that remembers, a scripted store, a clock to set, short forms. */
import { Later } from '../../src/core/later';
import type { BucketOutcome, BucketRequest, BucketResult, BucketStore } from '../../src/core/buckets';
import type { Clock } from '../../src/core/clock';
import { TidegateError } from '../../src/core/errors';
import type { CallContext, DecisionTelemetry, RuleCounters } from '../../src/core/ports';
import type { RlsDescriptor, RlsRequest, RlsResponse } from '../../src/core/rls';
import { compileLimits, type CompileOptions, type CompileResult } from '../../src/limiter/compile-limits';
import type { LimitTable } from '../../src/limiter/limit-table';
import type { Limiter, LimiterOptions } from '../../src/limiter/limiter';

/** The figures of one metric key. */
export interface Figures {
  total: number;
  over: number;
  near: number;
  within: number;
  shadow: number;
}

/** Telemetry that keeps everything it is told. */
export class RecordedTelemetry implements DecisionTelemetry {
  readonly figures = new Map<string, Figures>();
  readonly events: string[] = [];

  readonly countersFor = (metricKey: string): RuleCounters => {
    let figures = this.figures.get(metricKey);
    if (figures === undefined)
      this.figures.set(metricKey, (figures = { total: 0, over: 0, near: 0, within: 0, shadow: 0 }));
    const kept = figures;
    return {
      totalHits: (hits) => void (kept.total += hits),
      overLimit: (hits) => void (kept.over += hits),
      nearLimit: (hits) => void (kept.near += hits),
      withinLimit: (hits) => void (kept.within += hits),
      shadowMode: (hits) => void (kept.shadow += hits),
    };
  };
  domainNotFound(domain: string): void {
    this.events.push(`domain ${domain}`);
  }
  globalShadow(): void {
    this.events.push('global shadow');
  }
  callFailed(kind: string): void {
    this.events.push(`failed ${kind}`);
  }
  failureModeUsed(mode: string, error: { code: string }): void {
    this.events.push(`mode ${mode} ${error.code}`);
  }
  denied(metricKey: string, bucketKey: string, hits: number): void {
    this.events.push(`denied ${metricKey} ${bucketKey} ${hits}`);
  }
}

/** A store that answers what it is told to, and keeps what it was asked. */
export class ScriptedStore implements BucketStore {
  readonly asked: BucketRequest[] = [];

  constructor(
    private answer: (request: BucketRequest) => readonly BucketResult[] | Later<readonly BucketResult[]>,
  ) {}

  then(answer: (request: BucketRequest) => readonly BucketResult[] | Later<readonly BucketResult[]>): void {
    this.answer = answer;
  }
  decide(request: BucketRequest): readonly BucketResult[] | Later<readonly BucketResult[]> {
    this.asked.push(request);
    return this.answer(request);
  }
  ready(): boolean {
    return true;
  }
  async close(): Promise<void> {}
}

/** An outcome with what is usual, and what the case says. */
export function outcome(part: Partial<BucketOutcome> = {}): BucketOutcome {
  const allowed = part.allowed ?? true;
  return {
    allowed,
    usedBefore: 0,
    usedAfter: 1,
    remaining: allowed ? 9 : 0,
    resetUs: 60_000_000,
    retryAfterUs: allowed ? 0 : 5_000_000,
    ...part,
  };
}

/** A clock that stands where it is put. */
export class SetClock implements Clock {
  constructor(public us = 1_700_000_000_000_000) {}
  nowUs(): number {
    return this.us;
  }
  monotonicMs(): number {
    return this.us / 1_000;
  }
}

/** How tests compile unless they say otherwise. */
export const COMPILE: CompileOptions = {
  defaults: { algorithm: 'token_bucket', consistency: 'exact', onError: 'allow' },
  mergeDomains: false,
  lenient: false,
  generation: 1,
  countersFor: new RecordedTelemetry().countersFor,
};

/** How the limiter answers in tests unless they say otherwise. */
export const LIMITER: LimiterOptions = {
  chargeDenied: 'none',
  storeDeadlineMs: 10,
  strictRequests: true,
  colocate: 'bucket',
  shadowMode: false,
  quotaMode: false,
  dynamicMetadata: false,
  headers: {
    enabled: false,
    limit: 'RateLimit-Limit',
    remaining: 'RateLimit-Remaining',
    reset: 'RateLimit-Reset',
    retryAfter: false,
  },
  nearLimitRatio: 0.8,
};

/** Compiles one file, or several, named a.yaml, b.yaml and so on. */
export function compile(
  texts: string | readonly string[],
  options: Partial<CompileOptions> = {},
): CompileResult {
  const list = typeof texts === 'string' ? [texts] : texts;
  return compileLimits(
    list.map((text, index) => ({ name: `${String.fromCharCode(97 + index)}.yaml`, text })),
    { ...COMPILE, ...options },
  );
}

/** The table of files without a mistake. */
export function tableOf(
  texts: string | readonly string[],
  options: Partial<CompileOptions> = {},
): LimitTable {
  const { table, errors } = compile(texts, options);
  if (table === undefined) throw new Error(errors.map(String).join('\n'));
  return table;
}

/** `k=v,k2=v2` as a descriptor. */
export function descriptor(text: string, part: Partial<RlsDescriptor> = {}): RlsDescriptor {
  const entries = text.split(',').map((entry) => {
    const at = entry.indexOf('=');
    return at < 0 ? { key: entry, value: '' } : { key: entry.slice(0, at), value: entry.slice(at + 1) };
  });
  return { entries, negativeHits: false, ...part };
}

/** A request of domain `d`. */
export function requestOf(
  descriptors: readonly (string | RlsDescriptor)[],
  hitsAddend = 0,
  domain = 'd',
): RlsRequest {
  return {
    domain,
    descriptors: descriptors.map((one) => (typeof one === 'string' ? descriptor(one) : one)),
    hitsAddend,
  };
}

/** A caller without a deadline. */
export const NO_DEADLINE: CallContext = { timeoutMs: Infinity };

/** Decides with a store that answers at once. */
export function decideNow(limiter: Limiter, request: RlsRequest): RlsResponse {
  const response = limiter.decide(request, NO_DEADLINE);
  if (response instanceof Later) throw new Error('the store did not answer at once');
  return response;
}

/** What an action throws; nothing but our own errors may come out. */
export function thrownBy(action: () => unknown): TidegateError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof TidegateError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}
