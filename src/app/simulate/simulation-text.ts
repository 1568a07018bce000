/** What a simulation prints: a table for each load. */
import { PRIORITIES } from '../../core/priority';
import type { Scenario } from '../../simulate/scenario';
import type { SimulationFigures } from '../../simulate/tally';
import { spanText } from '../backtest/span-text';
import type { LoadOutcome } from './run-simulation';

const DAY_MS = 86_400_000;

/** The scenario in words, one line each. */
export function scenarioLines(
  file: string,
  scenario: Scenario,
  warnings: readonly string[],
): readonly string[] {
  const { services, totalPerS, trainDays, testDays, intervalMs, tickMs, lending, flash, capacityLoss } =
    scenario;
  const extra = [
    flash &&
      `crowds of ${flash.factor} times for ${spanText(flash.durationMs)} every ${spanText(flash.everyMs)}`,
    capacityLoss &&
      `${percent(capacityLoss.fraction)} % of the total lost for ${spanText(capacityLoss.forMs)}`,
    lending ? 'lending' : 'no lending',
  ].filter((text) => text !== undefined);
  return [
    `${file}: ${services.length} services share ${totalPerS}/s`,
    `trained on ${spanText(trainDays * DAY_MS)}, scored on ${spanText(testDays * DAY_MS)}; allocations every ${spanText(intervalMs)}, ticks of ${spanText(tickMs)}; ${extra.join(', ')}`,
    ...warnings.map((one) => `  ${one}`),
  ];
}

/** Heads of a policy's figures, with what each says. */
export const FIGURE_HEADS: readonly string[] = [
  'weighted loss, %',
  ...PRIORITIES.map((priority) => `${priority}, %`),
  'use, %',
  'violations',
  'wait 99 %, s',
  'fairness',
  'churn, %',
];

/** A policy's figures as text, in the order of {@link FIGURE_HEADS}. */
export function figureCells(figures: SimulationFigures): readonly string[] {
  const use = figures.utilization_overloaded;
  return [
    percent(figures.weighted_loss, 2),
    ...PRIORITIES.map((priority) => percent(figures.dropped[priority], 2)),
    use === null ? '-' : percent(use),
    String(figures.violations),
    (figures.queue_p99_ms / 1_000).toFixed(1),
    figures.fairness.toFixed(3),
    percent(figures.churn, 2),
  ];
}

/** The tables of all loads. */
export function simulationTables(outcomes: readonly LoadOutcome[]): string {
  return outcomes
    .map(({ load, policies }) => {
      const rows = [
        [`load ${load}`, ...FIGURE_HEADS],
        ...policies.map(({ policy, figures }) => [policy, ...figureCells(figures)]),
      ];
      const widths = FIGURE_HEADS.map((_, at) => Math.max(...rows.map((row) => row[at + 1]?.length ?? 0)));
      const first = Math.max(...rows.map((row) => row[0]?.length ?? 0));
      const lines = rows.map(([head = '', ...cells]) =>
        [head.padEnd(first), ...cells.map((cell, at) => cell.padStart(widths[at] ?? 0))].join('  '),
      );
      return `${lines.join('\n')}\n`;
    })
    .join('\n');
}

/** A part of 1 in percent. */
export function percent(part: number, decimals = 1): string {
  return (part * 100).toFixed(decimals);
}
