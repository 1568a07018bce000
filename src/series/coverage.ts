/** At which steps anything was counted at all: what tells a class's zero from a step that nobody saw. */
import { chunkStart, type Level } from './levels';

/** The covered steps of the chunks of one level that are not packed yet. */
export class Coverage {
  private readonly chunks = new Map<number, Uint8Array>();

  constructor(private readonly level: Level) {}

  /** Notes that a step was counted. */
  mark(atMs: number): void {
    const start = chunkStart(this.level, atMs);
    let steps = this.chunks.get(start);
    if (steps === undefined) {
      steps = new Uint8Array(this.level.chunkSteps);
      this.chunks.set(start, steps);
    }
    steps[Math.floor((atMs - start) / this.level.stepMs)] = 1;
  }

  /** One byte for each step of the chunk that begins at a time, 1 where it was counted. */
  at(startMs: number): Uint8Array | undefined {
    return this.chunks.get(startMs);
  }

  /** Forgets the chunks that begin before a time. */
  dropBefore(startMs: number): void {
    for (const start of this.chunks.keys()) if (start < startMs) this.chunks.delete(start);
  }

  /** Forgets the steps from a time on. */
  dropFrom(atMs: number): void {
    for (const [start, steps] of this.chunks) {
      const from = Math.floor((atMs - start) / this.level.stepMs);
      if (from <= 0) this.chunks.delete(start);
      else if (from < steps.length) steps.fill(0, from);
    }
  }
}
