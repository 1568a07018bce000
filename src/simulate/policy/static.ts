/** Every service has its share of the total, whatever comes. */
import type { PolicyKind } from './policy';
import { proportional, secondBuckets } from './shares';

/** See the file's head. */
export const STATIC: PolicyKind = {
  name: 'static',
  create: ({ scenario: { services, totalPerS } }) => ({
    first: secondBuckets(proportional(services, totalPerS)),
    allocate: (seen) => secondBuckets(proportional(services, seen.totalPerS)),
  }),
};
