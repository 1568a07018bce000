/** Which batches of which sources were taken, so that none is taken twice, whatever order they come in. */

/** Sequences below the highest of a source that are told apart; older ones count as taken. */
const WINDOW = 256;
/** Sources that are remembered; beyond it the one longest silent is forgotten. */
export const SOURCES_MAX = 1_024;

interface Source {
  highest: number;
  /** The latest step of any batch of it. */
  newestMs: number;
  /** The sequences taken, of the last {@link WINDOW}. */
  readonly taken: Set<number>;
}

/** The batches that were taken. */
export class SourceLedger {
  private readonly sources = new Map<string, Source>();

  /**
   * Whether a batch is new; if so it is noted as taken. A source that counts from the beginning again, at a later time
   * than any before, has been restarted: its batches are new.
   */
  accept(name: string, sequence: number, atMs: number): boolean {
    let source = this.sources.get(name);
    if (source !== undefined) this.sources.delete(name);
    const restarted = source !== undefined && sequence < source.highest && atMs > source.newestMs;
    if (source === undefined || restarted) source = { highest: 0, newestMs: -Infinity, taken: new Set() };
    this.sources.set(name, source);
    if (this.sources.size > SOURCES_MAX) this.forgetOldest();
    if (sequence <= source.highest - WINDOW || source.taken.has(sequence)) return false;
    source.taken.add(sequence);
    source.newestMs = Math.max(source.newestMs, atMs);
    if (sequence > source.highest) {
      source.highest = sequence;
      if (source.taken.size > 2 * WINDOW)
        for (const one of source.taken) if (one <= sequence - WINDOW) source.taken.delete(one);
    }
    return true;
  }

  private forgetOldest(): void {
    for (const name of this.sources.keys()) {
      this.sources.delete(name);
      return;
    }
  }
}
