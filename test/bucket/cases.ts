/**
 * Numeric cases of the bucket maths, worked out by hand: the pure functions and every script that claims to do the same
 * are run against them. Each step is one hard call alone in its request.
 */
import type { BucketCase } from './case-form';
import { FIXED_WINDOW_CASES } from './fixed-window-cases';
import { SLIDING_WINDOW_CASES } from './sliding-window-cases';
import { TOKEN_BUCKET_CASES } from './token-bucket-cases';

export type { BucketCase, CaseState, CaseStep } from './case-form';

/** All cases. */
export const BUCKET_CASES: readonly BucketCase[] = [
  ...TOKEN_BUCKET_CASES,
  ...FIXED_WINDOW_CASES,
  ...SLIDING_WINDOW_CASES,
];
