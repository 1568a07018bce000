/** Coverages as a report shows them. */
import { html, type Markup } from '../../../admin/html';

/** A coverage in percent, marked when it is far from what it should be. Parts, 0 to 1. */
export function coverageText(part: number, level: number): Markup {
  const off = Math.abs(part - level);
  const look = off > 0.1 ? 'bad' : off > 0.05 ? 'warn' : '';
  return html`<span class="${look}">${Number.isFinite(part) ? `${(part * 100).toFixed(1)} %` : '-'}</span>`;
}
