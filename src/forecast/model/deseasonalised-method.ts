/**
 * Takes long seasons out of a series before a method sees it, and puts them back into what it forecasts. The profiles are
 * those of the fit: a single error says more of the moment than of its phase, and a refit learns what lasts.
 */
import { seenSeasons, type ModelState, type SeriesContext } from './model';
import type { Method, Recursion } from './recursion';
import { deseasonalised, seasonalProfiles, type Profile } from './seasonal-profile';
import { badState, countIn, singleFiguresIn, stateIn } from './state';

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
      const phases = profiles.map((profile) => Float32Array.from(profile.phases));
      return new SeasonalRecursion(rest, phases, values.length);
    },
    restore(state) {
      const profiles = state['profiles'];
      if (!Array.isArray(profiles)) throw badState('profiles are not a list');
      return new SeasonalRecursion(
        inner.restore(stateIn(state, 'rest')),
        profiles.map((phases: unknown) => singleFiguresIn({ phases }, 'phases')),
        countIn(state, 'position'),
      );
    },
  };
}

class SeasonalRecursion implements Recursion {
  /**
   * @param profiles by phase; in single precision, since ten thousand classes keep theirs.
   * @param position steps taken since the profiles' phase 0.
   */
  constructor(
    private readonly rest: Recursion,
    private readonly profiles: readonly Float32Array[],
    private position: number,
  ) {}

  step(value: number): number {
    const error = this.rest.step(value - this.seasonAt(this.position));
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
      profiles: this.profiles.map((phases) => phases.slice()),
      position: this.position,
    };
  }

  private seasonAt(position: number): number {
    let sum = 0;
    for (const phases of this.profiles) sum += phases[position % phases.length] ?? 0;
    return sum;
  }
}
