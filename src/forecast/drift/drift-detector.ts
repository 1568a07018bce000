/**
 * Tells that a class no longer behaves as it did: tests of the mean of one-step errors, of their size, and of how far the
 * values are from what is usual at their time of the season. The tests look at slots of steps, not at steps: raw errors
 * of seasonal traffic drift every day.
 */
import type { ModelState } from '../model/model';
import { countIn, numberIn, stateIn } from '../model/state';
import { PageHinkley } from './page-hinkley';

/** What has changed. */
export type DriftKind = 'level' | 'variance' | 'pattern';

/** A change that was found. */
export interface Drift {
  readonly atMs: number;
  readonly kind: DriftKind;
  /** How far the test passed its threshold; 1 or more. */
  readonly score: number;
}

/** Slots over which usual figures are taken: ten days of them. */
const MEMORY_SLOTS = 480;
/** Errors count at most so many usual sizes. */
const MOST_SIZES = 6;
/** Keeps the logarithm of sizes from running away where there are hardly any errors. */
const LEAST_SIZE = 0.02;

const KINDS: readonly DriftKind[] = ['level', 'variance', 'pattern'];

/** See the file's head. */
export class DriftDetector {
  private readonly tests: readonly PageHinkley[];
  private sum = 0;
  private sizes = 0;
  private count = 0;

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  constructor(state?: ModelState) {
    this.tests = KINDS.map(
      (kind) => new PageHinkley(MEMORY_SLOTS, kind !== 'pattern', state && stateIn(state, kind)),
    );
    if (state === undefined) return;
    this.sum = numberIn(state, 'sum');
    this.sizes = numberIn(state, 'sizes');
    this.count = countIn(state, 'count');
  }

  /** Takes a step's error, in sizes that are usual of it over days; NaN when there is none. */
  observe(sized: number): void {
    if (!Number.isFinite(sized)) return;
    const bounded = Math.max(-MOST_SIZES, Math.min(MOST_SIZES, sized));
    this.sum += bounded;
    this.sizes += Math.abs(bounded);
    this.count += 1;
  }

  /**
   * Closes a slot of steps.
   * @param deviation how far the slot's mean was from what is usual at its time, in usual sizes.
   */
  endSlot(atMs: number, deviation: number): Drift | undefined {
    const { sum, sizes, count } = this;
    this.sum = 0;
    this.sizes = 0;
    this.count = 0;
    if (count === 0) return undefined;
    const figures = [sum / count, Math.log(sizes / count + LEAST_SIZE), Math.log(Math.abs(deviation) + 0.5)];
    let best: Drift | undefined;
    this.tests.forEach((test, index) => {
      const score = test.observe(figures[index] ?? 0);
      const kind = KINDS[index];
      if (score >= 1 && kind !== undefined && score > (best?.score ?? 0)) best = { atMs, kind, score };
    });
    if (best !== undefined) this.reset();
    return best;
  }

  /** Begins anew: the model, or what it is told, has changed. */
  reset(): void {
    for (const test of this.tests) test.reset();
  }

  save(): ModelState {
    const { sum, sizes, count } = this;
    const tests = KINDS.map((kind, index) => [kind, this.tests[index]?.save()] as const);
    return { sum, sizes, count, ...Object.fromEntries(tests) };
  }
}
