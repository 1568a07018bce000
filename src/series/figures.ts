/** Which columns a class has, and how a figure is read from them. Columns only ever add up, so that coarser steps are exact. */
import { COUNTS, type ClassKind, type FigureName } from '../core/observation';

/** A group of figures that are kept together. */
export type FigureGroup = 'counts' | 'level';

/** How many columns a group has: the counts; or a level's sum and how many samples it is of. */
export const GROUP_COLUMNS: Readonly<Record<FigureGroup, number>> = { counts: COUNTS.length, level: 2 };

/** A count in one step is bounded to this: beyond it sums of sums would lose digits. */
export const COUNT_MAX = 1e12;
/** A level is bounded to plus or minus this. */
export const LEVEL_MAX = 1e15;

/** The group of a class of a kind. */
export function groupOf(kind: ClassKind): FigureGroup {
  return kind === 'signal' ? 'level' : 'counts';
}

/** A figure as a function of a class's columns; undefined when such a class has no such figure. */
export function figureColumns(
  group: FigureGroup,
  figure: FigureName,
): readonly [number] | readonly [number, number] | undefined {
  if (group === 'level') return figure === 'level' ? [0, 1] : undefined;
  const column = (COUNTS as readonly string[]).indexOf(figure);
  return column < 0 ? undefined : [column];
}

/** A step's figure: a column, or the first divided by the second. */
export function figureOf(columns: readonly Float64Array[], of: readonly number[], step: number): number {
  const value = columns[of[0] ?? 0]?.[step] ?? NaN;
  const samples = of[1];
  if (samples === undefined) return value;
  const count = columns[samples]?.[step] ?? NaN;
  return count > 0 ? value / count : NaN;
}
