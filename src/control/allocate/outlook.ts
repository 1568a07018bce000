/**
 * How much a share is worth: what may be asked for is not known, so the next call that a share would serve is worth the
 * cost of a denial times the chance that it comes. To lose least, everyone's next call should be worth the same: that is the
 * news vendor's rule (Arrow, Harris, Marschak, "Optimal Inventory Policy", Econometrica 1951) for several goods that share one
 * shelf. So the steps of sharing go by falling worth, and at each a member claims the quantile of its demand at which a call
 * is worth just that: who matters more gets headroom before who matters less gets its mean.
 */
import { PRIORITIES, type Priority } from '../../core/priority';
import { LOSS_WEIGHTS } from '../loss-weights';

/** What a member may be asked for until the next allocation, as a normal distribution; tokens a second. */
export interface Outlook {
  readonly meanPerS: number;
  readonly sdPerS: number;
}

/** Steps for which a call's worth falls by half. */
const STEPS_A_HALF = 2;
/**
 * How many standard deviations a normal variable is over its mean with a chance of 2^(-1/2), 2^(-2/2), 2^(-3/2) ...: what is claimed
 * while a call is worth that part of the cost of its denial.
 */
const DEVIATES: readonly number[] = [
  -0.545, 0.0, 0.376, 0.674, 0.928, 1.15, 1.351, 1.534, 1.704, 1.863, 2.012, 2.154, 2.289, 2.418, 2.541, 2.66,
  2.775, 2.886,
];

/** How many steps there are. */
export const STEPS = DEVIATES.length;

const DEAREST = Math.max(...PRIORITIES.map((priority) => LOSS_WEIGHTS[priority]));
/** By priority: so many steps later than the dearest's its first call is worth it. */
const LATER: Readonly<Record<Priority, number>> = {
  CRITICAL: laterBy('CRITICAL'),
  HIGH: laterBy('HIGH'),
  MEDIUM: laterBy('MEDIUM'),
  LOW: laterBy('LOW'),
};

function laterBy(priority: Priority): number {
  return Math.round(STEPS_A_HALF * Math.log2(DEAREST / LOSS_WEIGHTS[priority]));
}

/** What is claimed at a step by a member of a priority, tokens a second; 0 for nothing. */
export function claimAt(step: number, priority: Priority, { meanPerS, sdPerS }: Outlook): number {
  const deviate = DEVIATES[step - LATER[priority]];
  if (deviate === undefined) return 0;
  const claim = meanPerS + deviate * sdPerS;
  return claim > 0 ? claim : 0;
}
