/** The last changes of who decides and of the mode of learning, and how often each reason brought one. */
import type { LearningSwitchView } from '../../../core/learning';

const MAX_KEPT = 64;
/** Reasons are few and known; this is for those that are not. */
const MAX_REASONS = 64;

/** See the file's head. */
export class SwitchLog {
  private readonly kept: LearningSwitchView[] = [];
  private readonly counted = new Map<string, number>();

  /** Newest first. */
  get newest(): readonly LearningSwitchView[] {
    return this.kept;
  }

  /** By reason, since the start. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counted);
  }

  note(change: LearningSwitchView): void {
    this.kept.unshift(change);
    this.kept.length = Math.min(this.kept.length, MAX_KEPT);
    const { reason } = change;
    if (this.counted.has(reason) || this.counted.size < MAX_REASONS)
      this.counted.set(reason, (this.counted.get(reason) ?? 0) + 1);
  }
}
