/** What a training prints: what it learns from, and how the best policy did on the days held out. */
import type { Scenario } from '../../simulate/scenario';
import { spanText } from '../backtest/span-text';
import { percent } from '../simulate/simulation-text';
import type { HeldOutScore, LearningCurves } from './learning-curves';
import type { TrainingPlan } from './training-plan';
import type { TrainingOutcome } from './training-run';

const DAY_MS = 86_400_000;

/** The plan in words, one line each. */
export function planLines(file: string, plan: TrainingPlan, warnings: readonly string[]): readonly string[] {
  const { scenario, seed, settings } = plan;
  return [
    `${file}: ${scenario.services.length} services share ${scenario.totalPerS}/s`,
    `learns from ${spanText(scenario.trainDays * DAY_MS)}, scored on the ${spanText(scenario.testDays * DAY_MS)} after them; the test days are not looked at`,
    `seed ${seed}; ${settings.updates} updates of ${settings.rollouts * settings.rolloutSteps} steps at most`,
    ...warnings.map((one) => `  ${one}`),
  ];
}

/** How it ended. */
export function endLine({ end, best, curves, cpuMs }: TrainingOutcome): string {
  const made = curves.updates.length;
  const why = end === 'planned' ? 'all updates were made' : 'the budget was spent';
  const judged = best.score < 1 ? 'better than the solver there' : 'no better than the solver there';
  return `${why}: ${made} updates in ${spanText(Math.round(cpuMs))} of CPU time; the best, by the days held out, is the policy after ${best.updates}: ${best.score.toFixed(3)} of the solver's loss, ${judged}`;
}

/** The best policy beside the solver, load by load. */
export function heldOutTable(curves: LearningCurves, bestUpdates: number): string {
  const head = ['days held out', 'solver, %', 'ppo, %', 'CRITICAL, %', 'use, %'];
  const rows = [head, ...heldOutRows(curves, bestUpdates)];
  const widths = head.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ');
  return `${rows.map(line).join('\n')}\n`;
}

/** The rows of that table. */
export function heldOutRows(
  { heldOut, solver }: LearningCurves,
  bestUpdates: number,
): readonly (readonly string[])[] {
  const best = heldOut.find(({ updates }) => updates === bestUpdates);
  return (best?.loads ?? []).map(({ load, figures }, at) => {
    const without = solver[at]?.figures;
    const use = figures.utilization_overloaded;
    return [
      `load ${load}`,
      without === undefined ? '-' : percent(without.weighted_loss, 2),
      percent(figures.weighted_loss, 2),
      percent(figures.dropped.CRITICAL, 2),
      use === null ? '-' : percent(use),
    ];
  });
}

/** The looks at one load, for a curve. */
export function lossesAt(heldOut: readonly HeldOutScore[], at: number): readonly number[] {
  return heldOut.map(({ loads }) => (loads[at]?.figures.weighted_loss ?? NaN) * 100);
}

/** What was learned from, as figures. */
export interface TrainingFacts {
  readonly services: number;
  readonly totalPerS: number;
  readonly learnDays: number;
  readonly heldOutDays: number;
  readonly loads: readonly string[];
}

/** See {@link TrainingFacts}. */
export function factsOf(scenario: Scenario): TrainingFacts {
  return {
    services: scenario.services.length,
    totalPerS: scenario.totalPerS,
    learnDays: scenario.trainDays,
    heldOutDays: scenario.testDays,
    loads: scenario.loads.map(({ name }) => name),
  };
}
