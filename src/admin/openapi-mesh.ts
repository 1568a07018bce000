/** The part of the API's description that is about Envoys and their traffic. */
import { PRIORITIES } from '../core/priority';
import { TRAFFIC_MODES } from '../core/traffic';
import { BASE, type Operation } from './openapi-operation';
import { flag, listOf, number, object, orNull, ref, text, whole, type JsonSchema } from './openapi-schemas';

const TIME = 'Unix time, ms';
const SHARE = 'A part of the whole, 0 to 1.';

const health = object({
  errorShare: orNull(number('The part of answers that are errors, 0 to 1.')),
  latencyP50Ms: orNull(number()),
  latencyP99Ms: orNull(number()),
  cpu: orNull(number('0 to 1.')),
  memory: orNull(number('0 to 1.')),
  out: orNull(number('1: health checks or outlier detection took it out.')),
});

const requests = {
  ratePerS: number('All requests that ended.'),
  limitedPerS: number('Those that a rate limit stopped.'),
  errorShare: orNull(number('Of the others, the part that failed.')),
  latencyP50Ms: orNull(number()),
  latencyP99Ms: orNull(number()),
  flags: countsByName("By Envoy's response flags."),
};

const counters = object(
  Object.fromEntries(
    [
      'entries',
      'dropped',
      'ignored',
      'other',
      'reports',
      'reportsOver',
      'streams',
      'streamsRefused',
      'malformed',
    ].map((name) => [name, whole()]),
  ),
);

function countsByName(description: string): JsonSchema {
  return { type: 'object', description, additionalProperties: { type: 'number' } };
}

/** The schemas by name. */
export const MESH_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Mesh: object({
    streams: listOf(ref('MeshStream')),
    groups: listOf(
      object({
        group: text(),
        types: listOf(
          object({ typeUrl: text(), version: text('A hash of the content.'), resources: whole() }),
        ),
      }),
    ),
  }),
  MeshStream: object(
    {
      node: object({ id: text(), cluster: text() }),
      group: text(),
      method: text(),
      delta: flag,
      connectedAtMs: number(TIME),
      blocked: { ...flag, description: 'The client does not read.' },
      types: listOf(
        object(
          {
            typeUrl: text(),
            wildcard: flag,
            names: whole('Subscribed to, beside a wildcard.'),
            sentVersion: text(),
            ackedVersion: text(),
            pending: flag,
            rejection: object({ version: text(), message: text(), atMs: number(TIME) }),
          },
          ['sentVersion', 'ackedVersion', 'rejection'],
        ),
      ),
    },
    ['node', 'group'],
  ),
  Traffic: object({
    mode: text('`shadow` computes and shows, `active` sends.', TRAFFIC_MODES),
    groups: listOf(ref('TrafficGroup')),
    differences: listOf(
      object({
        resource: text(),
        typeUrl: text(),
        path: text('Where in the resource.'),
        from: text('What the user wrote.'),
        to: text('What Envoys are sent.'),
      }),
    ),
    warnings: listOf(text('What in the settings means nothing to the resources.')),
    changes: listOf(ref('ShareChange')),
  }),
  TrafficTelemetry: object({
    atMs: number('By a clock of its own.'),
    coveredMs: number('The time that the figures of requests cover.'),
    series: listOf(object({ route: text(), cluster: text(), host: text(), ...requests })),
    routes: listOf(object({ route: text(), ...requests })),
    clusters: listOf(object({ cluster: text(), ...requests })),
    hosts: listOf(object({ cluster: text(), host: text(), ...requests })),
    other: object(requests),
    loads: listOf(
      object({
        cluster: text(),
        host: text(),
        issuedPerS: number(),
        successfulPerS: number(),
        errorsPerS: number(),
        inProgress: number(),
        droppedPerS: number(),
        dropsPerS: countsByName('By reason.'),
        metrics: countsByName('What hosts tell of themselves (ORCA).'),
      }),
    ),
    counters,
  }),
  ShareChange: object({
    atMs: number(TIME),
    nodes: text('The group of nodes.'),
    group: text(),
    class: text(),
    target: text(),
    from: number(SHARE),
    to: number(SHARE),
    why: text(),
  }),
  TrafficGroup: object({
    nodes: text('The group of nodes; `all` for those that fit no row of the settings.'),
    name: text(),
    state: text(
      'All together cannot take it: `overloaded`; none is well: `unhealthy`; nothing is known: `stale`.',
      ['configured', 'moving', 'overloaded', 'unhealthy', 'stale'],
    ),
    why: text(),
    atMs: number(TIME),
    changedAtMs: orNull(number(TIME)),
    classes: listOf(
      object({ name: text(), priority: text(undefined, PRIORITIES), demandPerS: orNull(number()) }),
    ),
    targets: listOf(ref('TrafficTarget')),
  }),
  TrafficTarget: object({
    id: text("A cluster's name, or `<cluster>/<address>:<port>`."),
    weight: number('As configured.'),
    backup: flag,
    maxShare: number(SHARE),
    shares: listOf(number(`${SHARE} Of each class, in their order.`)),
    tokens: orNull(number('In its bucket.')),
    health: { anyOf: [{ type: 'null' }, health] },
    reason: ref('TargetReason'),
  }),
  TargetReason: object({
    id: text(),
    bucketPerS: orNull(number('What its bucket lets it take over the horizon, a second.')),
    healthFactor: number('What its health leaves of that, 0 to 1.'),
    effectivePerS: orNull(number('What it can take; null without a bound.')),
    configuredDemandPerS: orNull(number('What would come to it by the configured weights, as foreseen.')),
    demandPerS: orNull(number('What comes to it by the shares now.')),
    depletionMs: orNull(number('When its bucket would run dry under the configured weights, from now.')),
    rule: text(),
    clamps: listOf(text('A bound that cut it.')),
  }),
};

/** The operations by method and path. */
export const MESH_OPERATIONS: Readonly<Record<string, Operation>> = {
  [`get ${BASE}/mesh`]: {
    summary: 'Discovery streams with what was sent, accepted and refused.',
    answer: ref('Mesh'),
  },
  [`get ${BASE}/traffic`]: {
    summary: 'How traffic is spread over targets, and why.',
    answer: ref('Traffic'),
  },
  [`get ${BASE}/traffic/telemetry`]: {
    summary: 'What Envoys tell of requests, by route, cluster and endpoint.',
    answer: ref('TrafficTelemetry'),
  },
};
