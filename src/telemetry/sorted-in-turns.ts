/**
 * Sorting a long list without holding up the event loop: sorted slices are merged, and decisions get their turn between
 * slices. Fifty thousand names take some 50 ms in one go; a caller of the data port does not wait that long.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Some 0.5 ms of work. */
const SLICE = 1_000;

/** @returns the entries by name, ascending by UTF-16 units; those of one name in the order they had. */
export async function sortedInTurns<T extends readonly [name: string, ...rest: unknown[]]>(
  entries: readonly T[],
): Promise<T[]> {
  let runs: T[][] = [];
  for (let start = 0; start < entries.length; start += SLICE) {
    runs.push(entries.slice(start, start + SLICE).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
    await nextTurn();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2)
      merged.push(await mergedInTurns(runs[i] ?? [], runs[i + 1] ?? []));
    runs = merged;
  }
  return runs[0] ?? [];
}

async function mergedInTurns<T extends readonly [name: string, ...rest: unknown[]]>(
  left: readonly T[],
  right: readonly T[],
): Promise<T[]> {
  const merged: T[] = [];
  let [l, r] = [0, 0];
  for (;;) {
    const [a, b] = [left[l], right[r]];
    if (a === undefined) return merged.concat(right.slice(r));
    if (b === undefined) return merged.concat(left.slice(l));
    if (b[0] < a[0]) {
      merged.push(b);
      r += 1;
    } else {
      merged.push(a);
      l += 1;
    }
    if (merged.length % SLICE === 0) await nextTurn();
  }
}
