/** How much a priority weighs when a total is shared. */
import { PRIORITIES, type Priority } from '../../core/priority';

/**
 * The weight of a priority in weighted max-min sharing. What a denied call costs is linear in the calls denied, so the best
 * order is strict: a priority first, then the next. A strict order starves whoever is last; a step of eight is near it and
 * is not: while a priority is short, the next above it is short only below an eighth of that one's level. Guarantees, which
 * come first, protect the low ones beyond that.
 */
export const PRIORITY_WEIGHTS: Readonly<Record<Priority, number>> = {
  CRITICAL: 512,
  HIGH: 64,
  MEDIUM: 8,
  LOW: 1,
};

/** The place of a priority, 0 the most important; what is unknown counts as the least. */
export function priorityRank(priority: Priority): number {
  const rank = PRIORITIES.indexOf(priority);
  return rank < 0 ? PRIORITIES.length - 1 : rank;
}
