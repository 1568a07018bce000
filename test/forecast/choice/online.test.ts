import { ONLINE, RECURSIVE_RIDGE } from '../../../src/forecast/choice/online';
import type { ModelKind, SeriesContext } from '../../../src/forecast/model/model';
import { seededRandom } from '../../../src/forecast/numeric/random';

const CONTEXT: SeriesContext = { startMs: Date.UTC(2024, 0, 1), stepMs: 60_000, seasons: [1440], seed: 1 };

/** Counts around a level that drifts: what one minute after the other looks like. */
function counts(points: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  let level = 100;
  return Float64Array.from({ length: points }, () => {
    level = Math.max(20, level + random.normal());
    return Math.max(0, Math.round(level + Math.sqrt(level) * random.normal()));
  });
}

interface Outcome {
  readonly relative: number;
  readonly coverage80: number;
  readonly coverage95: number;
}

/** One step ahead over all values, from nothing. */
function outcomeOf(kind: ModelKind, values: Float64Array, context = CONTEXT): Outcome {
  const model = kind.fit(new Float64Array(0), context);
  let [own, naive, inside80, inside95] = [0, 0, 0, 0];
  values.forEach((value, at) => {
    if (at > 0) {
      const { mean, intervals } = model.predict(1, [0.8, 0.95]);
      own += Math.abs(mean[0]! - value);
      naive += Math.abs(values[at - 1]! - value);
      if (value >= intervals[0]!.lower[0]! && value <= intervals[0]!.upper[0]!) inside80 += 1;
      if (value >= intervals[1]!.lower[0]! && value <= intervals[1]!.upper[0]!) inside95 += 1;
    }
    model.update(value);
  });
  const steps = values.length - 1;
  return { relative: own / naive, coverage80: inside80 / steps, coverage95: inside95 / steps };
}

describe.each([ONLINE, RECURSIVE_RIDGE])('$name', (kind) => {
  it('errs less than the naive forecast on counts with noise, within what its intervals promise', () => {
    const { relative, coverage80, coverage95 } = outcomeOf(kind, counts(6000, 1));
    expect(relative).toBeLessThan(0.82);
    expect(Math.abs(coverage80 - 0.8)).toBeLessThan(0.02);
    expect(Math.abs(coverage95 - 0.95)).toBeLessThan(0.015);
  });

  it('follows a level a hundred times as high within some steps', () => {
    const model = kind.fit(counts(2000, 2), CONTEXT);
    const high = counts(60, 3).map((value) => value * 100);
    for (const value of high) model.update(value);
    const next = model.predict(1, []).mean[0]!;
    expect(next).toBeGreaterThan(5_000);
    expect(next).toBeLessThan(20_000);
  });

  it('is not drawn off by one absurd value', () => {
    const values = counts(2000, 4);
    const model = kind.fit(values, CONTEXT);
    model.update(1e12);
    for (const value of counts(20, 4)) model.update(value);
    expect(model.predict(1, []).mean[0]).toBeLessThan(300);
  });
});

describe('online', () => {
  it('loses little to the naive forecast on a random walk, where nothing is better', () => {
    const random = seededRandom(5);
    let level = 5000;
    const values = Float64Array.from(
      { length: 5000 },
      () => (level = Math.max(100, level + 50 * random.normal())),
    );
    expect(outcomeOf(ONLINE, values).relative).toBeLessThan(1.02);
  });

  it('foresees a rise that comes at the same time every day', () => {
    const season = 48;
    const random = seededRandom(6);
    const values = Float64Array.from({ length: 40 * season }, (_, at) => {
      return Math.max(0, (at % season < 24 ? 100 : 400) + 5 * random.normal());
    });
    const context = { ...CONTEXT, seasons: [season] };
    const seasonal = outcomeOf(ONLINE, values, context).relative;
    expect(seasonal).toBeLessThan(0.9 * outcomeOf(ONLINE, values, { ...context, seasons: [] }).relative);
  });

  it('keeps less than 12 kB besides its seasons', () => {
    const state = ONLINE.fit(counts(3000, 7), { ...CONTEXT, seasons: [1440, 10080] }).save();
    const bytes = (value: unknown): number => {
      if (ArrayBuffer.isView(value)) return value.byteLength;
      if (typeof value !== 'object' || value === null) return 8;
      return Object.values(value).reduce((sum: number, part: unknown) => sum + bytes(part), 0);
    };
    const { seasons, ...view } = state['view'] as { seasons: unknown };
    expect(bytes({ ...state, view })).toBeLessThan(12_000);
    expect(bytes(seasons)).toBeLessThan(24_000);
  });
});
