import { execFileSync } from 'node:child_process';
import { Metrics } from '../../src/telemetry/metrics';

/** What `promtool check metrics` says about a text, line by line. */
function promtoolProblems(text: string): string[] {
  try {
    execFileSync('promtool', ['check', 'metrics'], { input: text, stdio: ['pipe', 'pipe', 'pipe'] });
    return [];
  } catch (thrown) {
    const { stderr, stdout } = thrown as { stderr?: Buffer; stdout?: Buffer };
    if (stderr === undefined) throw thrown;
    const problems = `${stderr.toString()}${stdout?.toString() ?? ''}`
      .split('\n')
      .filter((line) => line !== '');
    return problems.length > 0 ? problems : [String(thrown)];
  }
}

describe('the metrics text', () => {
  it('can be read by Prometheus, whatever stands in keys', async () => {
    const metrics = new Metrics({ version: '1.2.3' }, { monotonicMs: () => 0 });
    metrics.observe({ breakerState: () => 'open', limits: () => ({ version: 1, rules: 1, loadedAtMs: 1 }) });
    metrics.countersFor('d.k.\ud800"\\').totalHits(1);
    metrics.domainNotFound('\n"');
    metrics.denied('d.k', '\ud800\u0000', 1);
    metrics.denied('d.k', '\udfff\u0001', 1);
    const { body } = await metrics.scrape();
    const problems = promtoolProblems(body);
    // Advice on style is not followed: people have the reference's and prom-client's names on dashboards.
    const STYLE = /should (not )?have "_total" suffix|metric names should not contain abbreviated units/;
    expect(problems.filter((problem) => !STYLE.test(problem))).toEqual([]);
  });

  it('would be found out if it could not', () => {
    expect(promtoolProblems('broken{ 1\n').join('\n')).toMatch(/error|expected/i);
  });
});
