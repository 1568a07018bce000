/**
 * What a request of each class costs of a resource, learned from what a host used and how many requests of each class it
 * served: a regression without negative costs, whose past fades, drawn to the costs that settings give.
 */
import { factorise, solveFactored } from '../numeric/least-squares';

/** How costs of one resource are learned. */
export interface ConsumptionOptions {
  /** Classes that are told apart; the requests of later ones count together. */
  readonly classesMax: number;
  /** Steps after which a step's weight has faded to 1/e. */
  readonly memorySteps: number;
  /** How many steps of a class's usual traffic the cost given for it is worth. */
  readonly priorSteps: number;
  /** Costs given, by class, in units a request; a class without one is drawn to the mean cost of all requests. */
  readonly given: ReadonlyMap<string, number>;
}

/** What is known of one class's cost. */
export interface RequestCost {
  /** Units of the resource a request; at least 0. */
  readonly cost: number;
  /** How much of it is learned and not given, 0 to 1; low while a class comes only together with another. */
  readonly confidence: number;
}

/** What counts above this are cut to, so that sums of squares stay finite. */
const FIGURE_MAX = 1e15;
/** Fewer requests than this are none: their squares would vanish. */
const COUNT_MIN = 1e-3;
const SWEEPS_MAX = 200;
const SWEEP_TOLERANCE = 1e-10;
/** Columns: the idle base, the classes that are not told apart, then the classes. */
const BASE = 0;
const OTHERS = 1;
const FIRST_CLASS = 2;

/** Learns the costs of one resource. */
export class Consumption {
  private readonly columns = new Map<string, number>();
  private readonly size: number;
  /** Faded sums of products of the columns, and of each with the use. */
  private readonly products: Float64Array;
  private readonly targets: Float64Array;
  private readonly costs: Float64Array;
  private steps = 0;
  private stale = false;

  constructor(private readonly options: ConsumptionOptions) {
    this.size = FIRST_CLASS + Math.max(0, options.classesMax);
    this.products = new Float64Array(this.size * this.size);
    this.targets = new Float64Array(this.size);
    this.costs = new Float64Array(this.size);
  }

  /**
   * Takes one step: requests by class, and the resource's use. A use that is not a figure of at least 0 is a missing
   * sample, and the step is left out; counts that are not are counted as none.
   */
  observe(counts: ReadonlyMap<string, number>, use: number): void {
    if (!Number.isFinite(use) || use < 0) return;
    const row = new Float64Array(this.size);
    row[BASE] = 1;
    for (const [id, count] of counts) {
      if (!Number.isFinite(count) || count < COUNT_MIN) continue;
      const column = this.columnOf(id);
      row[column] = Math.min(FIGURE_MAX, row[column]! + count);
    }
    const kept = 1 - 1 / Math.max(1, this.options.memorySteps);
    const { products, targets, size } = this;
    for (let at = 0; at < products.length; at += 1) products[at] = products[at]! * kept;
    const used = this.used();
    for (let left = 0; left < size; left += 1) {
      targets[left] = targets[left]! * kept + row[left]! * Math.min(FIGURE_MAX, use);
      if (left >= used || row[left] === 0) continue;
      for (let right = 0; right < used; right += 1)
        products[left * size + right]! += row[left]! * row[right]!;
    }
    this.steps = this.steps * kept + 1;
    this.stale = true;
  }

  /** The cost of a request of a class: of one that is not told apart, that of the others; 0 when nothing is known. */
  costOf(id: string): number {
    this.solve();
    const column = this.columns.get(id);
    if (column === undefined) return this.options.given.get(id) ?? this.costs[OTHERS]!;
    return this.costs[column]!;
  }

  /** What is used when nothing comes, units a step. */
  idleUse(): number {
    this.solve();
    return this.costs[BASE]!;
  }

  /** The costs of all classes that are told apart. */
  all(): ReadonlyMap<string, RequestCost> {
    this.solve();
    const spread = this.unlearned();
    return new Map(
      [...this.columns].map(([id, column]) => [
        id,
        { cost: this.costs[column]!, confidence: Math.min(1, Math.max(0, 1 - spread[column]!)) },
      ]),
    );
  }

  private columnOf(id: string): number {
    const known = this.columns.get(id);
    if (known !== undefined) return known;
    if (this.columns.size >= this.options.classesMax) return OTHERS;
    const column = FIRST_CLASS + this.columns.size;
    this.columns.set(id, column);
    return column;
  }

  private used(): number {
    return FIRST_CLASS + this.columns.size;
  }

  /** How firmly a column is held to its prior. */
  private hold(column: number): number {
    const square = this.products[column * this.size + column]!;
    return (this.options.priorSteps * square) / Math.max(1, this.steps) + Number.MIN_VALUE;
  }

  private priors(): Float64Array {
    const priors = new Float64Array(this.used());
    let requests = 0;
    for (let column = OTHERS; column < priors.length; column += 1) requests += this.products[column]!;
    const mean = requests > 0 ? this.targets[BASE]! / requests : 0;
    priors.fill(mean, OTHERS);
    for (const [id, column] of this.columns) priors[column] = Math.max(0, this.options.given.get(id) ?? mean);
    return priors;
  }

  /**
   * Costs as if any sign were good; then, where one is not, descends along one cost at a time, none below 0, which ends
   * at the least squares (Franc et al., "Sequential coordinate-wise algorithm for the non-negative least squares
   * problem", 2005).
   */
  private solve(): void {
    if (!this.stale) return;
    this.stale = false;
    const { products, targets, costs, size } = this;
    const used = this.used();
    const priors = this.priors();
    const { factor, scale } = this.factored();
    const scaled = priors.map(
      (prior, column) => (targets[column]! + this.hold(column) * prior) / scale[column]!,
    );
    solveFactored(factor, used, scaled).forEach((value, column) => {
      costs[column] = Math.max(0, value / scale[column]!);
    });
    for (let sweep = 0; sweep < SWEEPS_MAX; sweep += 1) {
      let moved = 0;
      for (let column = 0; column < used; column += 1) {
        const hold = this.hold(column);
        const square = products[column * size + column]!;
        let slope = targets[column]! + hold * priors[column]!;
        for (let other = 0; other < used; other += 1) {
          if (other !== column) slope -= products[column * size + other]! * costs[other]!;
        }
        const cost = square > 0 ? Math.max(0, slope / (square + hold)) : priors[column]!;
        moved = Math.max(moved, Math.abs(cost - costs[column]!) / (Math.abs(cost) + 1e-12));
        costs[column] = cost;
      }
      if (moved < SWEEP_TOLERANCE) return;
    }
  }

  /** Cholesky's factor of the sums with the hold added, in each column's own scale. */
  private factored(): { readonly factor: Float64Array; readonly scale: Float64Array } {
    const used = this.used();
    const scale = Float64Array.from({ length: used }, (_, column) =>
      Math.sqrt(this.products[column * this.size + column]! + this.hold(column)),
    );
    const factor = new Float64Array(used * used);
    for (let row = 0; row < used; row += 1) {
      for (let column = 0; column < used; column += 1) {
        const product = this.products[row * this.size + column]!;
        factor[row * used + column] = row === column ? 1 : product / (scale[row]! * scale[column]!);
      }
    }
    factorise(factor, used);
    return { factor, scale };
  }

  /** By column, the part of the prior's variance that what was seen leaves. */
  private unlearned(): Float64Array {
    const { factor, scale } = this.factored();
    return scale.map((own, column) => {
      if (this.products[column * this.size + column] === 0) return 1;
      const unit = new Float64Array(scale.length);
      unit[column] = 1;
      const variance = solveFactored(factor, scale.length, unit)[column]!;
      return (variance * this.hold(column)) / own ** 2;
    });
  }
}
