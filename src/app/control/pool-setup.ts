/** Pools by the settings and the limits in use: plain data, from the thread that serves to the thread that controls. */
import type { Settings } from '../../config/settings-shape';
import type { BucketParams } from '../../core/buckets';
import { US_PER_S } from '../../core/clock';
import type { MemberPolicy, PoolPolicy } from '../../core/control';
import { bucketKeyOfRule, type PoolMembership } from '../../limiter/tuning';
import type { LimitTable } from '../../limiter/limit-table';
import type { Rule } from '../../limiter/rule';
import { wildcardMatches, wildcardParts, type WildcardParts } from '../../limiter/wildcard';
import { ClassMap } from '../../observe/class-map';

/** A member and how its bucket is asked for. */
export interface MemberSetup {
  readonly policy: MemberPolicy;
  /** As the limits say. */
  readonly params: BucketParams;
  /** What shares a slot with it; empty: only the bucket itself. */
  readonly group: string;
  /** Tokens that may be waited for at its configured rate; 0 for a rule without a queue. */
  readonly queueLimit: number;
}

/** A pool with its members; `templates` are rules with a bucket for each value, whose heavy keys become members. */
export interface PoolSetup {
  readonly policy: PoolPolicy;
  readonly members: readonly MemberSetup[];
  readonly templates: readonly MemberSetup[];
}

type Row = Settings['pools']['members'][number];

/** Members of a pool at most; further rules stay as they are configured. */
const MAX_MEMBERS = 10_000;
const DEFAULT_MAX_FACTOR = 2;
const DEFAULT_MAX_CAPACITY_FACTOR = 4;

/** Tells which row of the settings a rule belongs to. */
export class PoolMap {
  private readonly rows: readonly { readonly row: Row; readonly parts: WildcardParts }[];
  private readonly names: ReadonlySet<string>;

  constructor(private readonly settings: Settings) {
    this.rows = settings.pools.members.map((row) => ({ row, parts: wildcardParts(row.match) }));
    this.names = new Set(settings.pools.list.map(({ name }) => name));
  }

  /** The first row that matches a rule and names a pool that there is. */
  rowOf(ruleId: string): Row | undefined {
    return this.rows.find(({ row, parts }) => this.names.has(row.pool) && wildcardMatches(parts, ruleId))
      ?.row;
  }

  /** The hard bounds of a rule's buckets; undefined where it belongs to no pool. */
  boundsOf(ruleId: string, params: BucketParams): PoolMembership | undefined {
    const row = this.rowOf(ruleId);
    return row === undefined ? undefined : { pool: row.pool, ...boundsOf(row, params, this.settings) };
  }
}

/** All pools. Rules that are unlimited, or that nobody counts, have nothing to size. */
export function poolSetups(settings: Settings, table: LimitTable): readonly PoolSetup[] {
  const map = new PoolMap(settings);
  const classes = new ClassMap(settings.observe);
  const byPool = new Map<string, { members: MemberSetup[]; templates: MemberSetup[] }>();
  for (const { name } of settings.pools.list) byPool.set(name, { members: [], templates: [] });
  for (const rule of table.rules) {
    const row = map.rowOf(rule.id);
    const place = rule.demand?.place;
    const parts = row === undefined ? undefined : byPool.get(row.pool);
    if (row === undefined || place === undefined || parts === undefined || rule.unlimited) continue;
    const { service, priority } = classes.of(place);
    const bucketKey = bucketKeyOfRule(place);
    const policy: MemberPolicy = {
      ...memberOf(rule, row, bucketKey ?? '', settings),
      service,
      priority: row.priority === '' ? (rule.priority ?? priorityOf(priority)) : row.priority,
    };
    const group = settings.store.colocate === 'domain' ? place.domain : '';
    const list = bucketKey === undefined ? parts.templates : parts.members;
    if (list.length < MAX_MEMBERS) {
      list.push({ policy, params: rule.params, group, queueLimit: queueLimitOf(rule, policy.nominalPerS) });
    }
  }
  return settings.pools.list.map((pool) => {
    const { members = [], templates = [] } = byPool.get(pool.name) ?? {};
    const configured = members.reduce((sum, { policy }) => sum + policy.nominalPerS, 0);
    return { policy: policyOf(pool, settings, configured), members, templates };
  });
}

/** A heavy key of a rule as a member, made of its rule's template. */
export function keyMember(template: MemberSetup, classId: string): MemberSetup {
  const bucketKey = classId.slice(template.policy.ruleId.length + 1);
  return { ...template, policy: { ...template.policy, id: classId, bucketKey } };
}

/** Who waits longer than a call may is turned away: more than is served until then never waits. */
function queueLimitOf({ queue }: Rule, perS: number): number {
  return queue === undefined ? 0 : Math.min(queue.maxDepth, (perS * queue.maxWaitMs) / 1_000);
}

function priorityOf(text: string | undefined): MemberPolicy['priority'] {
  return text === 'CRITICAL' || text === 'HIGH' || text === 'LOW' ? text : 'MEDIUM';
}

function nominalPerS({ limit, windowUs, algorithm, rateUtPerS }: BucketParams): number {
  return algorithm === 'token_bucket' ? rateUtPerS / 1_000_000 : (limit * US_PER_S) / windowUs;
}

function capacityOf({ algorithm, capacity, limit }: BucketParams): number {
  return algorithm === 'token_bucket' ? capacity : limit;
}

function boundsOf(row: Row, params: BucketParams, settings: Settings) {
  const nominal = nominalPerS(params);
  const capacity = capacityOf(params);
  const total = settings.pools.list.find(({ name }) => name === row.pool)?.totalPerS ?? 0;
  const twice = DEFAULT_MAX_FACTOR * nominal;
  const byDefault = total > 0 ? Math.max(nominal, Math.min(total, twice)) : twice;
  return {
    minPerS: Math.min(row.minPerS, nominal),
    maxPerS: row.maxPerS > 0 ? Math.max(row.maxPerS, row.minPerS) : byDefault,
    minCapacity: Math.min(1, capacity),
    maxCapacity: row.maxCapacity > 0 ? row.maxCapacity : DEFAULT_MAX_CAPACITY_FACTOR * capacity,
  };
}

function memberOf(
  rule: Rule,
  row: Row,
  bucketKey: string,
  settings: Settings,
): Omit<MemberPolicy, 'service' | 'priority'> {
  const { params } = rule;
  return {
    id: rule.id,
    ruleId: rule.id,
    bucketKey,
    weight: row.slaWeight * row.regionWeight,
    nominalPerS: nominalPerS(params),
    nominalCapacity: capacityOf(params),
    ...boundsOf(row, params, settings),
    guaranteePerS: row.guaranteePerS,
    lendable: row.lendable,
    borrowable: row.borrowable,
    lends: params.algorithm === 'token_bucket',
  };
}

function policyOf(
  pool: Settings['pools']['list'][number],
  settings: Settings,
  configuredPerS: number,
): PoolPolicy {
  const { pools } = settings;
  const { sizing } = pools;
  return {
    name: pool.name,
    mode: pool.mode,
    totalPerS: pool.totalPerS > 0 ? pool.totalPerS : configuredPerS,
    tickMs: pools.tickMs,
    intervalMs: Math.max(1, Math.round(pools.intervalMs / pools.tickMs)) * pools.tickMs,
    safetyMargin: sizing.safetyMargin,
    maxShare: pool.maxShare,
    thresholdHigh: sizing.thresholdHigh,
    thresholdLow: sizing.thresholdLow,
    growthFactor: sizing.growthFactor,
    shrinkFactor: sizing.shrinkFactor,
    shrinkAfterMs: sizing.shrinkAfterMs,
    cooldownMs: sizing.cooldownMs,
    maxStep: sizing.maxStep,
    deadBand: sizing.deadBand,
    lifeMs: pools.lifeMs,
    decayMs: pools.decayMs,
    lending: {
      enabled: pool.lending,
      lowWater: pools.lowWater,
      part: pools.lendPart,
      atOnce: pool.lendAtOnce,
    },
    autoPromote: pool.autoPromote,
  };
}
