/**
 * How large errors are at a forecast level, right now. Errors of traffic grow with its level, by a power that differs
 * from class to class, and their size changes faster or slower; so a few simple scales (constant, with the root of the
 * level, with the level; each over a short and a long memory) are kept, and mixed by how well each foretold the errors
 * of late (exponential weights on the Laplace density's loss).
 */
import { figuresIn } from '../model/state';
import { zeros } from './zeros';
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

/** See the file's head. */
export class ResidualScale {
  /** The usual level, the observations, then sizes and losses, one for each mixture part. */
  private readonly cells: number[];
  private readonly rates: readonly number[];
  private readonly parts: number;
  /** What the mixture comes to: coefficients of 1, root and level. */
  private constant = 0;
  private root = 0;
  private linear = 0;

  /** @param halfLives memories of the sizes, observations. */
  constructor(halfLives: readonly number[], state?: ModelState) {
    this.rates = halfLives.map((halfLife) => 1 - Math.pow(0.5, 1 / halfLife));
    this.parts = POWERS * halfLives.length;
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
    const bases = [1, Math.sqrt(shifted), shifted];
    for (let part = 0; part < this.parts; part += 1) {
      const base = bases[part % POWERS] ?? 1;
      const at = SIZES + part;
      const size = cells[at] ?? 0;
      if (count > 1) {
        const scale = Math.max(size * base, least);
        const loss = Math.log(scale) + bounded / scale;
        const old = cells[at + this.parts] ?? 0;
        cells[at + this.parts] = LOSS_MEMORY * old + loss;
      }
      const rate = Math.max(this.rates[Math.floor(part / POWERS)] ?? 0, 1 / count);
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
    for (let part = 0; part < parts; part += 1) best = Math.min(best, cells[SIZES + parts + part] ?? 0);
    let total = 0;
    const sums = [0, 0, 0];
    for (let part = 0; part < parts; part += 1) {
      const weight = Math.exp(-LEARNING_RATE * ((cells[SIZES + parts + part] ?? 0) - best));
      total += weight;
      const power = part % POWERS;
      sums[power] = (sums[power] ?? 0) + weight * (cells[SIZES + part] ?? 0);
    }
    this.constant = (sums[0] ?? 0) / total;
    this.root = (sums[1] ?? 0) / total;
    this.linear = (sums[2] ?? 0) / total;
  }
}
