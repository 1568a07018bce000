/** What a token that is denied costs. */
import type { Priority } from '../core/priority';

/** The cost by priority: weighted loss is the sum of cost x tokens denied over the sum of cost x tokens asked for. */
export const LOSS_WEIGHTS: Readonly<Record<Priority, number>> = { CRITICAL: 8, HIGH: 4, MEDIUM: 2, LOW: 1 };
