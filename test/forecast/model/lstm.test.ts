import { LSTM, LstmRecursion, lstmKind, lstmMethod } from '../../../src/forecast/model/lstm';
import { TRAINING, huber } from '../../../src/forecast/model/lstm-training';
import type { SeriesContext } from '../../../src/forecast/model/model';
import { seededRandom } from '../../../src/forecast/numeric/random';

const CONTEXT: SeriesContext = { startMs: 0, stepMs: 300_000, seasons: [], seed: 1 };
/** Quick enough for tests. */
const SMALL = { ...TRAINING, units: 8, epochs: 15 };
const small = lstmKind(SMALL);

/** A chaotic map (Henon's), on a level: its next value follows from two, by no line. */
function chaotic(count: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  let x = 0.1 * random.next();
  let before = 0.1 * random.next();
  return Float64Array.from({ length: count }, () => {
    [x, before] = [1 - 1.4 * x * x + 0.3 * before, x];
    return 6 + 0.5 * x;
  });
}

function seasonalCounts(count: number, season: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  let slow = 0;
  return Float64Array.from({ length: count }, (_, at) => {
    slow = 0.9 * slow + 0.05 * random.normal();
    return Math.round(Math.exp(5 + Math.sin((2 * Math.PI * at) / season) + slow + 0.03 * random.normal()));
  });
}

describe('what the LSTM learns', () => {
  it('a nonlinear series, far better than a line could, one step ahead', () => {
    const values = chaotic(2400, 3);
    const method = lstmMethod({ ...TRAINING, units: 16, epochs: 30 });
    const train = values.slice(0, 2000);
    const recursion = method.run(train, CONTEXT, method.estimate(train, CONTEXT));
    // The best line from the two values before explains hardly a third of what Henon's map does.
    let errors = 0;
    let naive = 0;
    for (let at = 2000; at < values.length; at += 1) {
      errors += Math.abs(recursion.step(values[at] ?? NaN));
      naive += Math.abs((values[at] ?? NaN) - (values[at - 1] ?? NaN));
    }
    expect(errors / naive).toBeLessThan(0.3);
  });

  it('nothing of noise: it stays within a hundredth of the blend that it corrects', () => {
    const random = seededRandom(8);
    const values = Float64Array.from({ length: 1600 }, () => 5 + random.normal());
    const method = lstmMethod(SMALL);
    const train = values.slice(0, 1200);
    const parameters = method.estimate(train, CONTEXT);
    const corrected = method.run(train, CONTEXT, parameters);
    const blend = LstmRecursion.of({ ...parameters, says: parameters.says.map(() => 0) });
    for (const value of train) blend.step(value);
    let with_ = 0;
    let without = 0;
    for (let at = 1200; at < values.length; at += 1) {
      with_ += Math.abs(corrected.step(values[at] ?? NaN));
      without += Math.abs(blend.step(values[at] ?? NaN));
    }
    expect(with_ / without).toBeLessThan(1.01);
  });

  it('seasons, far better than the last value', () => {
    const values = seasonalCounts(1440 + 144, 144, 3);
    const model = small.fit(values.slice(0, 1440), { ...CONTEXT, stepMs: 600_000, seasons: [144] });
    const { mean } = model.predict(144, []);
    let error = 0;
    let naive = 0;
    values.slice(1440).forEach((value, at) => {
      error += Math.abs(value - (mean[at] ?? NaN));
      naive += Math.abs(value - (values[1439] ?? NaN));
    });
    expect(error / naive).toBeLessThan(0.4);
  });

  it('is the same for the same seed, and another for another', () => {
    const values = chaotic(500, 1);
    const forecast = (seed: number): Float64Array =>
      small.fit(values, { ...CONTEXT, seed }).predict(5, []).mean;
    expect(forecast(4)).toEqual(forecast(4));
    expect(forecast(4)).not.toEqual(forecast(5));
  });

  it('weighs errors by a square near 0 and a line beyond 1', () => {
    expect([0, 0.5, -1, 3, -3].map(huber)).toEqual([0, 0.125, 0.5, 2.5, 2.5]);
  });
});

describe('the model kind lstm', () => {
  it('is the same after it was saved and restored, also in what it learns then', () => {
    const values = seasonalCounts(760, 144, 5);
    const model = small.fit(values.slice(0, 700), { ...CONTEXT, seasons: [144] });
    values.slice(700, 730).forEach((value) => model.update(value));
    const again = LSTM.restore(model.save());
    expect(again.predict(300, [0.8, 0.95])).toEqual(model.predict(300, [0.8, 0.95]));
    values.slice(730).forEach((value) => {
      model.update(value);
      again.update(value);
    });
    expect(again.predict(50, [0.8])).toEqual(model.predict(50, [0.8]));
    expect(again.save()).toEqual(model.save());
  });

  it.each([
    ['knots that do not begin at 1', { knots: Float64Array.of(2, 4) }],
    ['more units than any has', { units: 1e9 }],
    ['weights of another shape', { weights: new Float64Array(7) }],
    ['a hidden state that is not there', { hidden: undefined }],
    ['says that are not finite', { says: Float64Array.of(NaN) }],
  ])('refuses a saved state with %s', (_, broken) => {
    const whole = LstmRecursion.of(
      lstmMethod({ ...SMALL, epochs: 1 }).estimate(chaotic(80, 1), CONTEXT),
    ).save();
    expect(() => LstmRecursion.restore({ ...whole, ...broken })).toThrow(
      expect.objectContaining({ code: 'TG_FORECAST_BAD_STATE' }) as Error,
    );
  });

  it.each([
    ['the fewest points', Float64Array.from({ length: 64 }, (_, at) => at)],
    ['zeros', new Float64Array(400)],
    ['one level', new Float64Array(400).fill(1e6)],
    ['a spike among zeros', new Float64Array(400).map((_, at) => (at === 250 ? 1e12 : 0))],
    ['gaps', seasonalCounts(400, 144, 1).map((value, at) => (at % 7 < 3 ? NaN : value))],
    ['nothing but gaps', new Float64Array(400).fill(NaN)],
    ['negative figures', seasonalCounts(400, 144, 1).map((value) => -value)],
    ['absurd figures', new Float64Array(400).map((_, at) => (at % 2 === 0 ? 1e300 : -1e300))],
    ['a ramp that goes on', new Float64Array(400).map((_, at) => Math.exp(at / 20))],
  ])('forecasts figures, finite and not negative, of %s', (_, values) => {
    const kind = lstmKind({ ...SMALL, epochs: 2 });
    for (const seasons of [[], [24, 144]]) {
      const model = kind.fit(values, { ...CONTEXT, seasons });
      for (const value of [NaN, -5, Infinity, 1e300, 0, 3]) model.update(value);
      const { mean, intervals } = model.predict(600, [0.8, 0.95]);
      for (const figures of [mean, ...intervals.flatMap(({ lower, upper }) => [lower, upper])]) {
        expect(figures.every((figure) => Number.isFinite(figure) && figure >= 0)).toBe(true);
      }
    }
  });

  it('says when there is too little', () => {
    expect(() => LSTM.fit(new Float64Array(63), CONTEXT)).toThrow(
      expect.objectContaining({ code: 'TG_FORECAST_TOO_SHORT' }) as Error,
    );
  });
});
