import { Hedge } from '../../../src/forecast/choice/hedge';
import { seededRandom } from '../../../src/forecast/numeric/random';

describe('a hedge', () => {
  it('gives nearly all weight to the best of experts', () => {
    const random = seededRandom(1);
    const hedge = new Hedge(3);
    for (let step = 0; step < 3000; step += 1) {
      const actual = 100 + 10 * random.normal();
      hedge.learn(Float64Array.of(120, 100, 112), actual);
    }
    expect(hedge.weights[1]).toBeGreaterThan(0.9);
    expect(hedge.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
  });

  it('mixes two experts that are wrong on different sides to be better than each', () => {
    const random = seededRandom(2);
    const hedge = new Hedge(2);
    const loss = [0, 0, 0];
    for (let step = 0; step < 3000; step += 1) {
      const actual = 50 + random.normal();
      const experts = Float64Array.of(55, 45);
      loss[0]! += Math.abs(55 - actual);
      loss[1]! += Math.abs(45 - actual);
      loss[2]! += Math.abs(hedge.mix(experts) - actual);
      hedge.learn(experts, actual);
    }
    expect(loss[2]).toBeLessThan(0.4 * Math.min(loss[0]!, loss[1]!));
  });

  it('is not hurt much by an expert that is absurd', () => {
    const random = seededRandom(3);
    const hedge = new Hedge(2);
    let late = 0;
    for (let step = 0; step < 2000; step += 1) {
      const actual = 10 + random.normal();
      const experts = Float64Array.of(10, step % 2 === 0 ? 1e9 : 0);
      if (step >= 1000) late += Math.abs(hedge.mix(experts) - actual);
      hedge.learn(experts, actual);
    }
    expect(late / 1000).toBeLessThan(2);
  });

  it('has the weights it had after it was saved and loaded', () => {
    const hedge = new Hedge(2);
    for (let step = 0; step < 50; step += 1) hedge.learn(Float64Array.of(step, step + 2), step + 0.5);
    const loaded = new Hedge(2);
    loaded.load(hedge.save());
    expect(loaded.weights).toEqual(hedge.weights);
    for (const each of [hedge, loaded]) each.learn(Float64Array.of(1, 4), 2);
    expect(loaded.weights).toEqual(hedge.weights);
  });
});
