/** The forecasts that every other model has to beat: the last value, and the value a season before. */
import { scaleNamed } from '../scale';
import { framedModel } from './framed-model';
import { seenSeasons, type ModelKind, type ModelState } from './model';
import type { Method, Recursion } from './recursion';
import { badState, countIn, figuresIn } from './state';

/** Repeats the last season; with a season of 1, the last value. */
class Repetition implements Recursion {
  /** @param last the last season's values, of which `next` is the oldest. */
  constructor(
    private readonly last: Float64Array,
    private next: number,
  ) {}

  static of(values: Float64Array, season: number): Repetition {
    const last = new Float64Array(season);
    const start = Math.max(0, values.length - season);
    for (let at = start; at < values.length; at += 1) last[at - start] = values[at] ?? 0;
    return new Repetition(last, (values.length - start) % season);
  }

  step(value: number): number {
    const expected = this.last[this.next] ?? 0;
    if (!Number.isNaN(value)) this.last[this.next] = value;
    this.next = (this.next + 1) % this.last.length;
    return value - expected;
  }

  ahead(horizon: number): Float64Array {
    return Float64Array.from(
      { length: horizon },
      (_, step) => this.last[(this.next + step) % this.last.length] ?? 0,
    );
  }

  save(): ModelState {
    return { last: this.last.slice(), next: this.next };
  }
}

function repetition(seasonOf: (values: Float64Array, seasons: readonly number[]) => number): Method<number> {
  return {
    estimate: (values, context) => seasonOf(values, context.seasons),
    run: (values, _context, season) => Repetition.of(values, season),
    restore(state) {
      const last = figuresIn(state, 'last');
      const next = countIn(state, 'next');
      if (next >= last.length) throw badState('next is not a place in the season');
      return new Repetition(last, next);
    },
  };
}

/** Repeats the last value. */
export const NAIVE: ModelKind = framedModel(
  'naive',
  repetition(() => 1),
  { scale: scaleNamed('identity'), minPoints: 1 },
);

/** Repeats the last season, the shortest that the values hold twice; the last value when they hold none. */
export const SEASONAL_NAIVE: ModelKind = framedModel(
  'seasonal-naive',
  repetition((values, seasons) => seenSeasons(seasons, values.length)[0] ?? 1),
  { scale: scaleNamed('identity'), minPoints: 1 },
);
