import { dumpSettings, REDACTED } from '../../src/config/settings-dump';
import { errorsOf, loaded } from './load';

const FILE = `forecast:
  alerts:
    - {name: busy, class: d.k, horizon: 1d, above_per_s: 10, webhook: 'http://127.0.0.1:1/secret'}
    - {name: calm, class: d.l, above_per_s: 0.5}
  replicas:
    - {service: shop, capacity_per_replica: 50}
`;

describe('lists of rows', () => {
  it('are read with defaults for what a row leaves out, in camel case and frozen', () => {
    const { forecast } = loaded({ file: FILE }).settings;
    expect(forecast.alerts).toHaveLength(2);
    expect(forecast.alerts[0]).toMatchObject({ name: 'busy', class: 'd.k', horizon: '1d', abovePerS: 10 });
    expect(forecast.alerts[1]).toMatchObject({ horizon: '1h', figure: 'mean', webhook: '' });
    expect(forecast.replicas[0]).toMatchObject({
      service: 'shop',
      capacityPerReplica: 50,
      targetUtilization: 0.7,
    });
    expect(Object.isFrozen(forecast.alerts[0])).toBe(true);
  });

  it('come as JSON from the environment', () => {
    const env = { TIDEGATE_FORECAST_ALERTS: '[{"name":"a","class":"c","above_per_s":3}]' };
    expect(loaded({ env }).settings.forecast.alerts).toMatchObject([{ name: 'a', abovePerS: 3 }]);
  });

  it.each([
    ['forecast:\n  alerts:\n    - {name: a, class: c, above_per_s: many}', ':3:', 'above_per_s'],
    ['forecast:\n  alerts:\n    - {name: a, class: c, abve_per_s: 1}', ':3:', 'abve_per_s'],
    ['forecast:\n  alerts:\n    - {name: a, class: c, abve_per_s: 1}', ':3:', 'did you mean above_per_s?'],
    ['forecast:\n  alerts:\n    - {name: a, class: c, xyz: 1}', ':3:', 'a row takes name, class, horizon,'],
    ['forecast:\n  alerts:\n    - {class: c}', ':3:', 'name'],
    ['forecast:\n  alerts: busy', ':2:', 'takes a list'],
    ['forecast:\n  holidays:\n    - {name: a, from: tomorrow, to: 2026-01-01}', ':3:', 'from'],
  ])('refuse %j with its place', (file, place, words) => {
    const [error] = errorsOf({ file }).map(String);
    expect(error).toContain(place);
    expect(error).toContain(words);
  });

  it.each(['{', '"a"', '[1]', '[{"nme": "a"}]'])('refuse the environment text %s', (text) => {
    expect(errorsOf({ env: { TIDEGATE_FORECAST_ALERTS: text } })).not.toEqual([]);
  });

  it('are dumped by the keys of the file, without secrets', () => {
    const dumped = dumpSettings(loaded({ file: FILE })).find(({ path }) => path === 'forecast.alerts');
    expect(dumped?.value).toMatchObject([
      { name: 'busy', above_per_s: 10, webhook: REDACTED },
      { name: 'calm', webhook: '' },
    ]);
  });
});
