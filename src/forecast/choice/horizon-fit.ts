/**
 * The regressions of one horizon, each tried on blocks of the newest training values that it is solved without, as are
 * the rows that overlap the block. Blocked cross-validation uses nearly all values for each trial, where walking forward
 * would judge by forecasts learnt from half of them (Bergmeir, Hyndman and Koo, "A note on the validity of
 * cross-validation for evaluating autoregressive time series prediction", 2018).
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

/** Fits the regressions with each of `penalties`, and tries them and the `fixed` forecasts. */
export function fitHorizon(
  panel: PhasePanel,
  values: Float64Array,
  plan: HorizonPlan,
  penalties: readonly number[],
  fixed: readonly LinearForecast[],
): HorizonFit {
  const { blocks, ahead } = plan;
  const rows = rowsOf(panel, plan);
  const segments = new Segments(panel, values, plan, rows);
  const collected = new Collected(rows, values, panel.columns, penalties.length, fixed);
  let tried = 0;
  blocks.forEach((block, index) => {
    const solved = segments.solve(penalties, index);
    const made = collected.tryBlock(block, blocks[index + 1] ?? panel.points, ahead, solved);
    if (solved !== undefined) tried += made;
  });
  // What could not be tried is not chosen.
  const enough = tried > 0 && 2 * tried >= collected.count;
  const regressions = enough ? (segments.solve(penalties) ?? []) : [];
  return {
    members: [...regressions.map((coefficients) => ({ coefficients, naive: 0 })), ...fixed],
    trial: collected.trial(enough),
  };
}

/** The rows' sums, cut at the blocks and, before them, into parts of the same length. */
class Segments {
  private readonly parts = new Map<number, { readonly sums: RidgeSums; rows: number }>();
  private readonly steps: number;
  private readonly columns: number;

  constructor(
    panel: PhasePanel,
    values: Float64Array,
    private readonly plan: HorizonPlan,
    rows: Rows,
  ) {
    const first = plan.blocks[0] ?? 0;
    this.columns = panel.columns;
    this.steps = (plan.blocks[1] ?? panel.points) - first;
    rows.made.forEach((now, row) => {
      const part = this.partAt(Math.floor((now + 1 - first) / this.steps));
      const target = now + plan.ahead;
      const weight = 2 ** ((target - panel.points) / plan.halfLife);
      part.sums.add(rows.cells, row * panel.columns, values[target]! - rows.usual[row]!, weight);
      part.rows += 1;
    });
  }

  /**
   * Coefficients for each penalty, from all rows or from those that do not overlap a block; undefined when these are
   * too few.
   */
  solve(penalties: readonly number[], without?: number): readonly Float64Array[] | undefined {
    const sums = new RidgeSums(this.columns);
    let rows = 0;
    for (const [index, part] of this.parts) {
      if (without !== undefined && this.overlap(index, without)) continue;
      sums.addAll(part.sums);
      rows += part.rows;
    }
    if (rows < ROWS_A_COLUMN * this.columns) return undefined;
    return penalties.map((penalty) => sums.solve(penalty));
  }

  private overlap(one: number, other: number): boolean {
    const apart = Math.abs(one - other);
    return apart === 0 || (apart - 0.5) * this.steps < this.plan.ahead;
  }

  private partAt(index: number): { readonly sums: RidgeSums; rows: number } {
    const known = this.parts.get(index);
    if (known !== undefined) return known;
    const part = { sums: new RidgeSums(this.columns), rows: 0 };
    this.parts.set(index, part);
    return part;
  }
}

interface Rows {
  readonly made: readonly number[];
  readonly cells: Float64Array;
  readonly usual: Float64Array;
}

function rowsOf(panel: PhasePanel, plan: HorizonPlan): Rows {
  const made: number[] = [];
  // Counted back from the last value, so that rows of all horizons are made at the same steps.
  const newest = panel.points - 1 - plan.stride * Math.ceil(plan.ahead / plan.stride);
  for (let at = newest; at >= panel.firstRow; at -= plan.stride) made.push(at);
  made.reverse();
  const cells = new Float64Array(made.length * panel.columns);
  const usual = Float64Array.from(made, (at, row) => panel.write(at, plan.ahead, cells, row * panel.columns));
  return { made, cells, usual };
}

/** Collects forecasts block by block. */
class Collected {
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

  /**
   * Forecasts from the steps of a block with what was solved without it; unsolved regressions forecast what is usual.
   * @returns how many were made.
   */
  tryBlock(from: number, to: number, ahead: number, solved: readonly Float64Array[] | undefined): number {
    const { made } = this.rows;
    const before = this.made.length;
    for (; this.row < made.length; this.row += 1) {
      const now = made[this.row]!;
      if (now >= to - 1) break;
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
    return this.made.length - before;
  }

  /** Forecasts made. */
  get count(): number {
    return this.made.length;
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
