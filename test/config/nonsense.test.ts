/** Settings of the right form that mean nothing: told at the start, not by a thread that dies again and again. */
import { dumpSettings } from '../../src/config/settings-dump';
import { errorsOf, loaded } from './load';

describe('settings that mean nothing', () => {
  it.each([
    ['forecast.refit', 'forecast: {refit: "61 3 * * *"}', 'minute'],
    ['forecast.refit', 'forecast: {refit: "a b c d e"}', 'illegal characters'],
    ['forecast.refit', 'forecast: {refit: "0 0 31 2 *"}', 'no such time'],
    ['observe.prometheus.url', 'observe: {prometheus: {url: "http://u:hush@h:99999"}}', 'no URL'],
    ['history.influx.url', 'history: {influx: {url: "http://["}}', 'no URL'],
    ['history.otlp.endpoint', 'history: {otlp: {endpoint: "https://a%zz"}}', 'no URL'],
    ['forecast.alerts', 'forecast: {alerts: [{name: a, class: b, webhook: "http://u:hush@h/"}]}', 'user'],
    ['forecast.alerts', 'forecast: {alerts: [{name: a, class: b, webhook: "http://h:1x/hush"}]}', 'no URL'],
    ['forecast.holidays', 'forecast: {holidays: [{name: a, from: 2026-13-01, to: 2026-12-24}]}', 'no span'],
    ['forecast.holidays', 'forecast: {holidays: [{name: a, from: 2026-12-26, to: 2026-12-24}]}', 'no span'],
    ['mesh.path', 'forecast: {enabled: false}\nmesh: {path: here}', 'forecast.enabled'],
    ['mesh.targets', 'mesh: {targets: [{group: g, cluster: c}]}', 'no resources'],
    ['mesh.targets', 'mesh: {path: here, targets: [{cluster: c}]}', 'in no group'],
    ['mesh.targets', 'mesh: {path: here, targets: [{group: g}]}', 'no target'],
    ['mesh.nodes', 'mesh: {nodes: [{group: all, id: a}]}', 'fits no row'],
    ['mesh.nodes', 'mesh: {nodes: [{group: edge}]}', 'every Envoy'],
    ['mesh.classes', 'mesh: {classes: [{group: g, name: vip, header: x}]}', "group 'g'"],
    ['mesh.traffic.life', 'mesh: {traffic: {life: 1s, tick: 2s}}', 'forgotten'],
    ['mesh.traffic.health.cpu_from', 'mesh: {traffic: {health: {cpu_from: 0.9, cpu_to: 0.8}}}', 'cpu_to'],
  ])('are refused: %s of %s', (path, file, words) => {
    const errors = errorsOf({ file });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain('TG_SETTINGS_CONFLICT');
    expect(errors[0]).toContain(path);
    expect(errors[0]).toContain(words);
    expect(errors[0]).not.toContain('hush');
  });

  it('are not those that do', () => {
    const file =
      'forecast: {refit: "0 30 3 * * *", holidays: [{name: a, from: 2026-12-24, to: 2026-12-24}], alerts: [{name: a, class: b, webhook: "https://h/x?key=1"}]}';
    expect(loaded({ file }).settings.forecast.holidays).toHaveLength(1);
  });
});

it('leaves users and passwords in URLs out of a dump', () => {
  const url = 'http://user:hush@host:1/path?a=b@c';
  const file = `observe: {prometheus: {url: "${url}"}}\nhistory: {influx: {url: "${url}"}, otlp: {endpoint: "${url}"}}`;
  const dump = dumpSettings(loaded({ file }));
  expect(JSON.stringify(dump)).not.toContain('hush');
  const shown = dump.find(({ path }) => path === 'observe.prometheus.url')?.value;
  expect(shown).toBe('http://<redacted>@host:1/path?a=b@c');
});
