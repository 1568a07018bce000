/** What members were asked for of late, over all processes: the newest step that each has told of. */
import { COUNTS, type ObservationBatch } from '../../core/observation';

/** A class's rates, a second. */
export interface SeenRates {
  readonly demandPerS: number;
  readonly admittedPerS: number;
  readonly deniedPerS: number;
  readonly queuedPerS: number;
}

interface Told {
  readonly receivedMs: number;
  readonly stepMs: number;
  readonly counts: ReadonlyMap<string, Float64Array>;
}

const SILENT: SeenRates = { demandPerS: 0, admittedPerS: 0, deniedPerS: 0, queuedPerS: 0 };
const UNKNOWN: SeenRates = { demandPerS: NaN, admittedPerS: NaN, deniedPerS: NaN, queuedPerS: NaN };
/** A process that says nothing for so long has gone. */
const GONE_MS = 4_000;
const MAX_SOURCES = 1_000;
const MAX_CLASSES = 100_000;
const [ARRIVALS, ADMITTED, DENIED, QUEUED, HITS] = [0, 1, 2, 3, 4] as const;

/** See the file's head. */
export class DemandTap {
  private readonly told = new Map<string, Told>();

  /**
   * Takes what one process saw in a step.
   * @param wanted whether a class belongs to a member.
   * @param nowMs when it came, on a clock that does not jump.
   */
  note(batch: ObservationBatch, wanted: (id: string) => boolean, nowMs: number): void {
    const counts = new Map<string, Float64Array>();
    batch.classes.forEach((id, row) => {
      if (counts.size < MAX_CLASSES && wanted(id))
        counts.set(id, batch.counts.slice(row * COUNTS.length, (row + 1) * COUNTS.length));
    });
    if (!this.told.has(batch.source) && this.told.size >= MAX_SOURCES) return;
    this.told.set(batch.source, { receivedMs: nowMs, stepMs: batch.stepMs, counts });
  }

  /** Forgets those who were not heard lately. */
  forgetSilent(nowMs: number): void {
    for (const [source, { receivedMs }] of this.told)
      if (nowMs - receivedMs > GONE_MS) this.told.delete(source);
  }

  /** The rates of a class over all processes that are remembered; NaN when there are none. */
  ratesOf(id: string): SeenRates {
    if (this.told.size === 0) return UNKNOWN;
    let seen: SeenRates = SILENT;
    for (const { counts, stepMs } of this.told.values()) {
      const row = counts.get(id);
      if (row !== undefined) seen = sum(seen, row, 1_000 / stepMs);
    }
    return seen;
  }
}

/** Calls are told in calls, demand in tokens: what was admitted is as heavy as what asked. */
function sum(seen: SeenRates, row: Float64Array, perS: number): SeenRates {
  const at = (column: number): number => (row[column] ?? 0) * perS;
  const weight = at(ARRIVALS) > 0 ? at(HITS) / at(ARRIVALS) : 1;
  return {
    demandPerS: seen.demandPerS + at(HITS),
    admittedPerS: seen.admittedPerS + at(ADMITTED) * weight,
    deniedPerS: seen.deniedPerS + at(DENIED) * weight,
    queuedPerS: seen.queuedPerS + at(QUEUED),
  };
}
