/**
 * The regressions of one horizon, tried walk-forward: block by block over the end of the training values, each is solved
 * from what was known when the block began and forecasts the block, so that weights and intervals rest on forecasts of
 * values not yet seen.
 */
import { RidgeSums } from '../numeric/least-squares';
import type { PhasePanel } from '../model/phase-panel';

/** Rows of one horizon, and where the trial's blocks begin. */
export interface HorizonPlan {
  /** Steps ahead. */
  readonly ahead: number;
  /** Steps between rows. */
  readonly stride: number;
  /** First steps of the trial's blocks, ascending. */
  readonly blocks: readonly number[];
  /** Rows this old weigh half, steps. */
  readonly halfLife: number;
}

/** A linear forecast of a target: what is usual there, plus a row times coefficients, drawn towards the last value. */
export interface LinearForecast {
  readonly coefficients: Float64Array;
  /** The part of the forecast that is the last value itself, 0 to 1. */
  readonly naive: number;
}

/** Forecasts that members made in the trial, and what came; all on the panel's scale. */
export interface Trial {
  /** Steps that the forecasts were made at. */
  readonly made: readonly number[];
  readonly actual: Float64Array;
  /** The forecasts of each member. */
  readonly forecasts: readonly Float64Array[];
}

/** Members of one horizon fitted to all values, and how they did on the trial. */
export interface HorizonFit {
  readonly members: readonly LinearForecast[];
  readonly trial: Trial;
}

/** Fewest rows a regression is solved from, for each of its columns. */
const ROWS_A_COLUMN = 1.5;

/** Whether there are rows enough for regressions at a horizon. */
export function canRegress(panel: PhasePanel, plan: HorizonPlan): boolean {
  const rows = (panel.points - plan.ahead - panel.firstRow) / plan.stride;
  return rows >= ROWS_A_COLUMN * panel.columns;
}

/** Fits the regressions with each of `penalties`, and tries them and the `fixed` forecasts. */
export function fitHorizon(
  panel: PhasePanel,
  values: Float64Array,
  plan: HorizonPlan,
  penalties: readonly number[],
  fixed: readonly LinearForecast[],
): HorizonFit {
  const rows = rowsOf(panel, plan);
  const { columns } = panel;
  const sums = new RidgeSums(columns);
  const walk = new Walk(rows, values, columns, penalties.length, fixed);
  let learned = 0;
  const learnUntil = (before: number): void => {
    for (; learned < rows.made.length; learned += 1) {
      const target = rows.made[learned]! + plan.ahead;
      if (target >= before) return;
      const weight = 2 ** ((target - panel.points) / plan.halfLife);
      sums.add(rows.cells, learned * columns, values[target]! - rows.usual[learned]!, weight);
    }
  };
  plan.blocks.forEach((block, index) => {
    learnUntil(block);
    const solved =
      learned >= ROWS_A_COLUMN * columns ? penalties.map((penalty) => sums.solve(penalty)) : undefined;
    walk.tryBlock(block, plan.blocks[index + 1] ?? panel.points, plan.ahead, solved);
  });
  learnUntil(panel.points);
  const regressions = canRegress(panel, plan) ? penalties.map((penalty) => sums.solve(penalty)) : [];
  return {
    members: [...regressions.map((coefficients) => ({ coefficients, naive: 0 })), ...fixed],
    trial: walk.trial(regressions.length > 0),
  };
}

interface Rows {
  readonly made: readonly number[];
  readonly cells: Float64Array;
  readonly usual: Float64Array;
}

function rowsOf(panel: PhasePanel, plan: HorizonPlan): Rows {
  const made: number[] = [];
  // Counted back from the last value, so that the newest rows are always there.
  for (let at = panel.points - 1 - plan.ahead; at >= panel.firstRow; at -= plan.stride) made.push(at);
  made.reverse();
  const cells = new Float64Array(made.length * panel.columns);
  const usual = Float64Array.from(made, (at, row) => panel.write(at, plan.ahead, cells, row * panel.columns));
  return { made, cells, usual };
}

/** Collects forecasts block by block. */
class Walk {
  private row = 0;
  private readonly made: number[] = [];
  private readonly actual: number[] = [];
  private readonly forecasts: number[][];

  constructor(
    private readonly rows: Rows,
    private readonly values: Float64Array,
    private readonly columns: number,
    private readonly regressions: number,
    private readonly fixed: readonly LinearForecast[],
  ) {
    this.forecasts = Array.from({ length: regressions + fixed.length }, () => []);
  }

  /** Forecasts from the steps of a block with what was solved before it; without, the regressions forecast what is usual. */
  tryBlock(from: number, to: number, ahead: number, solved: readonly Float64Array[] | undefined): void {
    const { made } = this.rows;
    for (; this.row < made.length; this.row += 1) {
      const now = made[this.row]!;
      if (now >= to - 1) return;
      if (now < from - 1) continue;
      this.made.push(now);
      this.actual.push(this.values[now + ahead]!);
      for (let member = 0; member < this.forecasts.length; member += 1) {
        const linear = this.fixed[member - this.regressions];
        const forecast =
          linear === undefined
            ? this.usualPlus(solved?.[member])
            : (1 - linear.naive) * this.usualPlus(linear.coefficients) + linear.naive * this.values[now]!;
        this.forecasts[member]!.push(forecast);
      }
    }
  }

  /** @param regressed whether the regressions were solved in the end; else they are left out. */
  trial(regressed: boolean): Trial {
    return {
      made: this.made,
      actual: Float64Array.from(this.actual),
      forecasts: this.forecasts.slice(regressed ? 0 : this.regressions).map((row) => Float64Array.from(row)),
    };
  }

  private usualPlus(coefficients: Float64Array | undefined): number {
    let sum = this.rows.usual[this.row]!;
    if (coefficients === undefined) return sum;
    const from = this.row * this.columns;
    for (let column = 0; column < this.columns; column += 1) {
      sum += coefficients[column]! * this.rows.cells[from + column]!;
    }
    return sum;
  }
}
