/**
 * A leading model drawn towards others of other families: their errors differ, so that the mean errs less than each,
 * most of all many steps ahead (Bates and Granger, "The combination of forecasts", 1969). A supporter has the part that
 * a trial out of sample leaves it of its prior part, and none where the naive forecast was better. Intervals are the
 * leader's, moved with the mean, and as wide as its errors. Series without a season have the leader alone.
 */
import {
  seenSeasons,
  type FittedModel,
  type Forecast,
  type ModelKind,
  type ModelState,
  type SeriesContext,
} from '../model/model';
import { badState, figuresIn, stateIn } from '../model/state';
import { trySupporters, type LeaderTrial, type Shares } from './supporter-trial';

/** The leader's part of the mean before the trial; the supporters share the rest. */
const LEADER_PART = 0.5;

/** A model and the forecasts it made in its own trial. */
export interface TriedModel {
  readonly model: FittedModel;
  readonly trial: readonly LeaderTrial[];
  /** Steps between the trial's forecasts; counted back from the last value. */
  readonly stride: number;
}

/** A kind that can tell how it did. */
export interface LeaderKind extends ModelKind {
  /** As `fit`. @throws TidegateError TG_FORECAST_TOO_SHORT. */
  fitTried(values: Float64Array, context: SeriesContext): TriedModel;
}

/** A kind of a leader and its supporters; a supporter that finds no fit is left out. */
export function supportedKind(name: string, leader: LeaderKind, supporters: readonly ModelKind[]): ModelKind {
  return {
    name,
    minPoints: (context) => leader.minPoints(context),
    fit(values, context) {
      const tried = leader.fitTried(values, context);
      const seasonal = seenSeasons(context.seasons, values.length).length > 0;
      const supported = seasonal ? supportOf(supporters, tried, values, context) : undefined;
      return new SupportedModel(name, tried.model, supported);
    },
    restore(state) {
      if (state['kind'] !== name) throw badState(`it is not of the kind ${name}`);
      return new SupportedModel(
        name,
        leader.restore(stateIn(state, 'leader')),
        restoreSupport(state, supporters),
      );
    },
  };
}

/** Supporters and their shares. */
interface Support {
  readonly models: readonly (readonly [string, FittedModel])[];
  readonly shares: Shares;
}

/** Undefined when no supporter was of use. */
function supportOf(
  kinds: readonly ModelKind[],
  { trial, stride }: TriedModel,
  values: Float64Array,
  context: SeriesContext,
): Support | undefined {
  const fitted = fittedOf(kinds, values, context);
  const supporters = fitted.map(({ kind }) => kind);
  const prior = [LEADER_PART, ...supporters.map(() => (1 - LEADER_PART) / supporters.length)];
  const shares = sharesOrNone(() => trySupporters(values, context, supporters, trial, prior, stride));
  if (shares === undefined) return undefined;
  const used = fitted.map((_, index) => shares.parts.some((parts) => parts[index + 1]! > 0));
  if (!used.includes(true)) return undefined;
  return {
    models: fitted
      .filter((_, index) => used[index] === true)
      .map(({ kind, model }): readonly [string, FittedModel] => [kind.name, model]),
    shares: {
      ...shares,
      parts: shares.parts.map((parts) =>
        parts.filter((_, member) => member === 0 || used[member - 1] === true),
      ),
    },
  };
}

/** Those of the kinds that find a fit. */
function fittedOf(
  kinds: readonly ModelKind[],
  values: Float64Array,
  context: SeriesContext,
): readonly { readonly kind: ModelKind; readonly model: FittedModel }[] {
  return kinds.flatMap((kind) => {
    try {
      return [{ kind, model: kind.fit(values, context) }];
    } catch {
      return [];
    }
  });
}

/** Undefined when a supporter that fits all values finds no fit without those held out. */
function sharesOrNone(make: () => Shares | undefined): Shares | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

function restoreSupport(state: ModelState, supporters: readonly ModelKind[]): Support | undefined {
  const saved = state['supporters'];
  if (!Array.isArray(saved)) throw badState('supporters are not there');
  if (saved.length === 0) return undefined;
  const models = saved.map((part: ModelState): readonly [string, FittedModel] => {
    const kind = supporters.find((one) => one.name === part['kind']);
    if (kind === undefined) throw badState('a supporter is not known');
    return [kind.name, kind.restore(stateIn(part, 'state'))];
  });
  const aheads = figuresIn(state, 'aheads');
  if (aheads.length === 0) throw badState('horizons of shares are not there');
  const members = models.length + 1;
  const parts = figuresIn(state, 'parts', aheads.length * members);
  return {
    models,
    shares: {
      aheads,
      parts: Array.from(aheads, (_, row) => parts.slice(row * members, (row + 1) * members)),
      widths: figuresIn(state, 'widths', aheads.length),
    },
  };
}

class SupportedModel implements FittedModel {
  constructor(
    private readonly name: string,
    private readonly leader: FittedModel,
    private readonly support: Support | undefined,
  ) {}

  update(value: number): void {
    this.leader.update(value);
    for (const [, supporter] of this.support?.models ?? []) supporter.update(value);
  }

  predict(horizon: number, levels: readonly number[]): Forecast {
    const led = this.leader.predict(horizon, levels);
    if (this.support === undefined) return led;
    const { models, shares } = this.support;
    const others = models.map(([, supporter]) => supporter.predict(horizon, []).mean);
    const mean = new Float64Array(horizon);
    const widths = new Float64Array(horizon);
    const places = placesOf(shares.aheads, horizon);
    for (let step = 0; step < horizon; step += 1) {
      const { row, toNext } = places(step + 1);
      const between = (figures: (row: number) => number): number =>
        toNext === 0 ? figures(row) : figures(row) + toNext * (figures(row + 1) - figures(row));
      mean[step] = between((at) => shares.parts[at]![0]!) * led.mean[step]!;
      for (let member = 0; member < others.length; member += 1) {
        mean[step]! += between((at) => shares.parts[at]![member + 1]!) * others[member]![step]!;
      }
      widths[step] = between((at) => shares.widths[at]!);
    }
    // On the root scale, on which the leader's errors were taken.
    const moved = (edge: Float64Array): Float64Array =>
      edge.map((figure, step) => {
        const error = Math.sqrt(figure) - Math.sqrt(led.mean[step]!);
        const root = Math.sqrt(mean[step]!) + widths[step]! * error;
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
    const { models, shares } = this.support ?? { models: [], shares: undefined };
    const saved = {
      kind: this.name,
      leader: this.leader.save(),
      supporters: models.map(([kind, supporter]) => ({ kind, state: supporter.save() })),
    };
    if (shares === undefined) return saved;
    return {
      ...saved,
      aheads: shares.aheads.slice(),
      parts: Float64Array.from(shares.parts.flatMap((parts) => [...parts])),
      widths: shares.widths.slice(),
    };
  }
}

/** Where steps ahead, asked for in ascending order, lie among `aheads`: by the logarithm of time. */
function placesOf(aheads: Float64Array, horizon: number): (ahead: number) => { row: number; toNext: number } {
  let row = 0;
  return (ahead) => {
    while (row + 1 < aheads.length && aheads[row + 1]! <= ahead && ahead <= horizon) row += 1;
    const from = aheads[row]!;
    const next = aheads[row + 1];
    return {
      row,
      toNext: next === undefined || ahead <= from ? 0 : Math.log(ahead / from) / Math.log(next / from),
    };
  };
}
