/**
 * How large errors are at a forecast level, right now. Errors of traffic grow with its level, by a power that differs
 * from class to class, and their size changes faster or slower; so a few simple scales (constant, with the root of the
 * level, with the level; each over a short and a long memory) are kept, and mixed by how well each foretold the errors
 * of late (exponential weights on the Laplace density's loss).
 */
import { figuresIn } from '../model/state';
import { zeros } from '../numeric/figures';
import type { ModelState } from '../model/model';

const POWERS = 3;
/** Half of the mixture's memory of losses, observations. */
const LOSS_MEMORY = 0.985;
const LEARNING_RATE = 0.7;
/** Errors count at most this many scales, so that one of them does not blind what follows. */
const MAX_SIZES = 8;
/** The part of the usual level under which errors no longer shrink with it. */
const FLOOR_PART = 0.02;
/** Errors have at least this part of the level as their scale. */
const MIN_PART = 1e-6;

const LEVEL = 0;
const COUNT = 1;
const SIZES = 2;

/** How fast memories follow that lose half of what they hold in so many observations. */
export function memoryRates(halfLives: readonly number[]): readonly number[] {
  return halfLives.map((halfLife) => 1 - Math.pow(0.5, 1 / halfLife));
}

/** See the file's head. */
export class ResidualScale {
  /** The usual level, the observations, then sizes and losses, one for each mixture part. */
  private readonly cells: number[];
  private readonly parts: number;
  /** What the mixture comes to: coefficients of 1, root and level. */
  private constant = 0;
  private root = 0;
  private linear = 0;

  /** @param rates how fast each memory of the sizes follows (see {@link memoryRates}); kept, not copied. */
  constructor(
    private readonly rates: readonly number[],
    state?: ModelState,
  ) {
    this.parts = POWERS * rates.length;
    const length = SIZES + 2 * this.parts;
    this.cells = state === undefined ? zeros(length) : [...figuresIn(state, 'cells', length)];
    if (state !== undefined) this.mix();
  }

  /** Observations taken. */
  get count(): number {
    return this.cells[COUNT] ?? 0;
  }

  /** The mean size of errors at a forecast level; more than 0. */
  at(level: number): number {
    const shifted = Math.max(0, level) + this.floor();
    const size = this.constant + this.root * Math.sqrt(shifted) + this.linear * shifted;
    return Math.max(size, MIN_PART * (shifted + 1));
  }

  /** Takes a forecast level and the error that came. */
  observe(level: number, error: number): void {
    const { cells } = this;
    const count = (cells[COUNT] ?? 0) + 1;
    cells[COUNT] = count;
    const known = Math.max(0, level);
    cells[LEVEL] = (cells[LEVEL] ?? 0) + Math.max(1 / count, 0.01) * (known - (cells[LEVEL] ?? 0));
    const shifted = known + this.floor();
    const least = MIN_PART * (shifted + 1);
    const bounded = Math.min(Math.abs(error), count < 20 ? Infinity : MAX_SIZES * this.at(level));
    const rootBase = Math.sqrt(shifted);
    for (let part = 0; part < this.parts; part += 1) {
      const power = part % POWERS;
      const base = power === 0 ? 1 : power === 1 ? rootBase : shifted;
      const at = SIZES + part;
      const size = cells[at]!;
      if (count > 1) {
        const scale = Math.max(size * base, least);
        const loss = Math.log(scale) + bounded / scale;
        cells[at + this.parts] = LOSS_MEMORY * cells[at + this.parts]! + loss;
      }
      const rate = Math.max(this.rates[(part - power) / POWERS]!, 1 / count);
      cells[at] = size + rate * (bounded / Math.max(base, 1e-12) - size);
    }
    this.mix();
  }

  save(): ModelState {
    return { cells: Float64Array.from(this.cells) };
  }

  private floor(): number {
    return FLOOR_PART * (this.cells[LEVEL] ?? 0) + 1e-9;
  }

  private mix(): void {
    const { cells, parts } = this;
    let best = Infinity;
    for (let part = 0; part < parts; part += 1) best = Math.min(best, cells[SIZES + parts + part]!);
    let total = 0;
    let constant = 0;
    let root = 0;
    let linear = 0;
    for (let part = 0; part < parts; part += 1) {
      const weight = Math.exp(-LEARNING_RATE * (cells[SIZES + parts + part]! - best));
      total += weight;
      const weighted = weight * cells[SIZES + part]!;
      const power = part % POWERS;
      if (power === 0) constant += weighted;
      else if (power === 1) root += weighted;
      else linear += weighted;
    }
    this.constant = constant / total;
    this.root = root / total;
    this.linear = linear / total;
  }
}
