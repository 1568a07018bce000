/** What a signal said last. */
import type { History } from '../history/history';

const LATELY_MS = 60_000;
const STEP_MS = 10_000;

/** The newest value of a signal within the last minute; undefined where there is none. */
export function newestLevel(
  history: Pick<History, 'series'>,
  classId: string,
  nowMs: number,
): number | undefined {
  const untilMs = Math.ceil(nowMs / STEP_MS) * STEP_MS;
  const { values } = history.series(classId, 'level', STEP_MS, untilMs - LATELY_MS, untilMs);
  return values.findLast((value) => Number.isFinite(value));
}
