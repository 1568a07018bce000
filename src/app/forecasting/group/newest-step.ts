/** Up to when history has been written, as it is found at the start. */
import type { History } from '../../../history/history';

const STEP_MS = 1_000;
/** Counts that a group keeps are no older than this by far. */
const LOOK_BACK_MS = 600_000;

/**
 * The newest second that history knows of, Unix ms; -Infinity when it knows of none lately. A class is enough: all share
 * what was looked at.
 */
export function newestStepMs(history: History, nowMs: number): number {
  const info = history.classes().find(({ kind }) => kind !== 'signal');
  if (info === undefined) return -Infinity;
  const { startMs, values } = history.series(info.id, 'arrivals', STEP_MS, nowMs - LOOK_BACK_MS, nowMs);
  const last = values.findLastIndex((value) => Number.isFinite(value));
  return last < 0 ? -Infinity : startMs + last * STEP_MS;
}
