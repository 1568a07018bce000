/** Steps down gradients, against steps done by hand. */
import { GradientSteps, shorten } from '../../src/learn/network/gradient-steps';

describe('Adam', () => {
  test('takes the steps that its authors say', () => {
    const weights = Float64Array.of(1, -2);
    const steps = new GradientSteps(weights);
    steps.step(Float64Array.of(0.5, -4), 0.1);
    // Both means are the slope itself after the first step's correction: each weight moves by rate x g / (|g| + 1e-5).
    expect(weights[0]).toBeCloseTo(1 - (0.1 * 0.5) / (0.5 + 1e-5), 12);
    expect(weights[1]).toBeCloseTo(-2 + (0.1 * 4) / (4 + 1e-5), 12);
    const first = weights[0] ?? NaN;
    steps.step(Float64Array.of(-0.25, 0), 0.1);
    const mean = (0.9 * 0.05 + 0.1 * -0.25) / (1 - 0.81);
    const square = (0.999 * 0.00025 + 0.001 * 0.0625) / (1 - 0.998001);
    expect(weights[0]).toBeCloseTo(first - (0.1 * mean) / (Math.sqrt(square) + 1e-5), 12);
  });

  test('lets weights decay apart from the gradient', () => {
    const weights = Float64Array.of(2);
    new GradientSteps(weights, 0.5).step(Float64Array.of(0), 0.1);
    expect(weights[0]).toBeCloseTo(2 * 0.95, 12);
  });

  test('goes on from what was kept as if it had never stopped', () => {
    const slopes = [0.3, -0.7, 0.1, 2].map((slope) => Float64Array.of(slope));
    const through = Float64Array.of(1);
    const cut = Float64Array.of(1);
    const one = new GradientSteps(through);
    let other = new GradientSteps(cut);
    for (const slope of slopes) {
      one.step(slope, 0.01);
      other.step(slope, 0.01);
      other = new GradientSteps(cut, 0, other.state);
    }
    expect(cut).toEqual(through);
  });
});

describe('a gradient', () => {
  test.each([
    ['longer than it may be is shortened', [3, 4], 1, [0.6, 0.8], 5],
    ['that is short enough stays', [0.3, 0.4], 1, [0.3, 0.4], 0.5],
    ['of nothing stays', [0, 0], 1, [0, 0], 0],
  ])('%s', (_, slopes, most, expected, length) => {
    const gradient = Float64Array.from(slopes);
    expect(shorten(gradient, most)).toBeCloseTo(length, 12);
    expected.forEach((slope, at) => expect(gradient[at]).toBeCloseTo(slope, 12));
  });

  test.each([NaN, Infinity])('that holds %p is told by its length, and stays', (wrong) => {
    const gradient = Float64Array.of(1, wrong);
    expect(Number.isFinite(shorten(gradient, 0.5))).toBe(false);
    expect(gradient[0]).toBe(1);
  });
});
