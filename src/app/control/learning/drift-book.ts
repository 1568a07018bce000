/** Which classes' demand has drifted of late, as the forecasts' events tell. */
import type { HistoryEvent } from '../../../history/records';

/** How long a class counts as drifted: its model is fitted anew within that time. */
const DRIFTED_MS = 3_600_000;
const REFRESH_MS = 1_000;
const MAX_EVENTS = 10_000;

/** See the file's head. */
export class DriftBook {
  private classes = new Map<string, number>();
  private refreshedMs = -Infinity;

  /** @param events of drift, from history. */
  constructor(private readonly events: (fromMs: number, limit: number) => readonly HistoryEvent[]) {}

  /** Looks for new ones, at most once a second. @param monotonicMs never steps back. */
  refresh(nowMs: number, monotonicMs: number): void {
    if (monotonicMs < this.refreshedMs + REFRESH_MS) return;
    this.refreshedMs = monotonicMs;
    const drifts = new Map<string, number>();
    for (const { classId, atMs } of this.events(nowMs - DRIFTED_MS, MAX_EVENTS))
      if (classId !== undefined) drifts.set(classId, Math.max(atMs, drifts.get(classId) ?? 0));
    this.classes = drifts;
  }

  /** Whether a class has drifted of late. */
  has(classId: string): boolean {
    return this.classes.has(classId);
  }
}
