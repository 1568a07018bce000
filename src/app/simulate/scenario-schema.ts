/** What a scenario's file takes. */
import { z } from 'zod';
import { parseDurationUs } from '../../core/duration';
import { PRIORITIES } from '../../core/priority';

/** Names of services, characters. */
const NAME_MAX = 128;
/** Services, and loads, of one scenario. */
const SERVICES_MAX = 10_000;
const LOADS_MAX = 16;
const DAYS_MAX = 400;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const figure = (min: number, max: number) =>
  z
    .number(`takes a figure from ${min} to ${max}`)
    .min(min, `takes a figure from ${min} to ${max}`)
    .max(max, `takes a figure from ${min} to ${max}`);

/** A duration such as `20m`, ms. A sign is taken where `signed`. */
function span(minMs: number, maxMs: number, signed = false) {
  const takes = 'takes a duration such as 500ms, 1s, 20m or 6h';
  return z.union([z.string(), z.literal(0)], takes).transform((given, context): number => {
    const text = String(given).trim();
    const negative = signed && text.startsWith('-');
    const us = parseDurationUs(negative ? text.slice(1) : text);
    const ms = us === undefined ? NaN : us / 1_000;
    if (ms >= minMs && ms <= maxMs) return negative ? -ms : ms;
    context.addIssue({ code: 'custom', message: `${takes}, ${minMs} to ${maxMs} ms` });
    return z.NEVER;
  });
}

const service = z.strictObject({
  name: z.string('takes a name').min(1, 'takes a name').max(NAME_MAX, `takes at most ${NAME_MAX} characters`),
  priority: z.enum(PRIORITIES, `takes one of ${PRIORITIES.join(', ')}`),
  share: figure(1e-6, 1),
  guarantee: figure(0, 1e9).default(0),
  queue_limit: span(0, DAY_MS).default(2_000),
  trace: z.string('takes the path of a file').min(1, 'takes the path of a file'),
  roll: span(0, DAYS_MAX * DAY_MS, true).default(0),
});

/** The file as a whole. */
export const scenarioSchema = z.strictObject({
  seed: z.int('takes a whole number').min(0).max(0xffff_ffff).default(1),
  total_tps: figure(1e-3, 1e9),
  interval: span(100, 60 * MINUTE_MS).default(MINUTE_MS),
  tick: span(10, MINUTE_MS).default(1_000),
  lend_delay: span(0, MINUTE_MS).default(0),
  loads: z
    .array(figure(1e-3, 100), 'takes a list of figures such as [0.7, 0.9, 1.1]')
    .min(1, 'takes a load at least')
    .max(LOADS_MAX, `takes at most ${LOADS_MAX} loads`)
    .default([0.7, 0.9, 1.1]),
  flash: z
    .strictObject({
      factor: figure(0, 1_000),
      duration: span(1_000, DAY_MS),
      every: span(1_000, DAYS_MAX * DAY_MS),
    })
    .optional(),
  capacity_loss: z
    .strictObject({
      fraction: figure(0, 1),
      at: span(0, DAYS_MAX * DAY_MS),
      for: span(0, DAYS_MAX * DAY_MS),
    })
    .optional(),
  split: z.strictObject({ train_days: figure(0, DAYS_MAX), test_days: figure(1 / 1_440, DAYS_MAX) }),
  lending: z.boolean('takes true or false').default(true),
  arrivals: z.enum(['poisson', 'even'], 'takes poisson or even').default('poisson'),
  services: z
    .array(service, 'takes a list of services')
    .min(1, 'takes a service at least')
    .max(SERVICES_MAX, `takes at most ${SERVICES_MAX} services`),
});

/** What the schema makes of a file. */
export type ScenarioFile = z.output<typeof scenarioSchema>;
