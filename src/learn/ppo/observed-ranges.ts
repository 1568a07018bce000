/** Between which figures each feature lay while learning, so that what lies elsewhere is known for unknown. */
import { quantileOfSorted } from '../../forecast/numeric/quantile';

/** Rows that are kept to know quantiles by. */
const KEPT_MAX = 4_096;
const LOW = 0.001;
const HIGH = 0.999;

/** Of each feature. */
export interface FeatureRanges {
  readonly least: Float64Array;
  readonly most: Float64Array;
  /** The quantiles .001 and .999, of a few thousand rows spread evenly over all. */
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** A copy of what was kept. */
export interface RangesState {
  readonly seen: number;
  readonly stride: number;
  readonly kept: Float64Array;
  readonly least: Float64Array;
  readonly most: Float64Array;
}

/** What was kept, from what is known of it: the quantiles stand for all rows. */
export function rangesStateOf({ least, most, low, high }: FeatureRanges): RangesState {
  const kept = new Float64Array(low.length + high.length);
  kept.set(low);
  kept.set(high, low.length);
  return { seen: 2, stride: 1, kept, least, most };
}

/** Keeps the extremes, and every so many-th row. */
export class ObservedRanges {
  private readonly least: Float64Array;
  private readonly most: Float64Array;
  private readonly kept: Float64Array;
  private rows: number;
  private seen: number;
  private stride: number;

  constructor(
    private readonly features: number,
    state?: RangesState,
  ) {
    this.least = state?.least.slice() ?? new Float64Array(features).fill(Infinity);
    this.most = state?.most.slice() ?? new Float64Array(features).fill(-Infinity);
    this.kept = new Float64Array(KEPT_MAX * features);
    this.kept.set(state?.kept.subarray(0, this.kept.length) ?? []);
    this.rows = features === 0 ? 0 : Math.floor((state?.kept.length ?? 0) / features);
    this.seen = state?.seen ?? 0;
    this.stride = state?.stride ?? 1;
  }

  /** Takes in rows of figures. */
  add(figures: Float64Array, count: number): void {
    const { features, least, most } = this;
    if (features === 0) return;
    for (let row = 0; row < count; row += 1) {
      const from = row * features;
      for (let feature = 0; feature < features; feature += 1) {
        const figure = figures[from + feature]!;
        if (figure < least[feature]!) least[feature] = figure;
        if (figure > most[feature]!) most[feature] = figure;
      }
      if (this.seen % this.stride === 0) this.keep(figures.subarray(from, from + features));
      this.seen += 1;
    }
  }

  /** What is known by now; zeros before anything was seen. */
  ranges(): FeatureRanges {
    const { features, kept, rows } = this;
    const low = new Float64Array(features);
    const high = new Float64Array(features);
    for (let feature = 0; feature < features && rows > 0; feature += 1) {
      const sorted = Float64Array.from({ length: rows }, (_, row) => kept[row * features + feature]!).sort();
      low[feature] = quantileOfSorted(sorted, LOW);
      high[feature] = quantileOfSorted(sorted, HIGH);
    }
    const finite = (figure: number): number => (Number.isFinite(figure) ? figure : 0);
    return { least: this.least.map(finite), most: this.most.map(finite), low, high };
  }

  /** A copy of what was kept; extremes as in {@link ranges} before anything was seen. */
  get state(): RangesState {
    const { seen, stride, features, rows } = this;
    return {
      seen,
      stride,
      kept: this.kept.slice(0, rows * features),
      least: this.least.slice(),
      most: this.most.slice(),
    };
  }

  private keep(row: Float64Array): void {
    const { features, kept } = this;
    if (this.rows === KEPT_MAX) {
      this.rows /= 2;
      this.stride *= 2;
      for (let at = 0; at < this.rows; at += 1) {
        kept.copyWithin(at * features, 2 * at * features, (2 * at + 1) * features);
      }
      if (this.seen % this.stride !== 0) return;
    }
    kept.set(row, this.rows * features);
    this.rows += 1;
  }
}
