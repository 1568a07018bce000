/** The report of a training: learning curves, the days held out, settings and what was learned from. */
import { html, type Markup } from '../../admin/html';
import type { Layer, Look, Plot } from '../../chart/plot';
import type { UpdateFigures } from '../../learn/ppo/update-figures';
import { figureOf, folded, page, tableOf } from '../backtest/report/page';
import type { LearningCurves } from './learning-curves';
import type { TrainingPlan } from './training-plan';
import type { TrainingOutcome } from './training-run';
import { endLine, heldOutRows, lossesAt, planLines } from './training-text';

const LOOKS: readonly Look[] = ['series1', 'series2', 'series3', 'series4', 'series5', 'series6', 'series7'];
/** Rows of the table of updates. */
const ROWS_MAX = 60;

/** The page as one file. */
export function trainingPage(
  file: string,
  plan: TrainingPlan,
  warnings: readonly string[],
  outcome: TrainingOutcome,
): string {
  const [line = '', ...rest] = planLines(file, plan, warnings);
  const head = html`<p>${line}</p>
    ${rest.map((text) => html`<p class="dim">${text}</p>`)}
    <p>${endLine(outcome)}.</p>`;
  return page(`Training on ${file}`, head, [
    heldOutSection(outcome),
    rewardSection(outcome.curves),
    learningSection(outcome.curves),
    settingsSection(plan),
    servicesSection(plan),
  ]);
}

function heldOutSection({ curves, best }: TrainingOutcome): Markup {
  const heads = ['load', 'solver, %', 'ppo, %', 'CRITICAL dropped, %', 'use, %'];
  return html`<section>
    <h2>Days held out</h2>
    <p class="dim">
      The last of the train days are not learned from: policies are scored on them while they learn, and the
      best is what is written. Weighted loss is what was dropped over what arrived, with weights 8, 4, 2 and 1
      by priority.
    </p>
    ${curves.solver.map(({ load, figures }, at) => {
      const x = curves.heldOut.map(({ updates }) => updates);
      return html`<h3>Weighted loss at load ${load}, %</h3>
        ${figureOf({
          id: `held-${at}`,
          title: `Weighted loss at load ${load}`,
          description: 'The weighted loss on the days held out by updates made, beside that of the solver.',
          xAxis: { label: 'updates', time: false },
          yAxis: { label: '%' },
          layers: [
            { kind: 'level', look: 'guide', label: 'solver', y: figures.weighted_loss * 100 },
            { kind: 'line', look: 'series1', label: 'ppo', x, y: lossesAt(curves.heldOut, at) },
          ],
        })}`;
    })}
    ${tableOf(
      `The policy after ${best.updates} updates`,
      heads.map((column) => ({ head: column })),
      heldOutRows(curves, best.updates).map((cells) => ({ cells })),
    )}
  </section>`;
}

function rewardSection({ updates }: LearningCurves): Markup {
  const terms = [...new Set(updates.flatMap((one) => Object.keys(one.terms)))];
  return html`<section>
    <h2>Reward</h2>
    <h3>Mean reward of a step</h3>
    ${figureOf(curve('reward', 'Mean reward of a step', updates, [['reward', (one) => one.reward]]))}
    <h3>Its terms</h3>
    ${figureOf(
      curve(
        'terms',
        'Terms of the mean reward of a step',
        updates,
        terms.map((name) => [name, (one) => one.terms[name] ?? NaN]),
      ),
    )}
  </section>`;
}

function learningSection({ updates }: LearningCurves): Markup {
  const plots: readonly (readonly [string, string, Curves])[] = [
    ['kl', 'Approximate KL divergence of an update', [['KL', (one) => one.approximateKl]]],
    ['clipped', 'Part of the probabilities that were clipped', [['clipped', (one) => one.clipped]]],
    ['entropy', 'Entropy of the actions', [['entropy', (one) => one.entropy]]],
    ['deviation', 'Standard deviation of the actions', [['deviation', (one) => one.deviation]]],
    ['value', 'Loss of the value network', [['value loss', (one) => one.valueLoss]]],
    ['explained', 'Explained variance of the returns', [['explained', (one) => one.explainedVariance]]],
    ['rate', 'Learning rate', [['rate', (one) => one.learningRate]]],
  ];
  return html`<section>
    <h2>Learning</h2>
    ${plots.map(
      ([id, title, curves]) =>
        html`<h3>${title}</h3>
          ${figureOf(curve(id, title, updates, curves))}`,
    )}
    ${folded('Figures', updatesTable(updates))}
  </section>`;
}

type Curves = readonly (readonly [label: string, of: (one: UpdateFigures) => number])[];

/** The first update learns nothing: its figures are not drawn, but for the reward's. */
function curve(id: string, title: string, updates: readonly UpdateFigures[], curves: Curves): Plot {
  const drawn = id === 'reward' || id === 'terms' ? updates : updates.slice(1);
  const x = drawn.map(({ update }) => update);
  return {
    id: `curve-${id}`,
    title,
    description: `${title}, by update.`,
    xAxis: { label: 'updates', time: false },
    yAxis: { label: '' },
    layers: curves.map(([label, of], at): Layer => ({
      kind: 'line',
      look: LOOKS[at % LOOKS.length] ?? 'series1',
      label,
      x,
      y: drawn.map(of),
    })),
  };
}

function updatesTable(updates: readonly UpdateFigures[]): Markup {
  const every = Math.max(1, Math.ceil(updates.length / ROWS_MAX));
  const rows = updates.filter(({ update }) => update % every === 0);
  const heads = [
    'update',
    'reward',
    'KL',
    'clipped',
    'entropy',
    'deviation',
    'value loss',
    'explained',
    'passes',
  ];
  return tableOf(
    'Updates',
    heads.map((column) => ({ head: column })),
    rows.map((one) => ({
      cells: [
        String(one.update),
        one.reward.toFixed(4),
        one.approximateKl.toFixed(4),
        one.clipped.toFixed(3),
        one.entropy.toFixed(3),
        one.deviation.toFixed(3),
        one.valueLoss.toFixed(4),
        one.explainedVariance.toFixed(3),
        `${one.passes}${one.stopped ? ' (stopped)' : ''}`,
      ],
    })),
  );
}

function settingsSection({ settings, seed }: TrainingPlan): Markup {
  const rows = Object.entries({ seed, ...settings }).map(([name, value]) => ({
    cells: [name, String(value)],
  }));
  return html`<section>
    <h2>Settings</h2>
    ${folded('All settings', tableOf('Settings', [{ head: 'setting' }, { head: 'value' }], rows))}
  </section>`;
}

function servicesSection({ scenario }: TrainingPlan): Markup {
  const { services, trainDays, testDays } = scenario;
  const heads = ['service', 'priority', 'share', 'guarantee, /s', 'queue, s', 'roll, min'];
  return html`<section>
    <h2>Data</h2>
    <p>
      ${trainDays.toFixed(2)} days to learn from, ${testDays.toFixed(2)} held out, at a value a minute; loads
      ${scenario.loads.map(({ name }) => name).join(', ')} of ${scenario.totalPerS}/s.
    </p>
    ${folded(
      `${services.length} services`,
      tableOf(
        'Services',
        heads.map((column) => ({ head: column })),
        services.map(({ name, priority, share, guaranteePerS, queueLimitMs, rollMinutes }) => ({
          cells: [
            name,
            priority,
            share.toFixed(3),
            guaranteePerS.toFixed(1),
            (queueLimitMs / 1_000).toFixed(1),
            String(rollMinutes),
          ],
        })),
      ),
    )}
  </section>`;
}
