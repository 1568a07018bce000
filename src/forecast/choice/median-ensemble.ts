/** The median of several models, step by step: none of them can draw it far. */
import type { FittedModel, Forecast, ModelKind, ModelState } from '../model/model';
import { badState } from '../model/state';

/** A kind that fits `members` and forecasts their medians; a member that finds no fit is left out. */
export function medianEnsemble(name: string, members: readonly ModelKind[]): ModelKind {
  const byName = new Map(members.map((member) => [member.name, member]));
  return {
    name,
    minPoints: (context) => Math.min(...members.map((member) => member.minPoints(context))),
    fit(values, context) {
      const fitted = new Map<string, FittedModel>();
      let failure: unknown;
      for (const member of members) {
        try {
          fitted.set(member.name, member.fit(values, context));
        } catch (error) {
          failure = error;
        }
      }
      if (fitted.size === 0) throw failure;
      return new MedianModel(name, fitted);
    },
    restore(state) {
      if (state['kind'] !== name) throw badState(`it is not of the kind ${name}`);
      const saved = state['members'];
      if (!Array.isArray(saved) || saved.length === 0) throw badState('members are not there');
      const fitted = new Map<string, FittedModel>();
      for (const part of saved as readonly ModelState[]) {
        const kind = byName.get(String(part['kind']));
        if (kind === undefined) throw badState('a member is not known');
        fitted.set(kind.name, kind.restore(part['state'] as ModelState));
      }
      return new MedianModel(name, fitted);
    },
  };
}

class MedianModel implements FittedModel {
  constructor(
    private readonly name: string,
    private readonly members: ReadonlyMap<string, FittedModel>,
  ) {}

  update(value: number): void {
    for (const member of this.members.values()) member.update(value);
  }

  predict(horizon: number, levels: readonly number[]): Forecast {
    const forecasts = [...this.members.values()].map((member) => member.predict(horizon, levels));
    return {
      mean: medians(forecasts.map((forecast) => forecast.mean)),
      intervals: levels.map((level, index) => ({
        level,
        lower: medians(forecasts.map((forecast) => forecast.intervals[index]!.lower)),
        upper: medians(forecasts.map((forecast) => forecast.intervals[index]!.upper)),
      })),
    };
  }

  save(): ModelState {
    return {
      kind: this.name,
      members: [...this.members].map(([kind, member]) => ({ kind, state: member.save() })),
    };
  }
}

/** The medians of columns; of an even number, the mean of the middle two. */
function medians(rows: readonly Float64Array[]): Float64Array {
  const column = new Float64Array(rows.length);
  const middle = (rows.length - 1) / 2;
  return Float64Array.from({ length: rows[0]?.length ?? 0 }, (_, at) => {
    for (let row = 0; row < rows.length; row += 1) column[row] = rows[row]![at]!;
    column.sort();
    return (column[Math.floor(middle)]! + column[Math.ceil(middle)]!) / 2;
  });
}
