import { judgingOf } from '../../src/bucket/settlement';
import { evaluateFixedWindow, newFixedWindow } from '../../src/bucket/fixed-window';
import {
  evaluateSlidingWindow,
  newSlidingWindow,
  slidingWindowEntries,
} from '../../src/bucket/sliding-window';
import { evaluateTokenBucket, newTokenBucket } from '../../src/bucket/token-bucket';
import type { BucketOutcome, BucketParams } from '../../src/core/buckets';
import { BUCKET_CASES, type CaseState, type CaseStep } from './cases';

interface Runner {
  run(step: CaseStep): BucketOutcome;
  state(): CaseState;
}

function runner(params: BucketParams, nowUs: number): Runner {
  switch (params.algorithm) {
    case 'token_bucket': {
      const state = newTokenBucket(params, nowUs);
      return {
        run: (s) => evaluateTokenBucket(state, s.params, s.hits, s.nowUs, judgingOf(s.chargeDenied)),
        state: () => ({ tokensUt: state.tokensUt, lastUs: state.lastUs }),
      };
    }
    case 'fixed_window': {
      const state = newFixedWindow(params, nowUs);
      return {
        run: (s) => evaluateFixedWindow(state, s.params, s.hits, s.nowUs, judgingOf(s.chargeDenied)),
        state: () => ({ count: state.count, startUs: state.startUs }),
      };
    }
    case 'sliding_window': {
      const state = newSlidingWindow(params);
      return {
        run: (s) => evaluateSlidingWindow(state, s.params, s.hits, s.nowUs, judgingOf(s.chargeDenied)),
        state: () => ({ entries: slidingWindowEntries(state) }),
      };
    }
  }
}

describe('the shared numeric cases', () => {
  it.each(BUCKET_CASES.map((c) => [c.steps[0]?.params.algorithm, c.name, c] as const))(
    '%s: %s',
    (_algorithm, _name, { steps }) => {
      const first = steps[0];
      if (first === undefined) throw new Error('a case needs steps');
      const bucket = runner(first.params, first.nowUs);
      steps.forEach((step, i) => {
        expect({ step: i, ...bucket.run(step) }).toStrictEqual({ step: i, ...step.outcome });
        if (step.state !== undefined)
          expect({ step: i, ...bucket.state() }).toStrictEqual({ step: i, ...step.state });
      });
    },
  );
});
