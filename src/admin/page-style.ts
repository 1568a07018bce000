/** The look of the status page: one style sheet; and what the page may do. */
import { createHash } from 'node:crypto';
import { PAGE_SCRIPT } from './page-script';

/** The style sheet. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1c2733; --dim: #5d6b7a; --line: #dde3ea; --card: #fff; --back: #f3f6f9;
  --good: #1a7f4b; --bad: #b3261e; --warn: #9a6700; --wave: #0b6e99; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e9ef; --dim: #93a1b0; --line: #2b3743; --card: #18212a;
  --back: #10171e; --good: #4cc38a; --bad: #ff7b72; --warn: #e3b341; --wave: #58b7e0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: baseline; padding: 1rem 1.5rem;
  background: var(--card); border-bottom: 1px solid var(--line); }
h1 { margin: 0; font-size: 1.25rem; color: var(--wave); }
h2 { margin: 0 0 .75rem; font-size: 1rem; }
main { display: grid; gap: 1rem; padding: 1rem 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); }
#state, #errors { display: contents; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; min-width: 0; }
section.wide { grid-column: 1 / -1; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--dim); font-weight: 600; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.n { white-space: nowrap; }
td { unicode-bidi: isolate; }
td.k { overflow-wrap: anywhere; min-width: 6rem; font-family: ui-monospace, monospace; }
td.w { white-space: nowrap; }
td.r { overflow-wrap: anywhere; min-width: 14rem; }
section.list { max-height: 32rem; overflow: auto; }
section.list thead th { position: sticky; top: -1rem; background: var(--card); }
tr:last-child > * { border-bottom: 0; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); } .dim { color: var(--dim); }
.badge { border: 1px solid currentcolor; border-radius: 1rem; padding: 0 .6rem; font-size: .85rem; font-weight: 600; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: .85rem/1.45 ui-monospace, monospace; }
a { color: var(--wave); }
section > p { margin: .5rem 0 0; } section > p:empty { display: none; }
select { max-width: 100%; font: inherit; color: inherit; background: var(--back); border: 1px solid var(--line); }
#chart svg { display: block; max-width: 100%; } #chart text { fill: var(--dim); font-size: 12px; }
.grid { stroke: var(--line); } .actual, .foreseen { fill: none; stroke: var(--wave); stroke-width: 2; }
.foreseen { stroke: var(--warn); stroke-dasharray: 5 4; } .band { fill: var(--warn); opacity: .18; }
@media (max-width: 40rem) { header, main { padding: .75rem; } section { padding: .75rem; } }
`;

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64');

/** The page may have its own style and script, and ask its own server: nothing from elsewhere, no image, no frame around it. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${hashOf(PAGE_STYLE)}'; script-src 'sha256-${hashOf(PAGE_SCRIPT)}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
