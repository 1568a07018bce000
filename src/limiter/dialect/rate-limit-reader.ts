/** Reads a `rate_limit`, and our additions to a rule wherever they stand. */
import { ALGORITHMS, FAILURE_MODES, type Algorithm } from '../../core/buckets';
import type { SourcePosition } from '../../core/errors';
import { PRIORITIES } from '../../core/priority';
import type { QueuePolicy } from '../../core/queueing';
import { UNITS } from '../../core/rls';
import type { Diagnostics } from './diagnostics';
import { ADDITION_KEYS, FieldReader } from './field-reader';
import { CONSISTENCIES, type RateLimitSpec, type RuleAdditions } from './limits-file';
import type { MapNode } from './yaml-tree';

const MIN_WINDOW_US = 1_000;
const MAX_WINDOW_US = 3_650 * 86_400 * 1_000_000;
const QUEUE_KEYS = ['max_wait', 'max_depth'];
const MIN_WAIT_US = 1_000;
const MAX_WAIT_US = 60_000_000;
const MAX_QUEUE_DEPTH = 100_000;
const MAX_WEIGHT = 1_000;
/** What a queue is bounded by that says no more. */
const DEFAULT_QUEUE: QueuePolicy = { maxWaitMs: 50, maxDepth: 1_000 };
const RATE_LIMIT_KEYS = [
  'unit',
  'per',
  'requests_per_unit',
  'unlimited',
  'name',
  'replaces',
  ...ADDITION_KEYS,
];

/**
 * @param beside the fields of the descriptor that holds it, for additions written beside `rate_limit`.
 * @returns the rule; where a field was wrong, with its default, the mistake being in `diagnostics`.
 */
export function readRateLimit(node: MapNode, beside: FieldReader, diagnostics: Diagnostics): RateLimitSpec {
  const fields = new FieldReader(node, 'a rate_limit', RATE_LIMIT_KEYS, diagnostics);
  const unlimited = fields.flag('unlimited');
  const window = readWindow(fields, unlimited, diagnostics);
  const name = fields.text('name');
  return {
    unlimited,
    requestsPerUnit: fields.uint32('requests_per_unit', 0) ?? 0,
    ...window,
    name,
    replaces: readReplaces(fields, name, diagnostics),
    ...readAdditions(fields, beside, diagnostics),
    at: node.at,
  };
}

function readWindow(
  fields: FieldReader,
  unlimited: boolean,
  diagnostics: Diagnostics,
): { unit: number; windowUs: number } {
  const none = { unit: 0, windowUs: 0 };
  const text = fields.text('unit');
  const unit = UNITS.find((known) => known.name === text.toUpperCase());
  if (unlimited) {
    if (unit !== undefined || fields.has('per')) {
      diagnostics.error(
        'TG_LIMITS_UNIT_WITH_UNLIMITED',
        'should not specify rate limit unit when unlimited',
        fields.at(unit === undefined ? 'per' : 'unit'),
      );
    }
    return none;
  }
  if (fields.has('per')) {
    if (fields.has('unit'))
      diagnostics.error('TG_LIMITS_UNIT_AND_PER', "both 'unit' and 'per' give the window", fields.at('per'));
    const windowUs = fields.durationUs('per', MIN_WINDOW_US, MAX_WINDOW_US) ?? 0;
    // A window that is a unit is shown as that unit, so that callers see `unit` whichever way it was written.
    return { unit: UNITS.find((known) => known.seconds * 1_000_000 === windowUs)?.number ?? 0, windowUs };
  }
  if (fields.isWrong('unit') || fields.isWrong('unlimited')) return none;
  if (unit === undefined) {
    diagnostics.error('TG_LIMITS_BAD_UNIT', `invalid rate limit unit '${text}'`, fields.at('unit'));
    return none;
  }
  return { unit: unit.number, windowUs: unit.seconds * 1_000_000 };
}

function readReplaces(fields: FieldReader, name: string, diagnostics: Diagnostics): readonly string[] {
  const replaces: string[] = [];
  for (const node of fields.maps('replaces')) {
    const entry = new FieldReader(node, 'an entry of replaces', ['name'], diagnostics);
    const replaced = entry.text('name');
    if (entry.isWrong('name')) continue;
    if (replaced === '') {
      diagnostics.error('TG_LIMITS_EMPTY_REPLACES', 'should not have an empty replaces entry', node.at);
    } else if (replaced === name) {
      diagnostics.error(
        'TG_LIMITS_SELF_REPLACES',
        'replaces should not contain name of same descriptor',
        entry.at('name'),
      );
    } else {
      replaces.push(replaced);
    }
  }
  return replaces;
}

function readAdditions(inside: FieldReader, beside: FieldReader, diagnostics: Diagnostics): RuleAdditions {
  for (const key of ADDITION_KEYS) {
    if (inside.has(key) && beside.has(key)) {
      diagnostics.error(
        'TG_LIMITS_DUPLICATE_KEY',
        `'${key}' stands both in rate_limit and beside it`,
        beside.at(key),
      );
    }
  }
  const of = (key: string): FieldReader => (inside.has(key) ? inside : beside);
  const algorithm = of('algorithm').choice('algorithm', ALGORITHMS);
  const capacity = of('capacity').uint32('capacity', 1);
  const consistency = of('consistency').choice('consistency', CONSISTENCIES);
  const onError = of('on_error').choice('on_error', FAILURE_MODES);
  const priority = of('priority').choice('priority', PRIORITIES);
  const weight = of('weight').uint32('weight', 1, MAX_WEIGHT);
  const queue = readQueue(of('queue'), diagnostics);
  if (capacity !== undefined && algorithm !== undefined && algorithm !== 'token_bucket')
    reportUselessCapacity(algorithm, of('capacity').at('capacity'), diagnostics);
  return {
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(capacity === undefined ? {} : { capacity }),
    ...(consistency === undefined ? {} : { consistency }),
    ...(onError === undefined ? {} : { onError }),
    ...(priority === undefined ? {} : { priority }),
    ...(weight === undefined ? {} : { weight }),
    ...(queue === undefined ? {} : { queue }),
  };
}

function readQueue(fields: FieldReader, diagnostics: Diagnostics): QueuePolicy | undefined {
  const node = fields.map('queue');
  if (node === undefined) return undefined;
  const queue = new FieldReader(node, 'a queue', QUEUE_KEYS, diagnostics);
  const maxWaitUs = queue.durationUs('max_wait', MIN_WAIT_US, MAX_WAIT_US);
  return {
    maxWaitMs: maxWaitUs === undefined ? DEFAULT_QUEUE.maxWaitMs : maxWaitUs / 1_000,
    maxDepth: queue.uint32('max_depth', 1, MAX_QUEUE_DEPTH) ?? DEFAULT_QUEUE.maxDepth,
  };
}

function reportUselessCapacity(algorithm: Algorithm, at: SourcePosition, diagnostics: Diagnostics): void {
  const message = `'capacity' is the burst of a token_bucket, but the rule is a ${algorithm}`;
  diagnostics.error('TG_LIMITS_CONFLICT', message, at, 'set `algorithm: token_bucket`, or remove `capacity`');
}
