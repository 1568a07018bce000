/** Series of history as models should see them: steps of which only a part of the group's counts is known are missing. */
import type { History } from '../../../history/history';
import type { GroupExchange } from './group-exchange';

/** See the file's head. */
export function wholeSteps(
  history: Pick<History, 'series'>,
  exchange: Pick<GroupExchange, 'knows'>,
): Pick<History, 'series'> {
  return {
    series: (classId, figure, stepMs, fromMs, toMs) => {
      const read = history.series(classId, figure, stepMs, fromMs, toMs);
      if (figure === 'level' || exchange.knows(fromMs, toMs)) return read;
      const { startMs, values } = read;
      const whole = values.map((value, step) => {
        const atMs = startMs + step * stepMs;
        return exchange.knows(atMs, atMs + stepMs) ? value : NaN;
      });
      return { ...read, values: whole };
    },
  };
}
