/**
 * The pure maths as a store that never forgets: what the Redis script must agree with. Its states are copied before a
 * request, so that going back is putting the copies back.
 */
import { evaluateFixedWindow, type FixedWindowState, newFixedWindow } from '../../src/bucket/fixed-window';
import { callFault, judgingOf, settleResults } from '../../src/bucket/settlement';
import {
  evaluateSlidingWindow,
  newSlidingWindow,
  type SlidingWindowState,
} from '../../src/bucket/sliding-window';
import { evaluateTokenBucket, newTokenBucket, type TokenBucketState } from '../../src/bucket/token-bucket';
import type { Charging } from '../../src/bucket/charging';
import type { BucketCall, BucketOutcome, BucketRequest, BucketResult } from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';

type State = { tb: TokenBucketState } | { fw: FixedWindowState } | { sw: SlidingWindowState };

/** Decides by the pure functions alone. */
export class Oracle {
  #states = new Map<string, State>();

  decide(request: BucketRequest, nowUs: number): BucketResult[] {
    const before = structuredClone(this.#states);
    const known = new Set(before.keys());
    const judging = judgingOf(request.chargeDenied);
    const results = request.calls.map(
      (call): BucketResult => callFault(call) ?? this.#evaluate(call, nowUs, judging),
    );
    const { charged } = settleResults(request, results);
    const spared = results.map((result, i) => isAllowed(result) && charged[i] === false);
    if (spared.includes(true)) {
      this.#states = before;
      request.calls.forEach((call, i) => {
        if (callFault(call) !== undefined) return;
        const again = this.#evaluate(call, nowUs, charged[i] === true ? 'always' : 'never');
        if (spared[i] === true) results[i] = again;
      });
    }
    for (const [key, state] of this.#states) {
      if (!known.has(key) && isUnused(state)) this.#states.delete(key);
    }
    return results;
  }

  #evaluate(call: BucketCall, nowUs: number, charging: Charging): BucketOutcome {
    const { params, hits } = call;
    const id = `${call.key}:${params.algorithm}:${params.algorithm === 'token_bucket' ? '' : params.windowUs}`;
    let state = this.#states.get(id);
    if (state === undefined) {
      state =
        params.algorithm === 'token_bucket'
          ? { tb: newTokenBucket(params, nowUs) }
          : params.algorithm === 'fixed_window'
            ? { fw: newFixedWindow(params, nowUs) }
            : { sw: newSlidingWindow(params) };
      this.#states.set(id, state);
    }
    if ('tb' in state) return evaluateTokenBucket(state.tb, params, hits, nowUs, charging);
    if ('fw' in state) return evaluateFixedWindow(state.fw, params, hits, nowUs, charging);
    return evaluateSlidingWindow(state.sw, params, hits, nowUs, charging);
  }
}

function isAllowed(result: BucketResult): boolean {
  return !(result instanceof TidegateError) && result.allowed;
}

function isUnused(state: State): boolean {
  if ('tb' in state) return state.tb.tokensUt === state.tb.params.capacity * 1_000_000;
  return ('fw' in state ? state.fw.count : state.sw.total) === 0;
}
