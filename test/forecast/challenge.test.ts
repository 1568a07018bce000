import { challenge, meanRatio, MIN_ORIGINS } from '../../src/forecast/learning/challenge';
import type { FittedModel, ModelKind, ModelState, SeriesContext } from '../../src/forecast/model/model';

const CONTEXT: SeriesContext = { startMs: 0, stepMs: 60_000, seasons: [], seed: 1 };

/** Forecasts a constant share of the last value; remembers what it was shown. */
function scaled(name: string, factor: number, shown: number[][] = []): ModelKind {
  const fitted = (start: number, seen: number[]): FittedModel => {
    let last = start;
    return {
      update: (value) => {
        last = value;
        seen.push(value);
      },
      predict: (horizon) => ({ mean: new Float64Array(horizon).fill(last * factor), intervals: [] }),
      save: () => ({ last }),
    };
  };
  return {
    name,
    minPoints: () => 1,
    fit: (values) => {
      const seen = [...values];
      shown.push(seen);
      return fitted(values.at(-1) ?? 0, seen);
    },
    restore: (state: ModelState) => {
      const seen: number[] = [];
      shown.push(seen);
      return fitted(Number(state['last']), seen);
    },
  };
}

const constant = (length: number): Float64Array => new Float64Array(length).fill(100);
const job = {
  values: constant(60),
  context: CONTEXT,
  tailStart: 40,
  horizons: [1, 6],
  maxOrigins: 50,
};

describe('a refit', () => {
  it('is taken when nothing was there before', () => {
    const { verdict, model } = challenge({ ...job, kind: scaled('good', 1) });
    expect(verdict).toBe('first');
    expect(model?.predict(1, []).mean[0]).toBe(100);
  });

  it.each([
    ['won', 1, 0.5],
    ['lost', 0.5, 1],
    ['lost', 1, 1],
    ['lost', 0.5, 0.495],
  ])('%s with a factor of %d against one of %d', (verdict, challenger, champion) => {
    const before = { kind: scaled('old', champion), state: { last: 100 }, seen: 30 };
    const result = challenge({ ...job, kind: scaled('new', challenger), champion: before });
    expect(result.verdict).toBe(verdict);
    expect(result.model === undefined).toBe(verdict !== 'won');
    expect(result.errors?.horizons).toEqual([1, 6]);
    expect(result.errors?.naive).toEqual([0, 0]);
  });

  it('is judged only on values that neither side was fitted to', () => {
    const values = Float64Array.from({ length: 60 }, (_, index) => index);
    const fitted: number[][] = [];
    const rolled: number[][] = [];
    const before = { kind: scaled('old', 0.1, rolled), state: { last: 44 }, seen: 45 };
    challenge({ ...job, values, kind: scaled('new', 1, fitted), champion: before });
    expect(fitted[0]?.slice(0, 45)).toEqual([...values.slice(0, 45)]);
    expect(rolled[0]).toEqual([...values.slice(45)]);
    expect(fitted[1]).toEqual([...values]);
  });

  it.each([
    ['the champion has seen nearly all of them', 60 - MIN_ORIGINS + 1, [1, 6]],
    ['no horizon fits into the tail', 40, [30]],
  ])('proves nothing when %s', (_, seen, horizons) => {
    const before = { kind: scaled('old', 0.5), state: { last: 100 }, seen };
    const result = challenge({ ...job, horizons, kind: scaled('new', 1), champion: before });
    expect(result).toMatchObject({ verdict: 'unproven', model: undefined });
  });

  it('passes over missing values', () => {
    const values = constant(60).fill(NaN, 42, 50);
    const before = { kind: scaled('old', 0.5), state: { last: 100 }, seen: 30 };
    const result = challenge({ ...job, values, kind: scaled('new', 1), champion: before });
    expect(result.verdict).toBe('won');
    expect(result.errors?.challenger.every(Number.isFinite)).toBe(true);
  });
});

describe('the ratio of errors', () => {
  it.each([
    [[1, 4], [2, 2], 1],
    [[0, 0], [0, 0], 1],
    [[0], [1], Math.exp(-1)],
    [[1], [0], Math.exp(1)],
    [[NaN, 1], [1, 2], 0.5],
    [[], [], 1],
  ])('of %j to %j is %d', (ours, theirs, expected) => {
    expect(meanRatio(ours, theirs)).toBeCloseTo(expected, 12);
  });
});
