/** The part of the API's description that is about the learned allocator of pools. */
import { POOL_MODES } from '../core/control';
import { LEARNING_ORDERS } from '../core/learning';
import { BASE, type Operation } from './openapi-operation';
import { flag, listOf, number, object, orNull, ref, text, whole, type JsonSchema } from './openapi-schemas';

const TIME = 'Unix time, ms';
const pool = text('The name of a pool.');
const ordered = text('`auto`: what is measured decides again.', LEARNING_ORDERS);
const part = (doc: string): JsonSchema => orNull(number(doc));

/** The schemas by name. */
export const LEARNING_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Learning: object({
    pool,
    mode: text(
      "What applies: the lesser of the pool's mode and what learning has earned, or was ordered.",
      POOL_MODES,
    ),
    configuredMode: text('`learning_mode`.', POOL_MODES),
    why: text(),
    order: { anyOf: [{ type: 'null' }, ref('LearningOrder')] },
    level: text(
      'Who decides: the model, the solver with forecasts, the solver with what it saw last, or the configured shares.',
      ['ppo', 'forecast', 'last', 'configured'],
    ),
    levelWhy: text('What keeps a better level from it; empty for nothing.'),
    model: orNull(text('The version of the model in use.')),
    modelWhy: text('What became of the last attempt to load or to train one.'),
    inferenceMs: part('How long the last advice took.'),
    outOfRange: part('The part of what was seen that is beyond what the model was trained on, 0 to 1.'),
    unwatched: text('Why the regret is not known now; empty when it is.'),
    regret: { anyOf: [{ type: 'null' }, ref('Regret')] },
    switches: listOf(ref('LearningSwitch')),
    counts: { type: 'object', additionalProperties: whole(), description: 'Switches by reason.' },
    advice: listOf(ref('LearningAdvice')),
  }),
  LearningOrder: object({ pool, mode: ordered, author: text(), reason: text(), setAtMs: number(TIME) }),
  Regret: object({
    model: text('The version that was measured.'),
    windowMs: whole(),
    intervals: whole('In the window.'),
    measuredMs: number('Since the model came.'),
    solverLoss: part('Weighted loss of the solver alone, 0 to 1.'),
    agentLoss: part('With advice.'),
    regret: part("The agent's loss less the solver's: negative where the agent is better."),
    pBetter: number('How probable so large a gain would be by chance.'),
    pWorse: number('How probable so large a loss would be.'),
    spans: whole('That were compared.'),
    differing: whole('Of them, those that differ.'),
    recentRegret: part('Over the last tenth of the window.'),
    recentDiffering: whole(),
    confident: { ...flag, description: 'Better with the confidence that is set, at this look alone.' },
  }),
  LearningSwitch: object({
    atMs: number(TIME),
    from: text(),
    to: text(),
    reason: text('Such as `out_of_range`, `regret`, `promoted`, `demoted`, `calm`.'),
    why: text(),
  }),
  LearningAdvice: object({
    id: text("A member's id."),
    demandFactor: number('Times the demand that the solver shares by.'),
    keepFactor: number('Times what a lender keeps.'),
    solverPerS: part('What the solver alone would have given; null where the advice is not followed.'),
    ratePerS: part('What was decided.'),
    terms: listOf(
      object({
        name: text('What was seen.'),
        value: number(),
        effect: number('What it adds to the logarithm of the factor on demand, against its usual value.'),
      }),
    ),
  }),
};

/** The operations by method and path. */
export const LEARNING_OPERATIONS: Readonly<Record<string, Operation>> = {
  [`get ${BASE}/pools/{name}/learning`]: {
    summary:
      'The learned allocator of a pool: who decides and why, its model, its regret, its last advice and what moved it.',
    path: { name: pool },
    answer: object({ learning: ref('Learning') }),
  },
  [`put ${BASE}/pools/{name}/learning`]: {
    summary: 'Sets the mode of learning instead of the settings, or lets what is measured decide again.',
    path: { name: pool },
    body: object(
      { mode: ordered, author: text('As with overrides.'), reason: text('At most 512 characters.') },
      ['author'],
    ),
    answer: object({ learning: ref('LearningOrder') }),
    changes: true,
  },
};
