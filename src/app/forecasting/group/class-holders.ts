/** Who counts a class: one that several sources count ends only when the last of them ends it. */
import type { ObservationBatch } from '../../../core/observation';

/** Classes of sources that are remembered, over all sources; beyond, an end is taken as it is told. */
const MAX_HELD = 200_000;
/** A source that is silent for this long holds nothing, ms. */
const SILENT_MS = 120_000;

interface Source {
  readonly held: Set<string>;
  lastMs: number;
}

/** See the file's head. */
export class ClassHolders {
  private readonly sources = new Map<string, Source>();
  private readonly holders = new Map<string, number>();
  private held = 0;

  /** A batch without the ends of classes that other sources still count. */
  settle(batch: ObservationBatch, nowMs: number): ObservationBatch {
    const source = this.sourceOf(batch.source, nowMs);
    for (const { id } of batch.added) this.hold(source, id);
    // Whoever counts a class holds it, also when it was named before anybody listened.
    for (const id of batch.classes) this.hold(source, id);
    if (batch.ended === undefined) return batch;
    const { ended, ...rest } = batch;
    const over = ended.filter((id) => this.release(source, id));
    return over.length === 0 ? rest : { ...rest, ended: over };
  }

  /** Forgets sources that were silent for long. @returns the classes that nobody counts any more. */
  dropSilent(nowMs: number): readonly string[] {
    const over: string[] = [];
    for (const [name, source] of this.sources) {
      // A clock that was set back would keep the silent for as long.
      source.lastMs = Math.min(source.lastMs, nowMs);
      if (nowMs - source.lastMs < SILENT_MS) continue;
      for (const id of source.held) if (this.release(source, id)) over.push(id);
      this.sources.delete(name);
    }
    return over;
  }

  private sourceOf(name: string, nowMs: number): Source {
    const known = this.sources.get(name);
    if (known !== undefined) {
      known.lastMs = nowMs;
      return known;
    }
    const fresh: Source = { held: new Set(), lastMs: nowMs };
    this.sources.set(name, fresh);
    return fresh;
  }

  private hold(source: Source, id: string): void {
    if (this.held >= MAX_HELD || source.held.has(id)) return;
    source.held.add(id);
    this.held += 1;
    this.holders.set(id, (this.holders.get(id) ?? 0) + 1);
  }

  /** @returns whether nobody holds it any more. */
  private release(source: Source, id: string): boolean {
    if (source.held.delete(id)) {
      this.held -= 1;
      const left = (this.holders.get(id) ?? 1) - 1;
      if (left > 0) this.holders.set(id, left);
      else this.holders.delete(id);
    }
    return !this.holders.has(id);
  }
}
