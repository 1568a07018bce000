/** The OpenAPI 3.1 description of `/api/v1`; a test holds every route's answers against it. */
import { ACCURACY_MEASURES } from '../core/forecast-desk';
import { HORIZONS, LEVELS } from '../core/forecasts';
import { COUNTS, RESOURCES } from '../core/observation';
import { CONTROL_OPERATIONS, CONTROL_SCHEMAS } from './openapi-control';
import { MESH_OPERATIONS, MESH_SCHEMAS } from './openapi-mesh';
import { BASE, instant, operationOf, page, paged, type Operation } from './openapi-operation';
import { flag, listOf, object, ref, SCHEMAS, text, whole, type JsonSchema } from './openapi-schemas';

const classId = text("A class's id, such as a rule's.");
const any: JsonSchema = {};
const reload = object({ inUse: flag, limits: ref('Limits') });

const OWN_OPERATIONS: Readonly<Record<string, Operation>> = {
  [`get ${BASE}/config`]: {
    summary: 'The process, its health, its limits files and its settings.',
    answer: object({
      version: text(),
      startedAt: text('ISO 8601'),
      addresses: { type: 'object', additionalProperties: text() },
      health: object({ ok: flag, reason: text() }, ['reason']),
      limits: ref('Limits'),
      settings: listOf(object({ path: text(), value: any, source: any })),
    }),
  },
  [`get ${BASE}/limits`]: {
    summary: 'The rules.',
    query: { domain: text('Only the rules of this domain.'), ...page },
    answer: object({ generation: whole(), total: whole(), offset: whole(), rules: listOf(ref('Rule')) }),
  },
  [`get ${BASE}/explain`]: {
    summary: 'Which rule applies to a descriptor, and why.',
    query: { domain: text(), entry: listOf(text('key=value, one a level.')) },
    required: ['domain', 'entry'],
    answer: object(
      {
        domain: text(),
        steps: listOf(object({ entry: text(), met: text() })),
        rule: ref('Rule'),
        bucketKey: text(),
        metricKey: text(),
        conclusion: text(),
      },
      ['rule', 'bucketKey', 'metricKey'],
    ),
  },
  [`get ${BASE}/top`]: {
    summary: 'The keys that are denied most.',
    answer: object({
      denied: listOf(
        object({ rule: text(), key: text(), count: { type: 'number' }, error: { type: 'number' } }),
      ),
    }),
  },
  [`get ${BASE}/store`]: {
    summary: 'The store and how it is.',
    answer: object({
      kind: text(),
      ready: flag,
      details: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } },
    }),
  },
  [`post ${BASE}/limits/reload`]: {
    summary: 'Reads the limits files again.',
    answer: reload,
    also: { 422: reload },
    changes: true,
  },
  [`get ${BASE}/classes`]: {
    summary: 'What is counted and forecast by itself, the busiest first.',
    query: {
      kind: text(undefined, ['rule', 'key', 'service', 'tenant', 'signal']),
      search: text('A part of the id.'),
      ...page,
    },
    answer: paged('classes', 'Class'),
  },
  [`get ${BASE}/series`]: {
    summary: 'What came of a class, step by step.',
    query: {
      class: classId,
      figure: text(undefined, [...COUNTS, ...RESOURCES, 'level']),
      resolution: text(undefined, ['1s', '10s', '1m', '10m']),
      from: instant,
      to: instant,
    },
    required: ['class'],
    answer: ref('Series'),
  },
  [`get ${BASE}/predictions`]: {
    summary: 'What is coming of a class, with an interval.',
    query: {
      class: classId,
      figure: text(undefined, [...COUNTS, ...RESOURCES, 'level']),
      horizon: text(undefined, HORIZONS),
      level: { type: 'number', enum: [...LEVELS] },
    },
    required: ['class'],
    answer: ref('Prediction'),
  },
  [`get ${BASE}/accuracy`]: {
    summary: 'How well classes were forecast lately.',
    query: { class: classId, ...page },
    answer: paged('accuracy', 'Accuracy'),
  },
  [`get ${BASE}/accuracy/history`]: {
    summary: 'A measure of accuracy hour by hour; kept of the busiest classes.',
    query: {
      class: classId,
      horizon: text(undefined, HORIZONS),
      measure: text(undefined, ACCURACY_MEASURES),
      from: instant,
      to: instant,
    },
    required: ['class'],
    answer: ref('AccuracyHistory'),
  },
  [`get ${BASE}/anomalies`]: {
    summary: 'What was unlike the forecasts, and lasting changes.',
    query: { class: classId, since: instant, ...page },
    answer: object({
      total: whole(),
      anomalies: listOf(ref('Anomaly')),
      drifts: listOf(ref('Drift')),
    }),
  },
  [`get ${BASE}/models`]: {
    summary: "A class's models, by version.",
    query: { class: classId },
    required: ['class'],
    answer: object({ models: listOf(ref('Model')) }),
  },
  [`get ${BASE}/costs`]: {
    summary: 'What one request of each rule uses of each resource: as it is set, and as it was learned.',
    query: { class: classId, ...page },
    answer: object({
      total: whole('Rules.'),
      learnedFrom: text(undefined, ['off', 'host', 'signals']),
      costs: listOf(ref('Cost')),
    }),
  },
  [`get ${BASE}/alerts`]: {
    summary: 'The thresholds, and whether a forecast crosses them.',
    answer: object({ alerts: listOf(ref('Alert')) }),
  },
  [`get ${BASE}/replicas`]: {
    summary: 'How many replicas services will need.',
    answer: object({ replicas: listOf(ref('Replicas')) }),
  },
  [`get ${BASE}/forecasting`]: {
    summary: 'The state of history and forecasts, and the load of the hosts.',
    answer: ref('Forecasting'),
  },
  [`post ${BASE}/models/rollback`]: {
    summary: 'Goes back to a version of a model.',
    body: object({ class: classId, scale: text(undefined, ['fine', 'coarse']), version: whole() }),
    answer: object({ models: listOf(ref('Model')) }),
    changes: true,
  },
  [`post ${BASE}/models/refit`]: {
    summary:
      'Asks for new fits, of one class or of all; each replaces its predecessor only where it is better.',
    body: object({ class: classId }, ['class']),
    bodyOptional: true,
    answer: object({ waiting: whole('Fits that wait.') }),
    changes: true,
  },
};

/** Every operation by method and path. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...OWN_OPERATIONS,
  ...CONTROL_OPERATIONS,
  ...MESH_OPERATIONS,
};

/** The whole description. @param version Tidegate's. */
export function openApiDocument(version: string): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const [key, operation] of Object.entries(OPERATIONS)) {
    const [method = '', path = ''] = key.split(' ');
    paths[path] = { ...paths[path], [method]: operationOf(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tidegate',
      version,
      description: 'Limits, demand, forecasts and control of this Tidegate.',
    },
    paths,
    components: {
      schemas: { ...SCHEMAS, ...CONTROL_SCHEMAS, ...MESH_SCHEMAS },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'admin.token' },
        clientCertificate: { type: 'mutualTLS', description: 'Where admin.tls.client_ca is set.' },
      },
    },
  };
}
