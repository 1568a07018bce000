/**
 * What the processes of one Tidegate counted, step by step, as one source: the group hears of a host once a step, however
 * many workers it has.
 */
import { COUNTS, type ClassInfo, type HostSample, type ObservationBatch } from '../../../core/observation';

/** After a step's end, until all workers' counts of it have come; what comes later is told in a batch of its own. */
const GATHER_MS = 400;
/** Steps that are gathered at once; beyond, the oldest is told. */
const MAX_STEPS = 16;
const COLUMNS = COUNTS.length;

interface Step {
  readonly stepMs: number;
  readonly added: Map<string, ClassInfo>;
  readonly ended: Set<string>;
  readonly rows: Map<string, Float64Array>;
  host: HostSample | undefined;
}

/** See the file's head. */
export class OwnBatches {
  private readonly steps = new Map<number, Step>();
  private sequence = 0;

  constructor(private readonly source: string) {}

  /** Adds what one process counted. */
  add(batch: ObservationBatch): void {
    const step = this.stepOf(batch);
    for (const info of batch.added) step.added.set(info.id, info);
    for (const id of batch.ended ?? []) step.ended.add(id);
    batch.classes.forEach((id, index) => {
      const row = step.rows.get(id) ?? new Float64Array(COLUMNS);
      step.rows.set(id, row);
      for (let column = 0; column < COLUMNS; column += 1)
        row[column] = (row[column] ?? 0) + (batch.counts[index * COLUMNS + column] ?? 0);
    });
    if (batch.host !== undefined) step.host = batch.host;
  }

  /** The steps that are complete, oldest first, each as one batch. */
  due(nowMs: number): readonly ObservationBatch[] {
    const ready = [...this.steps.keys()].sort((a, b) => a - b);
    const over = Math.max(0, ready.length - MAX_STEPS);
    return ready
      .filter(
        (atMs, index) => index < over || atMs + (this.steps.get(atMs)?.stepMs ?? 0) + GATHER_MS <= nowMs,
      )
      .map((atMs) => this.tell(atMs));
  }

  /** All there is, complete or not. */
  rest(): readonly ObservationBatch[] {
    return [...this.steps.keys()].sort((a, b) => a - b).map((atMs) => this.tell(atMs));
  }

  private stepOf({ atMs, stepMs }: ObservationBatch): Step {
    const known = this.steps.get(atMs);
    if (known !== undefined) return known;
    const fresh: Step = { stepMs, added: new Map(), ended: new Set(), rows: new Map(), host: undefined };
    this.steps.set(atMs, fresh);
    return fresh;
  }

  private tell(atMs: number): ObservationBatch {
    const { stepMs, added, ended, rows, host } = this.steps.get(atMs) as Step;
    this.steps.delete(atMs);
    this.sequence += 1;
    const counts = new Float64Array(rows.size * COLUMNS);
    let at = 0;
    for (const row of rows.values()) {
      counts.set(row, at);
      at += COLUMNS;
    }
    return {
      source: this.source,
      sequence: this.sequence,
      atMs,
      stepMs,
      added: [...added.values()],
      ...(ended.size === 0 ? {} : { ended: [...ended] }),
      classes: [...rows.keys()],
      counts,
      ...(host === undefined ? {} : { host }),
    };
  }
}
