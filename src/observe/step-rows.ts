/** The rows of a step's batch: what each class counted, and which classes are new or have ended. */
import { COUNTS, type ClassInfo, type ObservationBatch } from '../core/observation';
import type { DemandCounts } from '../limiter/demand';

/** A class's row of the step under way. */
export interface StepRow {
  readonly info: ClassInfo;
  readonly figures: Float64Array;
  /** Whether the step has counted anything. */
  active: boolean;
  /** Whether a batch has named the class, and to all who read now. */
  told: 'never' | 'once' | 'now';
}

/** A batch without what says whose and when it is. */
export type StepContents = Pick<ObservationBatch, 'added' | 'ended' | 'classes' | 'counts'>;

/** See the file's head. */
export class StepRows {
  private readonly rows = new Map<string, StepRow>();
  private active: StepRow[] = [];
  private readonly ending = new Set<string>();

  /** The class's row; the class is new unless it has one. One that was to end goes on. */
  rowOf(info: ClassInfo): StepRow {
    this.ending.delete(info.id);
    const known = this.rows.get(info.id);
    if (known !== undefined) return known;
    const added: StepRow = {
      info,
      figures: new Float64Array(COUNTS.length),
      active: false,
      told: 'never',
    };
    this.rows.set(info.id, added);
    return added;
  }

  /** Adds counts to a row. */
  add(row: StepRow, counts: DemandCounts): void {
    if (!row.active) {
      row.active = true;
      this.active.push(row);
    }
    const { figures } = row;
    // In the order of COUNTS; ten thousand rows are added a second, on the thread that decides.
    figures[0] = (figures[0] ?? 0) + counts.arrivals;
    figures[1] = (figures[1] ?? 0) + counts.admitted;
    figures[2] = (figures[2] ?? 0) + counts.denied;
    figures[3] = (figures[3] ?? 0) + counts.queued;
    figures[4] = (figures[4] ?? 0) + counts.hits;
  }

  /** Names every class again in the batch that counts it next, for who has not seen the batches before. */
  nameAgain(): void {
    for (const row of this.rows.values()) if (row.told === 'now') row.told = 'once';
  }

  /** A class ends with the step under way; its row may still be added to until {@link take}. */
  end(id: string): void {
    this.ending.add(id);
  }

  /** The step's rows, in the order they were first counted, and an empty step. */
  take(): StepContents {
    const { active, ending } = this;
    const added: ClassInfo[] = [];
    const counts = new Float64Array(active.length * COUNTS.length);
    active.forEach((row, index) => {
      const { figures } = row;
      for (let column = 0; column < COUNTS.length; column += 1) {
        counts[index * COUNTS.length + column] = figures[column] ?? 0;
        figures[column] = 0;
      }
      row.active = false;
      if (row.told !== 'now') added.push(row.info);
      row.told = 'now';
    });
    const ended = [...ending].filter((id) => (this.rows.get(id)?.told ?? 'never') !== 'never');
    for (const id of ending) this.rows.delete(id);
    this.active = [];
    this.ending.clear();
    return {
      added,
      classes: active.map((row) => row.info.id),
      counts,
      ...(ended.length > 0 ? { ended } : {}),
    };
  }
}
