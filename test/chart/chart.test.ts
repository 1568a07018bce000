/** Charts: marks of axes, thinning, and well-formed SVG whatever is drawn. */
import fc from 'fast-check';
import { element, escaped } from '../../src/chart/markup';
import { plotSvg, type Layer, type Plot } from '../../src/chart/plot';
import { swatchSvg } from '../../src/chart/style';
import { thinnedBand, thinnedLine } from '../../src/chart/thinning';
import { civilTime, linearTicks, shortFigure, timeTicks } from '../../src/chart/ticks';
import { faultsOfMarkup } from '../parts/markup-check';

describe('marks of an axis', () => {
  it.each([
    [0, 10, 5, ['0', '2', '4', '6', '8', '10']],
    [0, 1, 4, ['0.0', '0.5', '1.0']],
    [0, 0.02, 4, ['0.000', '0.005', '0.010', '0.015', '0.020']],
    [0, 45_000, 5, ['0', '10 k', '20 k', '30 k', '40 k']],
    [5, 5, 5, ['5.00']],
  ])('from %d to %d', (low, high, count, labels) => {
    expect(linearTicks(low, high, count).map(({ label }) => label)).toEqual(labels);
  });

  const day = Date.UTC(2026, 1, 27);
  it.each([
    [day, day + 86_400_000, 5, ['02-27', '06:00', '12:00', '18:00', '02-28']],
    [day + 1, day + 3_600_000, 4, ['00:15', '00:30', '00:45', '01:00']],
    [day, day + 20_000, 3, ['00:00:00', '00:00:10', '00:00:20']],
    [day, day + 4 * 86_400_000, 4, ['02-27', '02-28', '03-01', '03-02', '03-03']],
  ])('of time from %d to %d', (low, high, count, labels) => {
    expect(timeTicks(low, high, count).map(({ label }) => label)).toEqual(labels);
  });

  it('are few, whatever the span', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e13 }), fc.integer({ min: 2, max: 12 }), (span, count) => {
        expect(timeTicks(0, span, count).length).toBeLessThanOrEqual(count + 1);
        expect(linearTicks(0, span, count).length).toBeLessThanOrEqual(count + 1);
      }),
    );
  });

  it('tell the date as a calendar does', () => {
    fc.assert(
      fc.property(fc.integer({ min: -6e13, max: 2.5e14 }), (atMs) => {
        const date = new Date(atMs);
        expect(civilTime(atMs)).toEqual({
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
          hour: date.getUTCHours(),
          minute: date.getUTCMinutes(),
          second: date.getUTCSeconds(),
        });
      }),
    );
  });

  it.each([
    [1_234_567, 100_000, '1235 k'],
    [12_345_678, 1_000_000, '12 M'],
    [0.25, 0.25, '0.3'],
    [-20_000, 10_000, '-20 k'],
  ])('%d in steps of %d is %s', (value, step, text) => {
    expect(shortFigure(value, step)).toBe(text);
  });
});

describe('thinning', () => {
  const x = Float64Array.from({ length: 10_000 }, (_, at) => at);

  it('keeps the highest and the lowest point, and breaks', () => {
    const y = x.map((at) => (at === 5_123 ? 900 : at === 777 ? -50 : at === 3_000 ? NaN : Math.sin(at)));
    const thin = thinnedLine(x, y, 100);
    expect(thin.x.length).toBeLessThanOrEqual(500);
    expect(thin.y).toEqual(expect.arrayContaining([900, -50, NaN]));
    expect([...thin.x]).toEqual([...thin.x].sort((a, b) => a - b));
  });

  it('leaves a short curve as it is', () => {
    expect(thinnedLine([1, 2, 3], [4, 5, 6], 100)).toEqual({ x: [1, 2, 3], y: [4, 5, 6] });
  });

  it('keeps the reach of a band', () => {
    const low = x.map((at) => (at === 42 ? -7 : 0));
    const high = x.map((at) => (at === 42 ? 70 : 1));
    const band = thinnedBand(x, low, high, 100);
    expect([Math.min(...band.low.y), Math.max(...band.high.y), band.low.x.length]).toEqual([-7, 70, 100]);
  });
});

describe('a chart', () => {
  const plot = (layers: readonly Layer[], title = 'A chart'): Plot => ({
    id: 'one',
    title,
    description: 'Some <things> & "others"',
    xAxis: { label: 'time', time: false },
    yAxis: { label: 'value' },
    layers,
  });
  const figures = fc.array(fc.oneof(fc.double(), fc.integer({ min: 0, max: 1_000 })), { maxLength: 60 });

  it('is well-formed whatever it is given, and has no figure that is none', () => {
    fc.assert(
      fc.property(figures, figures, fc.string({ unit: 'grapheme' }), (x, y, text) => {
        const layers: Layer[] = [
          { kind: 'band', look: 'band80', label: text, x, low: y, high: y },
          { kind: 'line', look: 'series1', label: text, x, y },
          { kind: 'level', look: 'guide', label: text, y: 3 },
          { kind: 'moments', look: 'alert', label: text, points: [{ x: 5, text }] },
          { kind: 'marks', look: 'alert', label: text, points: [{ x: 1, y: 2, text }] },
        ];
        const svg = plotSvg(plot(layers, text));
        expect(faultsOfMarkup(svg)).toEqual([]);
        expect(svg).not.toMatch(/NaN|Infinity/);
      }),
    );
  });

  it('has a title and a description for those who cannot see it', () => {
    const svg = plotSvg(plot([{ kind: 'line', look: 'actual', label: 'a', x: [1, 2], y: [3, 4] }], '<b>'));
    expect(svg).toContain('role="img" aria-labelledby="one-title one-desc"');
    expect(svg).toContain('<title id="one-title">&lt;b&gt;</title>');
    expect(svg).toContain('<desc id="one-desc">Some &lt;things&gt; &amp; &quot;others&quot;</desc>');
  });

  it('of nothing is an empty frame', () => {
    expect(faultsOfMarkup(plotSvg(plot([])))).toEqual([]);
  });

  it('is not flattened by one wide interval', () => {
    const x = [1, 2, 3];
    const line: Layer = { kind: 'line', look: 'actual', label: 'a', x, y: [90, 100, 90] };
    const band: Layer = {
      kind: 'band',
      look: 'band95',
      label: 'b',
      x,
      low: [80, 80, 80],
      high: [110, 9e6, 110],
    };
    expect(plotSvg(plot([band, line]))).toContain('>160<');
    expect(plotSvg(plot([band, line]))).not.toContain('000 k<');
    expect(plotSvg(plot([band]))).toContain('>8000 k<');
  });

  it('breaks its line where a value is missing', () => {
    const svg = plotSvg(
      plot([{ kind: 'line', look: 'actual', label: 'a', x: [1, 2, 3, 4, 5], y: [1, 2, NaN, 2, 1] }]),
    );
    const path = /class="look actual" d="([^"]*)"/.exec(svg)?.[1] ?? '';
    expect(path.replace(/[-\d. ]+/g, '')).toBe('MLML');
  });

  it.each(['line', 'band', 'marks'] as const)('has a swatch of a %s for its legend', (kind) => {
    expect(faultsOfMarkup(swatchSvg({ kind, look: 'series1' }))).toEqual([]);
  });
});

test('markup is escaped, and what XML cannot hold is left out', () => {
  expect(escaped(`<a b='c'>&\u0000"`)).toBe('&lt;a b=&#39;c&#39;&gt;&amp;&quot;');
  expect(element('a', { b: '"<', c: undefined, d: 1.23456 })).toBe('<a b="&quot;&lt;" d="1.23"/>');
});
