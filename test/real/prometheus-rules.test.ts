/** Prometheus's own tool on what it is given: the configuration, the rules, and the rules' cases. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const folder = resolve(__dirname, '../../deploy/prometheus');

test.each([
  ['the configuration', ['check', 'config', 'prometheus.yml']],
  ['the alert rules', ['check', 'rules', 'alerts.yml']],
  ['the cases of the alert rules', ['test', 'rules', 'alerts.test.yml']],
])('promtool passes %s', (_what, args) => {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });
  expect(error).toBeUndefined();
  expect([status, status === 0 ? '' : `${stdout}${stderr}`]).toEqual([0, '']);
});
