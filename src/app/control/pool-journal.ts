/** What a pool did of late, for people: decisions, events as they happen, and who changed what. */
import type { AuditView, ControlEvent, DecisionView } from '../../core/control-desk';
import type { HistoryEvent } from '../../history/records';

/** Where it is kept and told. */
export interface JournalParts {
  readonly keep: (event: HistoryEvent) => void;
  readonly kept: (sinceMs: number | undefined) => readonly HistoryEvent[];
  readonly tell: (event: ControlEvent) => void;
}

const MAX_DECISIONS = 5_000;
const MAX_AUDIT = 1_000;
const AUDIT = 'audit';

/** See the file's head. */
export class PoolJournal {
  private readonly made: DecisionView[] = [];
  private readonly changes: AuditView[] = [];
  private second = NaN;
  private told = 0;

  constructor(private readonly parts: JournalParts) {}

  /** Newest first. */
  get decisions(): readonly DecisionView[] {
    return this.made;
  }

  /** Notes a change of outputs. */
  decided(decisions: readonly DecisionView[]): void {
    if (decisions.length === 0) return;
    this.made.unshift(...decisions.slice(0, MAX_DECISIONS));
    this.made.length = Math.min(this.made.length, MAX_DECISIONS);
    for (const decision of decisions.slice(0, MAX_TOLD))
      this.tell({ atMs: decision.atMs, kind: 'decision', pool: decision.pool, data: decision });
  }

  /** Tells those who listen; of decisions and loans, which come in numbers, so many a second. */
  tell(event: ControlEvent): void {
    if (event.kind === 'decision' || event.kind === 'loan') {
      const second = Math.floor(event.atMs / 1_000);
      if (second !== this.second) this.told = 0;
      this.second = second;
      this.told += 1;
      if (this.told > MAX_TOLD_PER_S) return;
    }
    this.parts.tell(event);
  }

  /** Notes that somebody changed something. */
  changed(audit: AuditView): void {
    this.changes.unshift(audit);
    this.changes.length = Math.min(this.changes.length, MAX_AUDIT);
    this.parts.keep({ atMs: audit.atMs, kind: AUDIT, data: { ...audit } });
  }

  /** Who changed what, newest first: from history where it is kept, else of this process. */
  audit(sinceMs: number | undefined): readonly AuditView[] {
    const kept = this.parts.kept(sinceMs).map(({ data }) => data as unknown as AuditView);
    if (kept.length > 0) return kept;
    return this.changes.filter(({ atMs }) => sinceMs === undefined || atMs >= sinceMs);
  }
}

/** Of one tick's changes, so many are told one by one. */
const MAX_TOLD = 100;
/** As many as the feed hands on: each is a message to the thread that serves. */
const MAX_TOLD_PER_S = 200;
