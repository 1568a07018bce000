/** How a training went: figures of each update, and of each look at the days that were held out. Plain data. */
import type { UpdateFigures } from '../../learn/ppo/update-figures';
import type { SimulationFigures } from '../../simulate/tally';

/** How a policy did on the days held out, at one load. */
export interface LoadScore {
  /** As the scenario writes it. */
  readonly load: string;
  readonly figures: SimulationFigures;
}

/** A look at the days held out. */
export interface HeldOutScore {
  /** Updates that had been made. */
  readonly updates: number;
  readonly loads: readonly LoadScore[];
  /** The mean over the loads of the weighted loss against the solver's: under 1 is better than it. */
  readonly score: number;
}

/** The course of a training. */
export interface LearningCurves {
  readonly updates: readonly UpdateFigures[];
  readonly heldOut: readonly HeldOutScore[];
  /** The solver's, on the same days; empty until it was looked at. */
  readonly solver: readonly LoadScore[];
}

/** A loss of less than a part in a thousand is not told from none: a ratio of two such says nothing. */
const LOSS_FLOOR = 1e-3;

/** See {@link HeldOutScore.score}. Both have the same loads in the same order. */
export function scoreAgainst(solver: readonly LoadScore[], loads: readonly LoadScore[]): number {
  const ratios = loads.map(({ figures }, at) => {
    const without = solver[at]?.figures.weighted_loss ?? NaN;
    return (figures.weighted_loss + LOSS_FLOOR) / (without + LOSS_FLOOR);
  });
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / Math.max(1, ratios.length);
}
