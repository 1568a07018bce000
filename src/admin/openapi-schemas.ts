/** How shapes are written, and the shapes of the API's answers beside those of control, in JSON Schema 2020-12, as OpenAPI 3.1 wants them. */
import { CATALOGUE } from '../core/error-catalogue';
import { ACCURACY_MEASURES } from '../core/forecast-desk';
import { HORIZONS, LEVELS } from '../core/forecasts';
import { COUNTS, RESOURCES } from '../core/observation';

/** A JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Text; with words, one of them. */
export const text = (description?: string, words?: readonly string[]): JsonSchema => ({
  type: 'string',
  ...(words === undefined ? {} : { enum: words }),
  ...(description === undefined ? {} : { description }),
});
/** A number. */
export const number = (description?: string): JsonSchema => ({
  type: 'number',
  ...(description === undefined ? {} : { description }),
});
/** A whole number. */
export const whole = (description?: string): JsonSchema => ({
  type: 'integer',
  ...(description === undefined ? {} : { description }),
});
/** True or false. */
export const flag: JsonSchema = { type: 'boolean' };
/** What may also be null. */
export const orNull = (schema: JsonSchema): JsonSchema => ({ ...schema, type: [schema['type'], 'null'] });
/** A list. */
export const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
/** A reference to one of {@link SCHEMAS}. */
export const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
/** An object with these members; those named optional may be left out, and there are no others. */
export const object = (
  properties: Readonly<Record<string, JsonSchema>>,
  optional: readonly string[] = [],
): JsonSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});

const TIME = 'Unix time, ms';
const figure = text('What is counted or measured.', [...COUNTS, ...RESOURCES, 'level']);
const horizon = text(undefined, HORIZONS);
const scale = text('Forecasts of minutes, or of tens of minutes.', ['fine', 'coarse']);
const limits = object({
  generation: whole('Counts the loads that succeeded.'),
  loadedAt: orNull(text('ISO 8601')),
  files: listOf(text()),
  rules: whole(),
  domains: listOf(text()),
  errors: listOf(ref('Error')),
  warnings: listOf(ref('Error')),
  failedAt: orNull(text('ISO 8601')),
});
const host = {
  cpu: orNull(number('Busy part, 0 to 1.')),
  memory: orNull(number('Used part, 0 to 1.')),
  diskReadBytesPerS: orNull(number()),
  diskWriteBytesPerS: orNull(number()),
  networkReceivedBytesPerS: orNull(number()),
  networkSentBytesPerS: orNull(number()),
  eventLoopDelayMs: orNull(number('99th percentile.')),
};

/** The schemas by name. */
export const SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Error: object({
    code: text('Stable; see docs/errors.md.', Object.keys(CATALOGUE)),
    message: text(),
    at: {
      anyOf: [
        { type: 'null' },
        object({ file: text(), line: whole(), column: whole(), key: text() }, [
          'file',
          'line',
          'column',
          'key',
        ]),
      ],
      description: "Where in the user's input it is.",
    },
    remedy: text('What to do.'),
  }),
  Limits: limits,
  Rule: object({
    id: text(),
    name: text(),
    unlimited: flag,
    limit: number(),
    window: text(),
    unit: text(),
    algorithm: text(),
    capacity: number(),
    consistency: text(),
    onError: text(),
    priority: orNull(text()),
    weight: number(),
    queue: orNull(object({ maxWait: text(), maxDepth: number() })),
    shadowMode: flag,
    quotaMode: flag,
    replaces: listOf(text()),
    at: text('File, line and column.'),
  }),
  Class: object(
    {
      id: text(),
      kind: text(undefined, ['rule', 'key', 'service', 'tenant', 'signal']),
      parent: text('The class one level above.'),
      service: text(),
      tenant: text(),
      operation: text('What its requests do.'),
      firstSeenMs: whole(TIME),
      lastSeenMs: whole(TIME),
      ratePerS: number('Over the last full minute.'),
      deniedPerS: number('Over the last full minute.'),
      share: orNull(
        number("Part of its parent's hits; of a service or tenant, of all. Null where there were none."),
      ),
      anomalous: flag,
    },
    ['parent', 'service', 'tenant', 'operation'],
  ),
  Series: object({
    classId: text(),
    figure,
    startMs: whole(TIME),
    stepMs: whole(),
    values: listOf(orNull(number('The sum over a step (a level: its mean); null where it is not known.'))),
  }),
  Prediction: object({
    classId: text(),
    figure,
    horizon,
    level: { type: 'number', enum: [...LEVELS] },
    madeAtMs: whole(TIME),
    stepMs: whole(),
    model: text(),
    version: whole(),
    source: text('Whose forecast it is.', ['model', 'parent', 'leader', 'none']),
    warm: { ...flag, description: 'Whether the interval is calibrated on enough forecasts.' },
    flags: listOf(text()),
    steps: listOf(
      object({
        atMs: whole(TIME),
        mean: number('A second; levels as they are.'),
        lower: number(),
        upper: number(),
      }),
    ),
  }),
  Accuracy: object({
    classId: text(),
    horizon,
    model: text(),
    version: whole(),
    scored: whole('Forecasts scored.'),
    mae: orNull(number('Mean absolute error, a second.')),
    maeRatio: orNull(number("As a part of the naive forecast's.")),
    bias: orNull(number('Forecast less actual, a second.')),
    coverage80: orNull(number()),
    coverage95: orNull(number()),
  }),
  AccuracyHistory: object({
    classId: text(),
    horizon,
    measure: text(undefined, ACCURACY_MEASURES),
    points: listOf(object({ atMs: whole(TIME), value: number() })),
  }),
  Anomaly: object(
    {
      classId: text(),
      startMs: whole(TIME),
      endMs: whole(`${TIME}; missing while it lasts.`),
      peakMs: whole(TIME),
      score: number(),
      reason: text(),
      actual: orNull(number('At the peak, a second.')),
      expected: orNull(number()),
    },
    ['endMs'],
  ),
  Drift: object({ classId: text(), atMs: whole(TIME), kind: text(), score: number() }),
  Model: object({
    classId: text(),
    scale,
    version: whole(),
    kind: text(),
    fittedAtMs: whole(TIME),
    why: text(undefined, ['asked', 'drift', 'first', 'grown', 'nightly', 'rollback']),
    points: whole('Values it was fitted to.'),
    active: flag,
    ratio: orNull(number("Its errors on what it was proven on, as a part of its predecessor's.")),
  }),
  Alert: object({
    name: text(),
    classId: text(),
    horizon,
    abovePerS: number(),
    active: flag,
    sinceMs: orNull(whole(TIME)),
    valuePerS: orNull(number()),
    crossesAtMs: orNull(whole(TIME)),
  }),
  Cost: object({
    classId: text('A rule.'),
    resource: text(undefined, RESOURCES),
    set: orNull(number('As the settings say.')),
    learned: orNull(number('As it was learned, whether it is used or not.')),
    confidence: orNull(number('How much of it is learned and not given, 0 to 1.')),
    perRequest: number('What forecasts are made with, in cost units.'),
  }),
  Replicas: object({
    service: text(),
    recommended: orNull(whole()),
    capacityPerReplica: orNull(number('Requests a second.')),
    demandPerS: orNull(number()),
    why: text(),
  }),
  Group: object({
    name: text(),
    leader: flag,
    epoch: whole('Counts the leaders.'),
    leaderSource: orNull(text('Who forecasts.')),
    silentMs: whole("How long the group's counts could not be read."),
    boardAgeMs: orNull(whole("How old the leader's forecasts are.")),
    boardClasses: whole('Classes whose forecasts the leader shows.'),
    members: listOf(object({ source: text(), silentMs: number() })),
    counts: object({
      dropped: whole(),
      doubled: whole(),
      missing: whole(),
      unreadable: whole(),
      fenced: whole(),
      failures: whole(),
    }),
  }),
  Forecasting: object(
    {
      madeAtMs: whole(TIME),
      refits: object({
        first: whole(),
        won: whole(),
        lost: whole(),
        unproven: whole(),
        failed: whole(),
      }),
      tracked: whole('Classes that are forecast.'),
      waitingFits: whole(),
      stepMs: number('Time the last step took over all classes.'),
      leader: flag,
      history: object({
        kind: text(),
        degraded: flag,
        error: orNull(text()),
        classes: whole(),
        memoryBytes: whole(),
        diskBytes: whole(),
      }),
      hosts: listOf(object({ source: text(), atMs: whole(TIME), ...host })),
      group: ref('Group'),
      external: listOf(object({ what: text(), error: orNull(text()) })),
    },
    ['group', 'external'],
  ),
};
