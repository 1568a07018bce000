/**
 * Thresholds on what was seen last: a service that used most of its rate, or dropped something, grows by a factor; one that used little
 * shrinks by another. What they then want is given by priority.
 */
import type { PolicyKind } from './policy';
import { byPriority, proportional, secondBuckets } from './shares';

const THRESHOLD_HIGH = 0.8;
const THRESHOLD_LOW = 0.6;
const GROWTH_FACTOR = 1.25;
const SHRINK_FACTOR = 0.8;
/** Nobody sinks below this part of its share, from which growing again would take long. */
const LEAST_PART = 0.05;

/** See the file's head. */
export const REACTIVE: PolicyKind = {
  name: 'reactive',
  create: ({ scenario: { services, totalPerS } }) => {
    const shares = proportional(services, totalPerS);
    let rates = shares;
    return {
      first: secondBuckets(shares),
      allocate: ({ atMs, seconds, served, dropped, totalPerS: nowPerS }) => {
        const wanted = rates.map((rate, service) => {
          const use = atMs === 0 ? 0.5 : served[service]! / seconds / Math.max(rate, 1e-9);
          const grows = use > THRESHOLD_HIGH || dropped[service]! > 0;
          const factor = grows ? GROWTH_FACTOR : use < THRESHOLD_LOW ? SHRINK_FACTOR : 1;
          return Math.max(rate * factor, shares[service]! * LEAST_PART);
        });
        rates = byPriority(services, wanted, nowPerS);
        return secondBuckets(rates);
      },
    };
  },
};
