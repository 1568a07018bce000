/**
 * A leading model drawn half way to the mean of others of other families: their errors differ, so that the mean errs less
 * than each, most of all many steps ahead (Bates and Granger, "The combination of forecasts", 1969). Intervals are the
 * leader's, moved with the mean. Series without a season have the leader alone.
 */
import {
  seenSeasons,
  type FittedModel,
  type Forecast,
  type ModelKind,
  type ModelState,
} from '../model/model';
import { badState, stateIn } from '../model/state';

/** The leader's part of the mean; the supporters share the rest. */
const LEADER_PART = 0.5;

/** A kind of a leader and its supporters; a supporter that finds no fit is left out. */
export function supportedKind(name: string, leader: ModelKind, supporters: readonly ModelKind[]): ModelKind {
  return {
    name,
    minPoints: (context) => leader.minPoints(context),
    fit(values, context) {
      const seasonal = seenSeasons(context.seasons, values.length).length > 0;
      const fitted: [string, FittedModel][] = [];
      for (const kind of seasonal ? supporters : []) {
        try {
          fitted.push([kind.name, kind.fit(values, context)]);
        } catch {
          // The others go on without it.
        }
      }
      return new SupportedModel(name, leader.fit(values, context), fitted);
    },
    restore(state) {
      if (state['kind'] !== name) throw badState(`it is not of the kind ${name}`);
      const saved = state['supporters'];
      if (!Array.isArray(saved)) throw badState('supporters are not there');
      const fitted = saved.map((part: ModelState): [string, FittedModel] => {
        const kind = supporters.find((one) => one.name === part['kind']);
        if (kind === undefined) throw badState('a supporter is not known');
        return [kind.name, kind.restore(stateIn(part, 'state'))];
      });
      return new SupportedModel(name, leader.restore(stateIn(state, 'leader')), fitted);
    },
  };
}

class SupportedModel implements FittedModel {
  constructor(
    private readonly name: string,
    private readonly leader: FittedModel,
    private readonly supporters: readonly (readonly [string, FittedModel])[],
  ) {}

  update(value: number): void {
    this.leader.update(value);
    for (const [, supporter] of this.supporters) supporter.update(value);
  }

  predict(horizon: number, levels: readonly number[]): Forecast {
    const led = this.leader.predict(horizon, levels);
    if (this.supporters.length === 0) return led;
    const others = this.supporters.map(([, supporter]) => supporter.predict(horizon, []).mean);
    const mean = led.mean.map((own, step) => {
      const sum = others.reduce((total, other) => total + other[step]!, 0);
      return LEADER_PART * own + ((1 - LEADER_PART) * sum) / others.length;
    });
    // On the root scale, on which the leader's errors were taken.
    const moved = (edge: Float64Array): Float64Array =>
      edge.map((figure, step) => {
        const root = Math.sqrt(figure) + Math.sqrt(mean[step]!) - Math.sqrt(led.mean[step]!);
        return root > 0 ? root * root : 0;
      });
    const intervals = led.intervals.map(({ level, lower, upper }) => ({
      level,
      lower: moved(lower).map((figure, step) => Math.min(figure, mean[step]!)),
      upper: moved(upper).map((figure, step) => Math.max(figure, mean[step]!)),
    }));
    return { mean, intervals };
  }

  save(): ModelState {
    return {
      kind: this.name,
      leader: this.leader.save(),
      supporters: this.supporters.map(([kind, supporter]) => ({ kind, state: supporter.save() })),
    };
  }
}
