/**
 * A Prophet-like model: the calendar's regression on the logs, and what it leaves followed by a swing that dies away.
 * The regression is that of the fit; what changes after it is followed by the swing and its level.
 */
import { scaleNamed } from '../scale';
import { epochSteps, fitCalendar, seasonsAt, trendAt, within, type CalendarFit } from './calendar-regression';
import { framedModel } from './framed-model';
import type { Holiday, ModelKind, ModelState, SeriesContext } from './model';
import { swingMethod, type SwingFit } from './mstl';
import type { Method, Recursion } from './recursion';
import { badState, countIn, figuresIn, numberIn, stateIn } from './state';

/** Where a regression stands in time. */
interface Place {
  readonly startMs: number;
  readonly stepMs: number;
  /** Spans whose names the regression knows. */
  readonly spans: readonly Holiday[];
}

/** What a regression foretells after its series: its last slope goes on. */
interface Outlook {
  /** The trend at `steps` = 0 and its slope a step. */
  readonly base: number;
  readonly slope: number;
  readonly seasons: CalendarFit['seasons'];
  readonly holidays: CalendarFit['holidays'];
}

/** The regression's method, with what remains left to the swing. */
export const calendarMethod: Method<SwingFit> = {
  estimate: (values, context) =>
    swingMethod.estimate(remainder(values, context, fitCalendar(values, context)), context),
  run(values, context, parameters) {
    const fit = fitCalendar(values, context);
    const place = placeOf(context);
    const rest = swingMethod.run(remainder(values, context, fit), context, { ...parameters, level: 0 });
    const last = trendAt(fit, values.length);
    const outlook = { ...fit, base: last, slope: last - trendAt(fit, values.length - 1) };
    return new CalendarRecursion(
      rest,
      outlook,
      { ...place, startMs: context.startMs + values.length * context.stepMs },
      0,
    );
  },
  restore(state) {
    const curves = state['seasons'];
    const holidays = state['holidays'];
    const spans = state['spans'];
    if (!Array.isArray(curves) || !Array.isArray(holidays) || !Array.isArray(spans)) {
      throw badState('seasons, holidays and spans are not lists');
    }
    return new CalendarRecursion(
      swingMethod.restore(stateIn(state, 'rest')),
      {
        base: numberIn(state, 'base'),
        slope: numberIn(state, 'slope'),
        seasons: curves.map((phases: unknown) => ({ phases: figuresIn({ phases }, 'phases') })),
        holidays: (holidays as readonly ModelState[]).map((holiday) => ({
          name: String(holiday['name']),
          effect: numberIn(holiday, 'effect'),
        })),
      },
      {
        startMs: numberIn(state, 'startMs'),
        stepMs: numberIn(state, 'stepMs'),
        spans: (spans as readonly ModelState[]).map((span) => ({
          name: String(span['name']),
          startMs: numberIn(span, 'startMs'),
          endMs: numberIn(span, 'endMs'),
        })),
      },
      countIn(state, 'steps'),
    );
  },
};

/** The model kind `prophet`. */
export const PROPHET: ModelKind = framedModel('prophet', calendarMethod, {
  scale: scaleNamed('log'),
  minPoints: 4,
});

class CalendarRecursion implements Recursion {
  /** @param steps taken since `place.startMs`. */
  constructor(
    private readonly rest: Recursion,
    private readonly outlook: Outlook,
    private readonly place: Place,
    private steps: number,
  ) {}

  step(value: number): number {
    const error = this.rest.step(value - this.foretold(this.steps));
    this.steps += 1;
    return error;
  }

  ahead(horizon: number): Float64Array {
    return this.rest.ahead(horizon).map((rest, step) => rest + this.foretold(this.steps + step));
  }

  save(): ModelState {
    const { outlook, place } = this;
    return {
      rest: this.rest.save(),
      base: outlook.base,
      slope: outlook.slope,
      seasons: outlook.seasons.map(({ phases }) => phases.slice()),
      holidays: outlook.holidays.map(({ name, effect }) => ({ name, effect })),
      startMs: place.startMs,
      stepMs: place.stepMs,
      spans: place.spans.map(({ name, startMs, endMs }) => ({ name, startMs, endMs })),
      steps: this.steps,
    };
  }

  private foretold(steps: number): number {
    const { base, slope, seasons, holidays } = this.outlook;
    const atMs = this.place.startMs + steps * this.place.stepMs;
    return (
      base +
      slope * steps +
      seasonsAt(seasons, Math.floor(atMs / this.place.stepMs)) +
      holidaysAt(holidays, this.place.spans, atMs)
    );
  }
}

function placeOf(context: SeriesContext): Place {
  return { startMs: context.startMs, stepMs: context.stepMs, spans: context.holidays ?? [] };
}

function holidaysAt(holidays: CalendarFit['holidays'], spans: readonly Holiday[], atMs: number): number {
  if (spans.length === 0) return 0;
  let sum = 0;
  for (const { name, effect } of holidays) {
    if (
      within(
        spans.filter((span) => span.name === name),
        atMs,
      )
    )
      sum += effect;
  }
  return sum;
}

function remainder(values: Float64Array, context: SeriesContext, fit: CalendarFit): Float64Array {
  const epoch = epochSteps(context);
  const spans = context.holidays ?? [];
  return values.map(
    (value, step) =>
      value -
      trendAt(fit, step) -
      seasonsAt(fit.seasons, epoch + step) -
      holidaysAt(fit.holidays, spans, context.startMs + step * context.stepMs),
  );
}
