/** Compiles limits files into a {@link LimitTable}: all of them or none, with every mistake of all files reported. */
import { bucketParams } from '../bucket/params';
import type { BucketParams } from '../core/buckets';
import { TidegateError } from '../core/errors';
import type { RuleCounters } from '../core/ports';
import type { RlsCurrentLimit } from '../core/rls';
import type { RuleDemand, RuleLevel, RulePlace } from './demand';
import { readLimitsFile } from './dialect/limits-reader';
import type {
  DescriptorSpec,
  DomainClaim,
  LimitsFile,
  LimitsFileResult,
  LimitsText,
  RateLimitSpec,
} from './dialect/limits-file';
import { LimitLevel, type LimitNode } from './limit-node';
import { LimitTable, type LimitDomain } from './limit-table';
import type { Rule, RuleDefaults } from './rule';
import type { RuleTuning } from './tuning';

/** How limits are loaded. */
export interface CompileOptions {
  readonly defaults: RuleDefaults;
  /** Files of the same domain are merged instead of rejected. */
  readonly mergeDomains: boolean;
  /** What the reference overlooks is a warning; see the reader. */
  readonly lenient: boolean;
  readonly generation: number;
  /** The counters of a metric key made of a request's values. */
  readonly countersFor: (metricKey: string) => RuleCounters;
  /** The counters of a rule's own id; absent: as any other key's. */
  readonly countersForRule?: (id: string) => RuleCounters;
  /** Where the demand for a rule is counted; absent: nowhere. */
  readonly demandFor?: (place: RulePlace) => RuleDemand;
  /** What control makes of a rule's sizes; undefined for a rule in no pool, absent: for all. */
  readonly tuningFor?: (
    place: RulePlace,
    params: BucketParams,
    currentLimit: RlsCurrentLimit,
  ) => RuleTuning | undefined;
}

/** The outcome of a load: a table, or the mistakes that kept it from being one. */
export interface CompileResult {
  readonly table?: LimitTable;
  readonly errors: readonly TidegateError[];
  readonly warnings: readonly TidegateError[];
}

/** Reads and compiles all files; see {@link CompileResult}. */
export function compileLimits(texts: readonly LimitsText[], options: CompileOptions): CompileResult {
  return compileFiles(
    texts.map((text) => readLimitsFile(text, { lenient: options.lenient })),
    options,
  );
}

/** Compiles files that have been read already (elsewhere, say, since reading much YAML takes long). */
export function compileFiles(results: readonly LimitsFileResult[], options: CompileOptions): CompileResult {
  const steps = compileInSteps(results, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Descriptors a step: well under a millisecond. */
const DESCRIPTORS_A_STEP = 100;

/**
 * The same in steps, so that whoever compiles much can let decisions pass in between. Nothing is in use before the last.
 */
export function* compileInSteps(
  results: readonly LimitsFileResult[],
  options: CompileOptions,
): Generator<undefined, CompileResult> {
  const warnings = results.flatMap((result) => result.warnings);
  const compiler = new Compiler(options);
  // Files without a mistake of their own are compiled even beside bad ones, so that mistakes between files show too.
  for (const result of results) {
    if (result.domain !== undefined && !compiler.claim(result.domain)) continue;
    if (result.file !== undefined) yield* compiler.addFile(result.file);
  }
  const errors = [...results.flatMap((result) => result.errors), ...compiler.errors];
  if (errors.length > 0) return { errors, warnings };
  return { table: compiler.table(), errors, warnings };
}

/** Where the descriptors of a level stand. */
type Standing = Omit<RulePlace, 'id'>;

/** A value that the limits file leaves open makes a bucket of each value, unless its wildcard shares one. */
function standingBelow(above: Standing, spec: DescriptorSpec): Standing {
  const { key, value } = spec;
  const level: RuleLevel = { key, value };
  const wildcard = key.includes('*') || value.includes('*');
  const open = wildcard ? !spec.shareThreshold : value === '';
  return {
    domain: above.domain,
    path: [...above.path, level],
    manyBuckets: above.manyBuckets || open,
  };
}

class Compiler {
  readonly errors: TidegateError[] = [];
  private readonly claims = new Map<string, DomainClaim>();
  private readonly domains = new Map<string, LimitDomain>();
  private readonly rules: Rule[] = [];
  private descriptors = 0;

  constructor(private readonly options: CompileOptions) {}

  table(): LimitTable {
    const { generation, defaults, countersFor } = this.options;
    return new LimitTable(generation, this.domains, this.rules, defaults, countersFor);
  }

  /** @returns whether a file may speak for its domain. */
  claim(claim: DomainClaim): boolean {
    const first = this.claims.get(claim.name);
    if (first === undefined) this.claims.set(claim.name, claim);
    if (first === undefined || this.options.mergeDomains) return true;
    const message = `duplicate domain '${claim.name}' in config file (first in ${first.file})`;
    this.errors.push(new TidegateError('TG_LIMITS_DUPLICATE_DOMAIN', message, { at: claim.at }));
    return false;
  }

  *addFile(file: LimitsFile): Generator<undefined, void> {
    let domain = this.domains.get(file.domain);
    if (domain === undefined) {
      domain = { name: file.domain, level: new LimitLevel() };
      this.domains.set(file.domain, domain);
    }
    const root: Standing = { domain: file.domain, path: [], manyBuckets: false };
    yield* this.addLevel(domain.level, file.descriptors, `${file.domain}.`, root);
  }

  private *addLevel(
    level: LimitLevel,
    specs: readonly DescriptorSpec[],
    parent: string,
    above: Standing,
  ): Generator<undefined, void> {
    for (const spec of specs) {
      this.descriptors += 1;
      if (this.descriptors % DESCRIPTORS_A_STEP === 0) yield;
      const id = `${parent}${spec.key}${spec.value === '' ? '' : `_${spec.value}`}`;
      const twin = level.get(spec.key, spec.value);
      if (twin !== undefined) {
        const message = `duplicate descriptor composite key '${id}'`;
        this.errors.push(new TidegateError('TG_LIMITS_DUPLICATE_DESCRIPTOR', message, { at: spec.at }));
        continue;
      }
      const standing = standingBelow(above, spec);
      const node: LimitNode = {
        key: spec.key,
        value: spec.value,
        rule: spec.rateLimit === undefined ? undefined : this.rule({ id, ...standing }, spec, spec.rateLimit),
        valueToMetric: spec.valueToMetric,
        shareThreshold: spec.shareThreshold,
        children: new LimitLevel(),
      };
      level.add(node);
      yield* this.addLevel(node.children, spec.descriptors, `${id}.`, standing);
    }
  }

  private rule(place: RulePlace, spec: DescriptorSpec, limit: RateLimitSpec): Rule {
    const { id } = place;
    const { defaults, countersFor, countersForRule = countersFor, demandFor, tuningFor } = this.options;
    const algorithm = limit.algorithm ?? defaults.algorithm;
    if (limit.capacity !== undefined && algorithm !== 'token_bucket') {
      const message = `'capacity' is the burst of a token_bucket, but the rule is a ${algorithm}`;
      const remedy = 'set `algorithm: token_bucket`, or remove `capacity`';
      this.errors.push(new TidegateError('TG_LIMITS_CONFLICT', message, { at: limit.at, remedy }));
    }
    const currentLimit = { name: limit.name, requestsPerUnit: limit.requestsPerUnit, unit: limit.unit };
    const params = bucketParams({
      algorithm,
      limit: limit.requestsPerUnit,
      windowUs: limit.unlimited ? 1_000_000 : limit.windowUs,
      capacity: limit.capacity ?? limit.requestsPerUnit,
      version: 0,
    });
    const rule: Rule = {
      id,
      currentLimit,
      params,
      unlimited: limit.unlimited,
      shadowMode: spec.shadowMode,
      quotaMode: spec.quotaMode,
      detailedMetric: spec.detailedMetric,
      name: limit.name,
      replaces: limit.replaces,
      metadata: spec.metadata,
      consistency: limit.consistency ?? defaults.consistency,
      onError: limit.onError ?? defaults.onError,
      priority: limit.priority,
      weight: limit.weight,
      queue: limit.queue,
      at: limit.at,
      counters: countersForRule(id),
      demand: demandFor?.(place),
      tuning: limit.unlimited ? undefined : tuningFor?.(place, params, currentLimit),
    };
    this.rules.push(rule);
    return rule;
  }
}
