/** Which models wait for a fit, the most urgent first; each at most once. */

/** The reasons for a fit, most urgent first. */
export const FIT_REASONS = ['asked', 'drift', 'first', 'grown', 'nightly'] as const;
/** One of {@link FIT_REASONS}. */
export type FitWhy = (typeof FIT_REASONS)[number];

/** Which of a class's two forecasters: `fine` for minutes, `coarse` for tens of minutes. */
export type ForecastScale = 'fine' | 'coarse';

/** A fit that is due. */
export interface DueFit {
  readonly id: string;
  readonly scale: ForecastScale;
  readonly why: FitWhy;
}

/** First come, first served among fits of the same reason. It holds at most two fits a class. */
export class FitQueue {
  private readonly lines = new Map<FitWhy, Map<string, DueFit>>(FIT_REASONS.map((why) => [why, new Map()]));

  get size(): number {
    let sum = 0;
    for (const line of this.lines.values()) sum += line.size;
    return sum;
  }

  /** Adds a fit; one that waits for a less urgent reason moves up, one that waits for a more urgent stays. */
  add(fit: DueFit): void {
    const key = keyOf(fit.id, fit.scale);
    for (const why of FIT_REASONS) {
      if (this.lines.get(why)?.has(key) === true) return;
      if (why === fit.why) break;
    }
    for (const line of this.lines.values()) line.delete(key);
    this.lines.get(fit.why)?.set(key, fit);
  }

  /** Takes the most urgent. */
  next(): DueFit | undefined {
    for (const line of this.lines.values()) {
      const first = line.entries().next();
      if (first.done === true) continue;
      line.delete(first.value[0]);
      return first.value[1];
    }
    return undefined;
  }

  /** Forgets a class's fits. */
  remove(id: string): void {
    for (const line of this.lines.values()) {
      line.delete(keyOf(id, 'fine'));
      line.delete(keyOf(id, 'coarse'));
    }
  }
}

function keyOf(id: string, scale: ForecastScale): string {
  return `${scale} ${id}`;
}
