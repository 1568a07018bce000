/** A store as plainly as it can be written: copies all states, judges, settles, and starts over with what is charged. */
import {
  evaluateFixedWindow,
  countAt,
  type FixedWindowState,
  newFixedWindow,
} from '../../src/bucket/fixed-window';
import { judgingOf, settle } from '../../src/bucket/settlement';
import {
  evaluateSlidingWindow,
  newSlidingWindow,
  type SlidingWindowState,
  slidingTotalAt,
} from '../../src/bucket/sliding-window';
import { microTokens } from '../../src/bucket/fixed-point';
import type { Charging } from '../../src/bucket/charging';
import {
  evaluateTokenBucket,
  newTokenBucket,
  tokensAtUt,
  type TokenBucketState,
} from '../../src/bucket/token-bucket';
import type { BucketCall, BucketOutcome, BucketParams, BucketRequest } from '../../src/core/buckets';

type State =
  | { readonly kind: 'token_bucket'; readonly state: TokenBucketState }
  | { readonly kind: 'fixed_window'; readonly state: FixedWindowState }
  | { readonly kind: 'sliding_window'; readonly state: SlidingWindowState };

/** The buckets of a model by identity. */
export type ModelStates = ReadonlyMap<string, State>;

/** What a request does to the model. */
export interface ModelStep {
  readonly outcomes: readonly BucketOutcome[];
  readonly states: ModelStates;
}

/** Decides a request on the states as they are, and leaves those alone. Hits must be whole numbers. */
export function decideByModel(before: ModelStates, request: BucketRequest, nowUs: number): ModelStep {
  const judged = copyOf(before);
  const judging = judgingOf(request.chargeDenied);
  const outcomes = request.calls.map((call) => evaluate(judged, call, nowUs, judging));
  const verdicts = outcomes.map((outcome) => outcome.allowed);
  const { charged } = settle(request.calls, verdicts, request.chargeDenied, request.quotaSatisfied);

  const settled = copyOf(before);
  request.calls.forEach((call, i) => {
    const outcome = evaluate(settled, call, nowUs, charged[i] === true ? 'always' : 'never');
    if (verdicts[i] === true && charged[i] === false) outcomes[i] = outcome;
  });
  return { outcomes, states: settled };
}

/** The parameters that a bucket holds, and whether it is as good as unused: a store may have forgotten it then. */
export function heldBy(
  states: ModelStates,
  identity: string,
  nowUs: number,
): { readonly params: BucketParams; readonly idle: boolean } | undefined {
  const bucket = states.get(identity);
  return bucket === undefined
    ? undefined
    : { params: bucket.state.params, idle: usedAt(bucket, nowUs) === 0 };
}

/** What makes a bucket the same one as another call's. */
export function identityOf(call: BucketCall): string {
  const { algorithm, windowUs } = call.params;
  return JSON.stringify([call.key, algorithm, algorithm === 'token_bucket' ? 0 : windowUs]);
}

function usedAt(bucket: State, nowUs: number): number {
  switch (bucket.kind) {
    case 'token_bucket':
      return microTokens(bucket.state.params.capacity) - tokensAtUt(bucket.state, nowUs);
    case 'fixed_window':
      return countAt(bucket.state, nowUs);
    case 'sliding_window':
      return slidingTotalAt(bucket.state, nowUs);
  }
}

function evaluate(
  states: Map<string, State>,
  call: BucketCall,
  nowUs: number,
  charging: Charging,
): BucketOutcome {
  const identity = identityOf(call);
  const bucket = states.get(identity) ?? unused(call.params, nowUs);
  states.set(identity, bucket);
  switch (bucket.kind) {
    case 'token_bucket':
      return evaluateTokenBucket(bucket.state, call.params, call.hits, nowUs, charging);
    case 'fixed_window':
      return evaluateFixedWindow(bucket.state, call.params, call.hits, nowUs, charging);
    case 'sliding_window':
      return evaluateSlidingWindow(bucket.state, call.params, call.hits, nowUs, charging);
  }
}

function unused(params: BucketParams, nowUs: number): State {
  switch (params.algorithm) {
    case 'token_bucket':
      return { kind: params.algorithm, state: newTokenBucket(params, nowUs) };
    case 'fixed_window':
      return { kind: params.algorithm, state: newFixedWindow(params, nowUs) };
    case 'sliding_window':
      return { kind: params.algorithm, state: newSlidingWindow(params) };
  }
}

function copyOf(states: ModelStates): Map<string, State> {
  return new Map([...states].map(([identity, bucket]) => [identity, copyOfBucket(bucket)]));
}

function copyOfBucket(bucket: State): State {
  if (bucket.kind === 'sliding_window') {
    return { ...bucket, state: { ...bucket.state, ring: bucket.state.ring.slice() } };
  }
  if (bucket.kind === 'fixed_window') return { ...bucket, state: { ...bucket.state } };
  return { ...bucket, state: { ...bucket.state } };
}
