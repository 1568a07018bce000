/** The looks of charts as a style sheet, light and dark; colours that people with any colour vision tell apart (Okabe and Ito). */
import { element, type MarkupText } from './markup';
import type { Layer } from './plot';

/** To be put into a page's `style`. Looks are told apart by dashes too, for print and for those who see no colours. */
export const CHART_STYLE = `
:root { --chart-ink: #1c2733; --chart-dim: #5d6b7a; --chart-grid: #dde3ea; --chart-1: #0072b2; --chart-2: #d55e00;
  --chart-3: #009e73; --chart-4: #a64d89; --chart-5: #b07d00; --chart-6: #3a8fc4; --chart-7: #6b6b6b; --chart-alert: #c62828;
  --chart-band: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --chart-ink: #e3e9ef; --chart-dim: #93a1b0; --chart-grid: #2b3743;
  --chart-1: #58b7e0; --chart-2: #f08a4b; --chart-3: #3ecf9f; --chart-4: #e08fc4; --chart-5: #e3b341; --chart-6: #9fd3f0;
  --chart-7: #a8a8a8; --chart-alert: #ff7b72; --chart-band: #58b7e0; } }
.chart { display: block; width: 100%; height: auto; font: 13px system-ui, sans-serif; }
.chart text { fill: var(--chart-dim); }
.chart .grid { stroke: var(--chart-grid); fill: none; }
.chart .axis { stroke: var(--chart-dim); fill: none; }
.look { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.look.actual { stroke: var(--chart-ink); stroke-width: 1.3; }
.look.guide { stroke: var(--chart-dim); stroke-dasharray: 2 4; stroke-width: 1; }
.look.series1 { stroke: var(--chart-1); stroke-width: 2; }
.look.series2 { stroke: var(--chart-2); stroke-dasharray: 7 3; }
.look.series3 { stroke: var(--chart-3); stroke-dasharray: 2 2; }
.look.series4 { stroke: var(--chart-4); stroke-dasharray: 9 3 2 3; }
.look.series5 { stroke: var(--chart-5); stroke-dasharray: 12 4; }
.look.series6 { stroke: var(--chart-6); stroke-dasharray: 4 2; }
.look.series7 { stroke: var(--chart-7); stroke-dasharray: 1 3; }
.look.area { stroke: none; fill: var(--chart-band); }
.look.area.band80 { fill-opacity: .26; } .look.area.band95 { fill-opacity: .13; }
.look.marks circle { fill: var(--chart-alert); fill-opacity: .85; stroke: none; }
.look.alert { stroke: var(--chart-alert); stroke-dasharray: 6 3; }
.swatch { width: 1.75rem; height: .75rem; flex: none; }
`;

/** A small picture of a layer's look, for a legend. */
export function swatchSvg({ kind, look }: Pick<Layer, 'kind' | 'look'>): MarkupText {
  const shape =
    kind === 'band'
      ? element('rect', { class: `look ${look} area`, x: 0, y: 0, width: 28, height: 12 })
      : kind === 'marks'
        ? element('g', { class: `look ${look} marks` }, [element('circle', { cx: 14, cy: 6, r: 4 })])
        : element('path', { class: `look ${look}`, d: 'M0 6h28' });
  return element('svg', { class: 'swatch', viewBox: '0 0 28 12', 'aria-hidden': 'true' }, [shape]);
}
