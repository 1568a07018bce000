import { deseasonalised, seasonalProfiles } from '../../../src/forecast/model/seasonal-profile';
import { seededRandom } from '../../../src/forecast/numeric/random';

const day = 96;
const week = 7 * day;
const daily = (at: number): number =>
  Math.sin((2 * Math.PI * at) / day) + 0.5 * Math.cos((6 * Math.PI * at) / day);
const weekly = (at: number): number => 0.6 * Math.cos((2 * Math.PI * at) / week);
const spread = (figures: Float64Array): number => {
  const mean = figures.reduce((sum, value) => sum + value, 0) / figures.length;
  return Math.sqrt(figures.reduce((sum, value) => sum + (value - mean) ** 2, 0) / figures.length);
};

describe('seasonal profiles', () => {
  it('recover a day and a week from a noisy, growing series', () => {
    const random = seededRandom(4);
    const values = Float64Array.from(
      { length: 4 * week },
      (_, at) => 5 + 0.0005 * at + daily(at) + weekly(at) + 0.2 * random.normal(),
    );
    const [ofDay, ofWeek] = seasonalProfiles(values, [day, week]);
    expect(ofDay?.cycles).toBe(28);
    expect(ofWeek?.cycles).toBe(4);
    expect(spread(Float64Array.from(ofDay?.phases ?? [], (value, at) => value - daily(at)))).toBeLessThan(
      0.06,
    );
    expect(spread(Float64Array.from(ofWeek?.phases ?? [], (value, at) => value - weekly(at)))).toBeLessThan(
      0.08,
    );
  });

  it('have the first value at phase 0 when the series holds no whole number of cycles', () => {
    const values = Float64Array.from({ length: 5 * day + 31 }, (_, at) => daily(at));
    const [profile] = seasonalProfiles(values, [day]);
    profile?.phases.forEach((value, phase) => expect(value).toBeCloseTo(daily(phase), 1));
    expect(spread(deseasonalised(values, profile === undefined ? [] : [profile]))).toBeLessThan(0.02);
  });

  it('make next to nothing of noise', () => {
    const random = seededRandom(9);
    const noise = Float64Array.from({ length: 3 * day }, () => random.normal());
    const [profile] = seasonalProfiles(noise, [day]);
    // The mean over three cycles alone would have 1 / sqrt(3).
    expect(spread(profile?.phases ?? new Float64Array(1))).toBeLessThan(0.3);
  });

  it('do not jump where a cycle of a drifting level ends', () => {
    const random = seededRandom(12);
    let level = 0;
    const values = Float64Array.from({ length: 2 * week }, (_, at) => {
      level += 0.03 * random.normal();
      return level + daily(at);
    });
    const rest = deseasonalised(values, seasonalProfiles(values, [day, week]));
    const seam = Math.abs((rest[week] ?? 0) - (rest[week - 1] ?? 0));
    expect(seam).toBeLessThan(0.2);
    const [, ofWeek] = seasonalProfiles(values, [day, week]);
    expect(Math.abs((ofWeek?.phases[0] ?? 0) - (ofWeek?.phases[week - 1] ?? 0))).toBeLessThan(0.05);
  });

  it('are not bent by spikes', () => {
    const values = Float64Array.from({ length: 10 * day }, (_, at) => daily(at));
    const spiky = values.slice();
    for (let at = 50; at < spiky.length; at += 137) spiky[at] = 40;
    const [clean] = seasonalProfiles(values, [day]);
    const [bent] = seasonalProfiles(spiky, [day]);
    bent?.phases.forEach((value, phase) =>
      expect(Math.abs(value - (clean?.phases[phase] ?? 0))).toBeLessThan(0.3),
    );
  });
});
