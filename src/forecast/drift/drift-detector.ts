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
/** What a drift adds to the logarithm of the threshold, and slots take away again: at the rate of a drift in 12 days. */
const STRICTER = 0.4;
const FADE = STRICTER / (12 * 48);
const MOST_STRICTNESS = 2;
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
  /** The logarithm of what drifts of late multiply the threshold by. */
  private strictness = 0;

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  constructor(state?: ModelState) {
    this.tests = KINDS.map(
      (kind) => new PageHinkley(MEMORY_SLOTS, kind !== 'pattern', state && stateIn(state, kind)),
    );
    if (state === undefined) return;
    this.sum = numberIn(state, 'sum');
    this.sizes = numberIn(state, 'sizes');
    this.count = countIn(state, 'count');
    this.strictness = numberIn(state, 'strictness');
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
    this.strictness = Math.max(0, this.strictness - FADE);
    let best: Drift | undefined;
    for (let index = 0; index < this.tests.length; index += 1) {
      const score = this.tests[index]!.observe(figures[index]!);
      if (score > (best?.score ?? 0)) best = { atMs, kind: KINDS[index]!, score };
    }
    return best === undefined ? undefined : this.told(best);
  }

  /** Takes a change that was found otherwise. @returns it, or nothing when there were too many of late. */
  adopt(change: Drift): Drift | undefined {
    this.reset();
    return this.told(change);
  }

  /** Begins anew: the model, or what it is told, has changed. */
  reset(): void {
    for (const test of this.tests) test.reset();
  }

  /** Sets a change against those of late. */
  private told(change: Drift): Drift | undefined {
    const score = change.score * Math.exp(-this.strictness);
    if (!(score >= 1)) return undefined;
    this.strictness = Math.min(MOST_STRICTNESS, this.strictness + STRICTER);
    this.reset();
    return { ...change, score };
  }

  save(): ModelState {
    const { sum, sizes, count, strictness } = this;
    const tests = KINDS.map((kind, index) => [kind, this.tests[index]?.save()] as const);
    return { sum, sizes, count, strictness, ...Object.fromEntries(tests) };
  }
}
