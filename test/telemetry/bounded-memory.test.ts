import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';
import { Metrics } from '../../src/telemetry/metrics';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const MIB = 1_048_576;
const CALLS = 100;

/** By how much the heap grew, MiB, garbage left out. */
function heapGrowthMiB(work: () => void): number {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  work();
  collectGarbage();
  return (process.memoryUsage().heapUsed - before) / MIB;
}

/** A text of one MiB like none before it, put together of parts as keys are. */
function longText(call: number): string {
  return `domain.${Buffer.alloc(MIB, `${call}-`).toString('latin1')}`;
}

describe('texts of a MiB from requests', () => {
  const metrics = new Metrics(
    { version: '0.0.0', processMetrics: false, topKeys: 50 },
    { monotonicMs: () => 0 },
  );

  it.each<[string, (text: string) => void]>([
    ['metric keys', (text) => metrics.countersFor(text).totalHits(1)],
    ['domains', (text) => metrics.domainNotFound(text)],
    ['denied keys', (text) => metrics.denied('rule', text, 1)],
    ["denied keys' rules", (text) => metrics.denied(text, `key ${text.length} ${text.slice(7, 12)}`, 1)],
  ])('do not stay in memory as %s', (_what, report) => {
    const growth = heapGrowthMiB(() => {
      for (let call = 0; call < CALLS; call += 1) report(longText(call));
    });
    expect(growth).toBeLessThan(CALLS / 10);
  });

  it('count under one name for one text, also where the bound halves a character', () => {
    const text = `${'x'.repeat(511)}\u{1f600}`;
    expect(metrics.countersFor(text)).toBe(metrics.countersFor(text));
    expect(metrics.ruleFigures(text)).toBeDefined();
  });
});
