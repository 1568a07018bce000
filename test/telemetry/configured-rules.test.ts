import { RuleSeries } from '../../src/telemetry/rule-series';

describe('counters of configured rules', () => {
  it('have room of their own, however many keys requests have made up', () => {
    const series = new RuleSeries(100);
    for (let index = 0; index < 1_000; index += 1) series.countersFor(`d.k_${index}`).totalHits(1);
    for (let index = 0; index < 100; index += 1) series.countersFor(`d.rule_${index}`, true).totalHits(1);
    for (let index = 0; index < 100; index += 1) {
      expect(series.figuresOf(`d.rule_${index}`)).toMatchObject({ total_hits: 1 });
    }
    expect(series.size).toBe(200);
  });

  it('are bounded too', () => {
    const series = new RuleSeries(10);
    for (let index = 0; index < 50; index += 1) series.countersFor(`d.rule_${index}`, true);
    expect(series.size).toBe(10);
    expect(series.countersFor('d.made_up')).not.toBe(series.countersFor('d.rule_49', true));
  });
});
