/** The report of a simulation: figures of each policy and load, and the course of the test days. */
import { html, type Markup } from '../../admin/html';
import type { Layer, Look, Plot } from '../../chart/plot';
import type { Scenario } from '../../simulate/scenario';
import type { PolicyOutcome } from '../../simulate/simulation';
import { figureOf, folded, page, tableOf } from '../backtest/report/page';
import type { LoadOutcome } from './run-simulation';
import { FIGURE_HEADS, figureCells, percent, scenarioLines } from './simulation-text';

/** The policy that is the product's. */
const OURS = 'predictive';
const LOOKS: readonly Look[] = ['series1', 'series2', 'series3', 'series4', 'series5', 'series6', 'series7'];

/** The page as one file. */
export function simulationPage(
  file: string,
  scenario: Scenario,
  warnings: readonly string[],
  outcomes: readonly LoadOutcome[],
): string {
  const [line = '', ...rest] = scenarioLines(file, scenario, warnings);
  const head = html`<p>${line}</p>
    ${rest.map((text) => html`<p class="dim">${text}</p>`)}`;
  return page(`Simulation of ${file}`, head, [
    figuresSection(outcomes),
    ...outcomes.map((outcome, index) => courseSection(outcome, index)),
    servicesSection(scenario),
  ]);
}

function figuresSection(outcomes: readonly LoadOutcome[]): Markup {
  return html`<section>
    <h2>Figures</h2>
    <p class="dim">
      Weighted loss is what was dropped over what arrived, with weights 8, 4, 2 and 1 by priority; the columns
      after it are the part dropped of each priority. Use is what was served over the total, in the intervals
      whose demand reached it. A violation is a tick at whose end more had been let in than the total and the
      buckets allow.
    </p>
    ${outcomes.map(({ load, policies }) =>
      tableOf(
        `Load ${load}`,
        ['policy', ...FIGURE_HEADS].map((column) => ({ head: column })),
        policies.map(({ policy, figures }) => ({
          ours: policy === OURS,
          cells: [policy, ...figureCells(figures)],
        })),
      ),
    )}
  </section>`;
}

function courseSection({ load, policies }: LoadOutcome, index: number): Markup {
  return html`<section>
    <h2>Course at load ${load}</h2>
    <h3>Requests a second, all services</h3>
    ${figureOf(servedPlot(policies, load, index))}
    <h3>Weighted loss, %</h3>
    ${figureOf(lossPlot(policies, load, index))} ${folded('Figures', lossTable(policies))}
  </section>`;
}

function hours(slotMs: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, slot) => ((slot + 0.5) * slotMs) / 3_600_000);
}

function lines(
  policies: readonly PolicyOutcome[],
  values: (policy: PolicyOutcome) => readonly number[],
): readonly Layer[] {
  return policies.map((one, at): Layer => ({
    kind: 'line',
    look: LOOKS[at % LOOKS.length] ?? 'series1',
    label: one.policy,
    x: hours(one.course.slotMs, values(one).length),
    y: values(one),
  }));
}

function servedPlot(policies: readonly PolicyOutcome[], load: string, index: number): Plot {
  const course = policies[0]?.course;
  const x = hours(course?.slotMs ?? 1, course?.arrivedPerS.length ?? 0);
  return {
    id: `served-${index}`,
    title: `Demand, total and what each policy served at load ${load}`,
    description: 'Curves of what arrived, of the total, and of what each policy let in, over the test days.',
    xAxis: { label: 'hours of the test days', time: false },
    yAxis: { label: 'a second', low: 0 },
    layers: [
      { kind: 'line', look: 'guide', label: 'total', x, y: course?.totalPerS ?? [] },
      { kind: 'line', look: 'actual', label: 'demand', x, y: course?.arrivedPerS ?? [] },
      ...lines(policies, (one) => one.course.servedPerS),
    ],
  };
}

function lossPlot(policies: readonly PolicyOutcome[], load: string, index: number): Plot {
  return {
    id: `loss-${index}`,
    title: `Weighted loss of each policy at load ${load}`,
    description: 'Curves of the weighted part that each policy dropped, over the test days.',
    xAxis: { label: 'hours of the test days', time: false },
    yAxis: { label: '%', low: 0 },
    layers: lines(policies, (one) => one.course.loss.map((part) => part * 100)),
  };
}

/** Loss in twelve parts of the test days. */
function lossTable(policies: readonly PolicyOutcome[]): Markup {
  const course = policies[0]?.course;
  const slots = course?.loss.length ?? 0;
  const parts = Math.min(12, slots);
  const rows = Array.from({ length: parts }, (_, part) => {
    const [from, to] = [part, part + 1].map((at) => Math.floor((at * slots) / parts)) as [number, number];
    const mean = ({ course: { loss } }: PolicyOutcome): number =>
      loss.slice(from, to).reduce((sum, value) => sum + value, 0) / Math.max(1, to - from);
    const hour = ((from * (course?.slotMs ?? 0)) / 3_600_000).toFixed(1);
    return { cells: [hour, ...policies.map((one) => percent(mean(one), 2))] };
  });
  return tableOf(
    'Mean weighted loss, %, from the hour on',
    ['hour', ...policies.map(({ policy }) => policy)].map((column) => ({ head: column })),
    rows,
  );
}

function servicesSection({ services }: Scenario): Markup {
  const rows = services.map(({ name, priority, share, guaranteePerS, queueLimitMs, rollMinutes }) => ({
    cells: [
      name,
      priority,
      percent(share),
      guaranteePerS.toFixed(1),
      (queueLimitMs / 1_000).toFixed(1),
      String(rollMinutes),
    ],
  }));
  return html`<section>
    <h2>Services</h2>
    ${folded(
      `${services.length} services`,
      tableOf(
        'Services',
        ['service', 'priority', 'share, %', 'guarantee, /s', 'queue, s', 'roll, min'].map((column) => ({
          head: column,
        })),
        rows,
      ),
    )}
  </section>`;
}
