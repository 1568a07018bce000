/** How the reward changes with each figure of an action: through the shares that it makes, and what tokens were worth there. */
import { factorOf } from './factors';
import { ACTIONS } from './features';

/** The width of the differences that slopes are made of, in units of an action; up and down by turns, for shares have bends. */
const WIDTH = 0.1;

/** Of one action. */
type Rises = readonly Float64Array[];

/**
 * Follows actions, interval by interval. Only the factors on demand have slopes: what lenders keep is of effect through loans alone. What the guard
 * leaves of a share is not known here: a slope is that of the proposal.
 */
export class ActionSlopes {
  /** Of the last action, and of the one before by what has become known since; row by row as actions are. */
  readonly now: Float64Array;
  readonly later: Float64Array;
  private rises: Rises = [];
  private risesBefore: Rises = [];
  private readonly factors: Float64Array;
  private width = WIDTH;

  /** @param maxFactor the bound of factors. */
  constructor(
    private readonly services: number,
    private readonly maxFactor: number,
  ) {
    this.now = new Float64Array(services * ACTIONS.length);
    this.later = new Float64Array(services * ACTIONS.length);
    this.factors = new Float64Array(services);
  }

  /** Takes an action. @param sharesUnder rates under factors on demand; nothing else changes between two calls. */
  acted(action: Float64Array, sharesUnder: (factors: Float64Array) => Float64Array): void {
    const { factors, maxFactor } = this;
    const figure = (service: number): number => action[service * ACTIONS.length]!;
    for (let service = 0; service < this.services; service += 1) {
      factors[service] = factorOf(figure(service), maxFactor);
    }
    const usual = sharesUnder(factors);
    const { width } = this;
    this.risesBefore = this.rises;
    this.rises = Array.from({ length: this.services }, (_, service) => {
      const own = factors[service]!;
      factors[service] = factorOf(figure(service) + width, maxFactor);
      const moved = sharesUnder(factors);
      factors[service] = own;
      return moved.map((rate, other) => (rate - usual[other]!) / width);
    });
    this.width = -width;
  }

  /**
   * Ends the action's interval.
   * @param worths reward of one token a second more for each service, and `before` what came to light of the interval before.
   */
  ended(worths: Float64Array, before: Float64Array): void {
    this.fill(this.now, this.rises, worths);
    this.fill(this.later, this.risesBefore, before);
  }

  private fill(slopes: Float64Array, rises: Rises, worths: Float64Array): void {
    for (let service = 0; service < this.services; service += 1) {
      let slope = 0;
      rises[service]?.forEach((rise, other) => (slope += rise * worths[other]!));
      slopes[service * ACTIONS.length] = slope;
    }
  }
}
