/** Knows what the interval will bring, and gives it by priority: how well rates alone can do. */
import type { PolicyKind } from './policy';
import { byPriority, proportional, secondBuckets } from './shares';

/** See the file's head. */
export const ORACLE: PolicyKind = {
  name: 'oracle',
  create: ({ scenario: { services, totalPerS } }) => ({
    first: secondBuckets(proportional(services, totalPerS)),
    allocate: ({ coming, view, seconds, totalPerS: nowPerS }) => {
      const wanted = coming.map((requests, service) => (requests + view.queued[service]!) / seconds);
      return secondBuckets(byPriority(services, wanted, nowPerS));
    },
  }),
};
