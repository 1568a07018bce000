/** What is known of figures' sizes: moments, reward scales, ranges, settings. */
import fc from 'fast-check';
import { seededRandom } from '../../src/forecast/numeric/random';
import { FigureList } from '../../src/learn/ppo/figure-list';
import { Moments } from '../../src/learn/ppo/moments';
import { ObservedRanges } from '../../src/learn/ppo/observed-ranges';
import { ReturnScale } from '../../src/learn/ppo/return-scale';
import type { Segment } from '../../src/learn/ppo/rollout';
import { normalise } from '../../src/learn/ppo/scales';
import { rolloutSeed, seedOf } from '../../src/learn/ppo/seeds';
import { along, ppoSettings } from '../../src/learn/ppo/settings';
import { codeOf } from './parts/refusals';

const figure = fc.double({ min: -1e6, max: 1e6, noNaN: true });

describe('moments', () => {
  test('of parts that are merged are those of all at once', () => {
    const blocks = fc.array(fc.array(fc.tuple(figure, figure), { maxLength: 20 }), { maxLength: 8 });
    fc.assert(
      fc.property(blocks, (parts) => {
        const merged = new Moments(2);
        for (const part of parts) merged.add(Float64Array.from(part.flat()), part.length);
        const all = parts.flat();
        expect(merged.count).toBe(all.length);
        if (all.length === 0) return;
        for (const feature of [0, 1] as const) {
          const mean = all.reduce((sum, row) => sum + row[feature], 0) / all.length;
          const variance = all.reduce((sum, row) => sum + (row[feature] - mean) ** 2, 0) / all.length;
          expect(Math.abs((merged.means[feature] ?? NaN) - mean)).toBeLessThan(1e-6);
          expect(Math.abs((merged.squares[feature] ?? NaN) / all.length - variance)).toBeLessThan(
            1e-9 * (1 + variance) + 1e-3,
          );
        }
      }),
    );
  });

  test('have deviation 1 where nothing is known or varies', () => {
    const moments = new Moments(2);
    expect([...moments.deviations()]).toEqual([1, 1]);
    moments.add(Float64Array.of(3, 0, 3, 2), 2);
    expect([...moments.deviations()]).toEqual([1, 1]);
    moments.add(Float64Array.of(3, 4, 3, 6), 2);
    expect([...moments.deviations()]).toEqual([1, Math.sqrt(5)]);
  });

  test('are kept by their state', () => {
    const moments = new Moments(1);
    moments.add(Float64Array.of(1, 2, 5), 3);
    const again = new Moments(1, structuredClone(moments.state));
    again.add(Float64Array.of(7), 1);
    moments.add(Float64Array.of(7), 1);
    expect(again.state).toEqual(moments.state);
  });
});

describe('normalised figures', () => {
  test('have mean 0 and deviation 1, kept within the clip', () => {
    const scales = { means: Float64Array.of(10, 0), deviations: Float64Array.of(2, 0.5) };
    const into = new Float64Array(7).fill(9);
    normalise(scales, 5, Float64Array.of(12, -1, 100, 0, -100, 1), 3, into, 1);
    expect([...into]).toEqual([9, 1, -2, 5, 0, -5, 2]);
  });
});

describe('the reward scale', () => {
  const segmentOf = (rewards: readonly number[]): Segment => ({
    steps: rewards.length,
    services: new Int32Array(rewards.length + 1),
    perService: new Float64Array(0),
    global: new Float64Array(0),
    actions: new Float64Array(0),
    logProbabilities: new Float64Array(0),
    rewards: Float64Array.from(rewards),
    credits: new Float64Array(0),
    terminated: false,
    whole: true,
  });

  test('is one over the deviation of running discounted sums, which begin anew with each episode', () => {
    const scale = new ReturnScale(0.5);
    expect(scale.factor).toBe(1);
    scale.add([{ segments: [segmentOf([4, 0]), segmentOf([0])], terms: {} }]);
    scale.add([{ segments: [segmentOf([2])], terms: {} }]);
    // Sums 4, 2, 0 and 2: their variance is 2.
    expect(scale.factor).toBeCloseTo(1 / Math.sqrt(2), 12);
    expect(new ReturnScale(0.5, scale.state).factor).toBe(scale.factor);
  });
});

describe('observed ranges', () => {
  test('know extremes exactly, and quantiles of any number of rows nearly', () => {
    const random = seededRandom(2);
    const ranges = new ObservedRanges(2);
    for (let block = 0; block < 50; block += 1) {
      ranges.add(
        Float64Array.from({ length: 2_000 }, (_, at) => (at % 2 === 0 ? random.next() : 5)),
        1_000,
      );
    }
    ranges.add(Float64Array.of(-3, 5), 1);
    const { least, most, low, high } = ranges.ranges();
    expect(least[0]).toBe(-3);
    expect(most[0]).toBeGreaterThan(0.999);
    expect(low[0]).toBeGreaterThan(-0.1);
    expect(low[0]).toBeLessThan(0.01);
    expect(high[0]).toBeGreaterThan(0.99);
    expect([least[1], low[1], high[1], most[1]]).toEqual([5, 5, 5, 5]);
  });

  test('hold no more rows however many come, and go on from their state', () => {
    const through = new ObservedRanges(1);
    let cut = new ObservedRanges(1);
    const random = seededRandom(3);
    for (let block = 0; block < 30; block += 1) {
      const rows = Float64Array.from({ length: 777 }, () => random.normal());
      through.add(rows, 777);
      cut.add(rows, 777);
      cut = new ObservedRanges(1, structuredClone(cut.state));
    }
    expect(cut.state).toEqual(through.state);
    expect(through.state.kept.length).toBeLessThanOrEqual(4_096);
    expect(through.state.kept.length).toBeGreaterThan(2_000);
  });

  test('are 0 before anything was seen', () => {
    const { least, most, low, high } = new ObservedRanges(1).ranges();
    expect([least, low, high, most].map((one) => one[0])).toEqual([0, 0, 0, 0]);
  });
});

describe('seeds', () => {
  test('differ by training, update and index, and by their order', () => {
    const seeds = new Set<number>();
    for (let seed = 0; seed < 5; seed += 1) {
      for (let update = 0; update < 40; update += 1) {
        for (let index = 0; index < 20; index += 1) seeds.add(rolloutSeed(seed, update, index));
      }
    }
    expect(seeds.size).toBe(4_000);
    expect(seedOf(1, 2)).not.toBe(seedOf(2, 1));
  });
});

describe('a list of figures', () => {
  test('holds what was added, however much', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(figure, fc.array(figure, { maxLength: 60 }))), (parts) => {
        const list = new FigureList(1);
        for (const part of parts) {
          if (typeof part === 'number') list.push(part);
          else list.append(Float64Array.from(part));
        }
        expect([...list.figures()]).toEqual(parts.flat());
        expect(list.length).toBe(parts.flat().length);
      }),
    );
  });
});

describe('a schedule', () => {
  test.each([
    [-1, 0.3],
    [0, 0.3],
    [0.5, 0.175],
    [1, 0.05],
    [2, 0.05],
  ])('is at progress %p at %p', (progress, expected) => {
    expect(along(0.3, 0.05, progress)).toBeCloseTo(expected, 12);
  });
});

describe('settings', () => {
  test.each<[string, Record<string, unknown>]>([
    ['clip', { clip: 0 }],
    ['epochs', { epochs: 1.5 }],
    ['units', { units: 100_000 }],
    ['discount', { discount: NaN }],
    ['learningRate', { learningRate: '1' }],
    ['ratio', { ratio: 'all' }],
    ['learnDeviation', { learnDeviation: 1 }],
    ['epoch', { epoch: 3 }],
  ])('with a wrong %s are refused by name', (name, given) => {
    const attempt = () => ppoSettings(given);
    expect(attempt).toThrow(name);
    expect(codeOf(attempt)).toBe('TG_LEARN_BAD_SETTINGS');
  });

  test('are what is usual where nothing is said', () => {
    expect(ppoSettings({ epochs: 3 })).toMatchObject({ epochs: 3, clip: 0.2, firstDeviation: 0.3 });
  });
});
