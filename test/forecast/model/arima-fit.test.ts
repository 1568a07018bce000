import { stationary } from '../../../src/forecast/numeric/lag-polynomial';
import { seededRandom } from '../../../src/forecast/numeric/random';
import { fitArma, type ArimaOrders } from '../../../src/forecast/model/arima-fit';
import { automaticArima, seasonalStrength } from '../../../src/forecast/model/arima-orders';

interface Process {
  readonly ar?: readonly number[];
  readonly ma?: readonly number[];
  /** Extra autoregression at a lag. */
  readonly seasonal?: { readonly lag: number; readonly weight: number };
}

function simulated({ ar = [], ma = [], seasonal }: Process, count: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  const values: number[] = [];
  const errors: number[] = [];
  const plain: number[] = [];
  for (let at = 0; at < count + 200; at += 1) {
    const error = random.normal();
    const value =
      error +
      ar.reduce((sum, weight, lag) => sum + weight * (plain[at - 1 - lag] ?? 0), 0) +
      ma.reduce((sum, weight, lag) => sum + weight * (errors[at - 1 - lag] ?? 0), 0);
    errors.push(error);
    plain.push(value);
    values.push(value + (seasonal === undefined ? 0 : seasonal.weight * (values[at - seasonal.lag] ?? 0)));
  }
  return Float64Array.from(values.slice(200));
}

const NONE: ArimaOrders = { p: 0, d: 0, q: 0, seasonalP: 0, seasonalD: 0, seasonalQ: 0, season: 1 };

describe('ARMA parameters by least squares', () => {
  it.each([
    ['an autoregression', { ar: [0.7] }],
    ['a second-order autoregression', { ar: [0.5, 0.3] }],
    ['a moving average', { ma: [-0.6] }],
    ['both', { ar: [0.8], ma: [0.4] }],
    ['a near unit root with a near opposite average', { ar: [0.97], ma: [-0.7] }],
  ])('recovers %s', (_, process: Process) => {
    const { ar = [], ma = [] } = process;
    const zeros = (like: readonly number[]): number[] => like.map(() => 0);
    const { free, squares } = fitArma(
      {
        values: simulated(process, 6000, 11),
        orders: { ...NONE, p: ar.length, q: ma.length },
        from: 5,
      },
      { ar: zeros(ar), ma: zeros(ma), seasonalAr: [], seasonalMa: [] },
      1e-9,
    );
    stationary(free.ar).forEach((value, at) => expect(Math.abs(value - (ar[at] ?? 0))).toBeLessThan(0.05));
    stationary(free.ma).forEach((value, at) => expect(Math.abs(-value - (ma[at] ?? 0))).toBeLessThan(0.05));
    expect(squares / 5995).toBeCloseTo(1, 1);
  });

  it('recovers seasonal terms', () => {
    const { free } = fitArma(
      {
        values: simulated({ ar: [0.5], seasonal: { lag: 12, weight: 0.6 } }, 6000, 3),
        orders: { ...NONE, p: 1, seasonalP: 1, season: 12 },
        from: 13,
      },
      { ar: [0], ma: [], seasonalAr: [0], seasonalMa: [] },
      1e-9,
    );
    expect(Math.abs(Math.tanh(free.ar[0] ?? 0) - 0.5)).toBeLessThan(0.05);
    expect(Math.abs(Math.tanh(free.seasonalAr[0] ?? 0) - 0.6)).toBeLessThan(0.05);
  });
});

describe('automatic orders', () => {
  it('needs no terms for noise around a level', () => {
    const { orders, mean } = automaticArima(
      simulated({}, 400, 7).map((value) => value + 5),
      1,
    );
    expect(orders).toEqual(NONE);
    expect(mean).toBeCloseTo(5, 0);
  });

  it('differences a random walk once, and a season that is strong', () => {
    const steps = simulated({}, 1500, 4);
    let level = 0;
    const walk = steps.map((step) => (level += step));
    expect(automaticArima(walk, 1).orders).toMatchObject({ d: 1, seasonalD: 0, season: 1 });
    const seasonal = steps.map((step, at) => 10 * Math.sin((2 * Math.PI * at) / 12) + step);
    expect(automaticArima(seasonal, 12).orders).toMatchObject({ seasonalD: 1, season: 12 });
  });

  it('leaves a season alone that is not seen three times', () => {
    expect(automaticArima(simulated({}, 30, 1), 12).orders.season).toBe(1);
  });

  it('finds at least nearly as good a fit as the orders that made the series', () => {
    const process = { ar: [0.6, 0.25], ma: [0.5] };
    const values = simulated(process, 3000, 21);
    const { orders, free } = automaticArima(values, 1);
    expect(orders.d).toBe(0);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const centred = values.map((value) => value - mean);
    const squares = (at: ArimaOrders, start: typeof free): number =>
      fitArma({ values: centred, orders: at, from: 5 }, start, 1e-9).squares;
    const known = squares({ ...NONE, p: 2, q: 1 }, { ar: [0, 0], ma: [0], seasonalAr: [], seasonalMa: [] });
    expect(squares(orders, free)).toBeLessThan(known * 1.003);
  });

  it('measures how strong a season is', () => {
    const noise = simulated({}, 600, 9);
    expect(seasonalStrength(noise, 12)).toBeLessThan(0.15);
    expect(
      seasonalStrength(
        noise.map((value, at) => value + 8 * (at % 12 === 0 ? 1 : 0) * 3),
        12,
      ),
    ).toBeGreaterThan(0.9);
  });
});
