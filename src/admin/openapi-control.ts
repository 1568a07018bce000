/** The part of the API's description that is about control of pools. */
import { POOL_MODES } from '../core/control';
import { PRIORITIES } from '../core/priority';
import { LEARNING_OPERATIONS, LEARNING_SCHEMAS } from './openapi-learning';
import { BASE, instant, page, paged, type Operation } from './openapi-operation';
import { flag, listOf, number, object, orNull, ref, text, whole, type JsonSchema } from './openapi-schemas';

const TIME = 'Unix time, ms';
const TOKENS = 'Tokens a second.';
const pool = text('The name of a pool.');
const member = text("A member's id: a rule's id, or `<rule id>|<bucket key>`.");
const mode = text('`shadow` computes and records, `active` applies.', POOL_MODES);
const priority = text(undefined, PRIORITIES);
const author = text(
  'Who; over mTLS, the subject of the client certificate when it is left out. At most 128 characters.',
);
const reason = text('Why. At most 512 characters.');
const event = text(undefined, [
  'decision',
  'loan',
  'mode',
  'override',
  'state',
  'leader',
  'learning',
  'traffic',
]);

/** What a person may set of a member. */
const settable = {
  ratePerS: number(TOKENS),
  capacity: number('Tokens.'),
  lending: flag,
  priority,
};

/** The schemas by name. */
export const CONTROL_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  ...LEARNING_SCHEMAS,
  Pool: object({
    name: text(),
    mode,
    configuredMode: mode,
    modeOrder: { anyOf: [{ type: 'null' }, ref('ModeOrder')] },
    leader: { ...flag, description: 'Whether this process leads it.' },
    epoch: whole('Counts the leaders.'),
    sequence: whole('Counts what this leader published.'),
    version: number('Of the table in force.'),
    publishedAtMs: orNull(number(TIME)),
    stale: {
      ...flag,
      description: 'The table has run out; limits fade, or have faded, to the configured ones.',
    },
    state: text(undefined, ['normal', 'fallback']),
    why: text('What lowered the total, or made it fall back.'),
    configuredTotalPerS: number(TOKENS),
    totalPerS: number("After the services' health."),
    demandPerS: number(TOKENS),
    admittedPerS: number(TOKENS),
    members: whole(),
    fairness: orNull(number("Jain's index of served over demanded, 0 to 1; null without demand.")),
    reclaimMs: orNull(number('How long lenders waited for their tokens of late, mean; null without loans.')),
    level: text('Who decides: `ppo`, `forecast`, `last` or `configured`.'),
    learningMode: text('What holds for its learned allocator.', POOL_MODES),
    breaker: text("Lending's: `open` does not lend.", ['closed', 'open', 'half_open']),
    shadow: ref('Shadow'),
  }),
  Shadow: object({
    windowMs: whole(),
    nominalLoss: orNull(number('Weighted loss of the configured limits, 0 to 1.')),
    proposedLoss: orNull(number('Of the proposals.')),
    wouldAdmit: number('What proposals would have admitted though it was denied, tokens.'),
    wouldDeny: number('The reverse.'),
  }),
  ModeOrder: object({ pool, mode, author: text(), reason: text(), setAtMs: number(TIME) }),
  DecisionReason: object(
    {
      reactivePerS: orNull(number('Demand as it was seen, smoothed; null while nobody tells.')),
      forecastPerS: orNull(number('What was foreseen; null for nothing.')),
      effectivePerS: orNull(number('What counted.')),
      rule: text('What made the rate, such as `guarantee`, `share`, `surplus`, `override`, `fallback`.'),
      clamps: listOf(text('A bound that cut it, such as `max`, `step`, `dead_band`.')),
      advice: object({
        model: text("The version of the learned allocator's model."),
        demandFactor: number('Times the demand that the solver shares by.'),
        keepFactor: number('Times what a lender keeps.'),
        solverPerS: orNull(number('What the solver alone would have given.')),
      }),
    },
    ['advice'],
  ),
  Bucket: object({
    pool,
    id: member,
    bucketKey: text(),
    service: text(),
    priority,
    weight: number(),
    nominalPerS: number('As configured.'),
    nominalCapacity: number(),
    ratePerS: number('In force.'),
    capacity: number(),
    proposedPerS: number('What control wants; the same where the pool is active.'),
    proposedCapacity: number(),
    minPerS: number(),
    maxPerS: number(),
    guaranteePerS: number(),
    tokens: orNull(number()),
    demandPerS: orNull(number()),
    admittedPerS: orNull(number()),
    deniedPerS: orNull(number()),
    forecastPerS: orNull(number()),
    balance: number('Lent less borrowed that is open, tokens.'),
    why: ref('DecisionReason'),
    override: { anyOf: [{ type: 'null' }, ref('Override')] },
  }),
  Loan: object({
    loanId: text(),
    pool,
    lender: member,
    borrower: member,
    amount: number('Tokens.'),
    returned: number('Of it, what has gone home.'),
    atMs: number(TIME),
    dueMs: number(TIME),
    why: text('Such as `low_water`, `denied`, `reclaim`, `at_once`.'),
    state: text('`open`, `returned`, `expired` or `failed`.'),
  }),
  Allocation: object({
    pool,
    service: text(),
    priority,
    nominalPerS: number(),
    allocatedPerS: number(),
    demandPerS: number(),
    admittedPerS: number(),
    guaranteePerS: number(),
  }),
  Decision: object({
    atMs: number(TIME),
    pool,
    id: member,
    applied: flag,
    ratePerS: number(),
    capacity: number(),
    reason: ref('DecisionReason'),
  }),
  Override: object(
    {
      pool,
      member,
      ...settable,
      untilMs: number(TIME),
      author: text(),
      reason: text(),
      setAtMs: number(TIME),
    },
    Object.keys(settable),
  ),
  Audit: object({
    atMs: number(TIME),
    author: text(),
    action: text('`override.put`, `override.drop`, `mode` or `learning`.'),
    subject: text(),
    reason: text(),
    before: text('JSON text; empty for nothing.'),
    after: text('JSON text; empty for nothing.'),
  }),
  ControlEvent: object({
    atMs: number(TIME),
    kind: event,
    pool,
    data: { type: 'object', description: 'Empty when it was too long.' },
  }),
};

/** The operations by method and path. */
export const CONTROL_OPERATIONS: Readonly<Record<string, Operation>> = {
  [`get ${BASE}/pools`]: {
    summary: 'The pools: their modes, leaders, totals, and how they fare.',
    answer: object({ pools: listOf(ref('Pool')) }),
  },
  [`get ${BASE}/buckets`]: {
    summary:
      "The members' buckets: sizes, tokens, rates against the configured ones, demand and forecasts, and why.",
    query: { pool, ...page },
    answer: paged('buckets', 'Bucket'),
  },
  [`get ${BASE}/loans`]: {
    summary: 'Loans of tokens, the newest first.',
    query: { pool, ...page },
    answer: paged('loans', 'Loan'),
  },
  [`get ${BASE}/allocations`]: {
    summary: 'What services get of their pools, by priority.',
    query: { pool },
    answer: object({ allocations: listOf(ref('Allocation')) }),
  },
  [`get ${BASE}/decisions`]: {
    summary: 'Changes of members, the newest first, each with its reason.',
    query: { pool, id: member, ...page },
    answer: paged('decisions', 'Decision'),
  },
  [`get ${BASE}/overrides`]: {
    summary: 'What people have set instead of what control finds.',
    query: { pool },
    answer: object({ overrides: listOf(ref('Override')) }),
  },
  [`put ${BASE}/overrides`]: {
    summary:
      "Sets some of a member's parameters for a while, above what control finds and within the hard bounds.",
    body: object(
      { pool, member, ...settable, ttl: text('A duration from 1s to 30d, such as 10m.'), author, reason },
      [...Object.keys(settable), 'author'],
    ),
    answer: object({ override: ref('Override') }),
    changes: true,
  },
  [`delete ${BASE}/overrides`]: {
    summary: 'Ends an override. Who and why stand in the query or in the body.',
    query: { pool, member, author, reason },
    required: ['pool', 'member'],
    body: object({ author, reason }, ['author', 'reason']),
    bodyOptional: true,
    answer: object({ dropped: { ...flag, description: 'Whether there was one.' } }),
    changes: true,
  },
  [`put ${BASE}/pools/{name}/mode`]: {
    summary: "Sets a pool's mode instead of the settings'.",
    path: { name: pool },
    body: object({ mode, author, reason }, ['author']),
    answer: object({ mode: ref('ModeOrder') }),
    changes: true,
  },
  ...LEARNING_OPERATIONS,
  [`get ${BASE}/audit`]: {
    summary: 'Who changed what, when and why, the newest first.',
    query: { since: instant, ...page },
    answer: paged('audit', 'Audit'),
  },
  [`get ${BASE}/events`]: {
    summary:
      'What happens, as it happens: server-sent events. `event` is the kind, `data` a ControlEvent in JSON, `id` a number that counts up; a gap tells of decisions and loans that came too thick to be told.',
    answer: text('A stream of events.'),
    media: 'text/event-stream',
  },
};
