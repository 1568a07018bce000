/** Takes long seasons out of a series before a method sees it, and puts them back into what it forecasts. */
import { seenSeasons, type ModelState, type SeriesContext } from './model';
import type { Method, Recursion } from './recursion';
import { deseasonalised, seasonalProfiles, type Profile } from './seasonal-profile';
import { badState, countIn, figuresIn, stateIn } from './state';

/** Cycles that a profile stands for at most: how slowly it follows what comes. */
const CYCLES_MAX = 60;

/**
 * A method on what the seasons leave.
 * @param longerThan seasons up to this many steps are left to the method.
 */
export function deseasonalisedMethod<P>(inner: Method<P>, longerThan: number): Method<P> {
  const taken = (values: Float64Array, context: SeriesContext): readonly Profile[] =>
    seasonalProfiles(
      values,
      seenSeasons(context.seasons, values.length).filter((season) => season > longerThan),
    );
  const left = (context: SeriesContext): SeriesContext => ({
    ...context,
    seasons: context.seasons.filter((season) => season <= longerThan),
  });
  return {
    estimate: (values, context) =>
      inner.estimate(deseasonalised(values, taken(values, context)), left(context)),
    run(values, context, parameters) {
      const profiles = taken(values, context);
      const rest = inner.run(deseasonalised(values, profiles), left(context), parameters);
      return new SeasonalRecursion(rest, profiles, values.length);
    },
    restore(state) {
      const profiles = state['profiles'];
      if (!Array.isArray(profiles)) throw badState('profiles are not a list');
      return new SeasonalRecursion(
        inner.restore(stateIn(state, 'rest')),
        (profiles as readonly ModelState[]).map((profile) => ({
          phases: figuresIn(profile, 'phases'),
          cycles: countIn(profile, 'cycles', 1),
        })),
        countIn(state, 'position'),
      );
    },
  };
}

class SeasonalRecursion implements Recursion {
  /** @param position steps taken since the profiles' phase 0. */
  constructor(
    private readonly rest: Recursion,
    private readonly profiles: readonly Profile[],
    private position: number,
  ) {}

  step(value: number): number {
    const error = this.rest.step(value - this.seasonAt(this.position));
    if (!Number.isNaN(error)) this.learn(error);
    this.position += 1;
    return error;
  }

  ahead(horizon: number): Float64Array {
    const ahead = this.rest.ahead(horizon);
    for (let step = 0; step < horizon; step += 1) {
      ahead[step] = (ahead[step] ?? 0) + this.seasonAt(this.position + step);
    }
    return ahead;
  }

  save(): ModelState {
    return {
      rest: this.rest.save(),
      profiles: this.profiles.map(({ phases, cycles }) => ({ phases: phases.slice(), cycles })),
      position: this.position,
    };
  }

  private seasonAt(position: number): number {
    let sum = 0;
    for (const { phases } of this.profiles) sum += phases[position % phases.length] ?? 0;
    return sum;
  }

  /** Moves each profile as a mean over its cycles would move. */
  private learn(error: number): void {
    for (const { phases, cycles } of this.profiles) {
      const phase = this.position % phases.length;
      const gain = 1 / (Math.min(CYCLES_MAX, cycles + 1) * this.profiles.length);
      phases[phase] = (phases[phase] ?? 0) + gain * error;
    }
  }
}
