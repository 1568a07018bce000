/** Joining what two stores have seen, as when the file of one could only be opened after the other had begun. */
import type { Level } from './levels';
import type { SeriesStore } from './series-store';

/** Adds all that one store holds in memory to another, level by level. */
export function adoptSeries(into: SeriesStore, from: SeriesStore, levels: readonly Level[]): void {
  for (const known of from.table.all()) {
    const target = into.table.add(known.info, known.sinceMs)?.known;
    if (target?.group !== known.group) continue;
    target.sinceMs = Math.min(target.sinceMs, known.sinceMs);
    target.endMs = known.endMs;
    target.lastMs = Math.max(target.lastMs, known.lastMs);
    levels.forEach((level, index) => {
      for (const startMs of known.block.starts(index)) {
        const columns = known.block.read(index, startMs, known.slot);
        if (columns === undefined) continue;
        into.loadChunk(target.block.id, index, startMs);
        for (let step = 0; step < level.chunkSteps; step += 1) {
          const row = columns.map((column) => column[step] ?? NaN);
          if (!Number.isNaN(row[0]))
            target.block.addAt(index, target.slot, startMs + step * level.stepMs, row, 0);
        }
      }
    });
  }
}
