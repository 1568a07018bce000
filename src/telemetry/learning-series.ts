/** The learned allocator of pools under the names that dashboards draw. */
import type { LearningView } from '../core/learning';
import type { Line, MetricFamily } from './metric-family';

/** What is told of learning. */
export interface LearningFigures {
  readonly learning: readonly LearningView[];
}

const LEVELS = ['ppo', 'forecast', 'last', 'configured'] as const;

function ofPool(
  name: string,
  help: string,
  value: (pool: LearningView) => number | boolean | null,
): MetricFamily<LearningFigures> {
  const lines = ({ learning }: LearningFigures): Line[] =>
    learning.map((view): Line => {
      const figure = value(view);
      return [[['pool', view.pool]], typeof figure === 'boolean' ? Number(figure) : figure];
    });
  return { name, help, type: 'gauge', lines };
}

/** The families; their labels are pools, levels and reasons, all of them few. */
export const LEARNING_FAMILIES: readonly MetricFamily<LearningFigures>[] = [
  {
    name: 'tidegate_learning_level',
    help: 'Who decides for the pool: 1 for the level that does (ppo, forecast, last, configured).',
    type: 'gauge',
    lines: ({ learning }) =>
      learning.flatMap(({ pool, level }) =>
        LEVELS.map((one): Line => [
          [
            ['pool', pool],
            ['level', one],
          ],
          Number(one === level),
        ]),
      ),
  },
  ofPool('tidegate_learning_active', 'Whether a model may be followed.', ({ mode }) => mode === 'active'),
  ofPool('tidegate_learning_model', 'Whether there is a model.', ({ model }) => model !== null),
  ofPool(
    'tidegate_learning_unwatched',
    'Whether the regret of the model is not known.',
    ({ unwatched }) => unwatched !== '',
  ),
  ofPool(
    'tidegate_learning_solver_loss_ratio',
    'What the solver alone would have denied over the window, weighted by priority, 0 to 1.',
    ({ regret }) => regret?.solverLoss ?? null,
  ),
  ofPool(
    'tidegate_learning_agent_loss_ratio',
    "What the solver with the model's advice would have denied over the window, weighted by priority, 0 to 1.",
    ({ regret }) => regret?.agentLoss ?? null,
  ),
  ofPool(
    'tidegate_learning_regret_ratio',
    "The model's loss less the solver's: negative where the model is better.",
    ({ regret }) => regret?.regret ?? null,
  ),
  ofPool(
    'tidegate_learning_chance_ratio',
    "How probable the model's gain would be if it made no difference, 0 to 1.",
    ({ regret }) => regret?.pBetter ?? null,
  ),
  ofPool('tidegate_learning_inference_seconds', 'How long the last advice took.', ({ inferenceMs }) =>
    inferenceMs === null ? null : inferenceMs / 1_000,
  ),
  ofPool(
    'tidegate_learning_out_of_range_ratio',
    'The part of what was seen that is beyond what the model was trained on, 0 to 1.',
    ({ outOfRange }) => outOfRange,
  ),
  {
    name: 'tidegate_learning_switches_total',
    help: 'Changes of who decides and of the mode of learning, by reason.',
    type: 'counter',
    lines: ({ learning }) =>
      learning.flatMap(({ pool, counts }) =>
        Object.entries(counts).map(([reason, count]): Line => [
          [
            ['pool', pool],
            ['reason', reason],
          ],
          count,
        ]),
      ),
  },
];
