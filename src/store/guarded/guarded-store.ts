/**
 * A store behind a circuit breaker: while it is open, requests fail at once instead of each waiting for its deadline.
 * Also the place where every request's time and failures are seen.
 *
 * A store of several nodes watches each with a breaker of its own (see the Redis store's `guard`) and is then wrapped
 * here without one, for the figures alone.
 */
import { Later } from '../../core/later';
import type { BucketRequest, BucketResult, BucketStore } from '../../core/buckets';
import { TidegateError } from '../../core/errors';
import type { BreakerBoard } from './breaker-board';

/** What a {@link GuardedStore} takes. */
export interface GuardedStoreOptions {
  /** Absent: every request goes through. */
  readonly breaker?: BreakerBoard;
  /** The store's name on the board. */
  readonly name?: string;
  /** Monotonic milliseconds. */
  readonly nowMs?: () => number;
  /** Told of every request that reached the store: how long it took, and the errors among its results. */
  readonly onDecided?: (latencyMs: number, errors: readonly TidegateError[]) => void;
}

/** Errors that tell nothing about whether the store works. */
const HARMLESS: ReadonlySet<string> = new Set([
  'TG_STORE_BREAKER_OPEN',
  'TG_STORE_REPLY',
  'TG_REQUEST_TOO_LARGE',
]);

/** The decorator. */
export class GuardedStore implements BucketStore {
  readonly #name: string;
  readonly #nowMs: () => number;

  constructor(
    private readonly inner: BucketStore,
    private readonly options: GuardedStoreOptions = {},
  ) {
    this.#name = options.name ?? 'store';
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** As the store decides; TG_STORE_BREAKER_OPEN while the breaker is open, TG_INTERNAL should the store throw. */
  decide(request: BucketRequest): readonly BucketResult[] | Later<readonly BucketResult[]> {
    if (this.options.breaker?.admit(this.#name) === false) {
      const error = new TidegateError(
        'TG_STORE_BREAKER_OPEN',
        `${this.#name} failed too often and is left alone`,
      );
      return request.calls.map(() => error);
    }
    const startMs = this.#nowMs();
    try {
      const results = this.inner.decide(request);
      if (!(results instanceof Later)) return this.#seen(results, startMs);
      return results.map(
        (settled) => this.#seen(settled, startMs),
        (thrown: unknown) => this.#seen(allFailed(request, thrown), startMs),
      );
    } catch (thrown) {
      return this.#seen(allFailed(request, thrown), startMs);
    }
  }

  ready(): boolean {
    return this.inner.ready();
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  #seen(results: readonly BucketResult[], startMs: number): readonly BucketResult[] {
    const latencyMs = this.#nowMs() - startMs;
    const errors = results.filter((result) => result instanceof TidegateError);
    const [failure] = errors.filter((error) => !HARMLESS.has(error.code));
    // A store that answered anything works; one of its parts may not, which is that part's own breaker's affair.
    if (failure !== undefined && errors.length === results.length) {
      this.options.breaker?.failed(this.#name, failure);
    } else {
      this.options.breaker?.succeeded(this.#name, latencyMs);
    }
    this.options.onDecided?.(latencyMs, errors);
    return results;
  }
}

function allFailed(request: BucketRequest, thrown: unknown): readonly BucketResult[] {
  const error = TidegateError.from(thrown);
  return request.calls.map(() => error);
}
