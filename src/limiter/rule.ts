/** A rule as the data path uses it: everything that can be decided at load is decided. */
import type { BucketParams, FailureMode } from '../core/buckets';
import type { SourcePosition } from '../core/errors';
import type { RuleCounters } from '../core/ports';
import type { QueuePolicy } from '../core/queueing';
import type { JsonObject, RlsCurrentLimit } from '../core/rls';
import type { RuleDemand } from './demand';
import type { Priority } from '../core/priority';
import type { Consistency } from './dialect/limits-file';
import type { RuleTuning } from './tuning';

/** A configured limit. Immutable. */
export interface Rule {
  /** `domain.key_value.key2`: names the rule in metrics, logs and the API. */
  readonly id: string;
  /** As answers show it. */
  readonly currentLimit: RlsCurrentLimit;
  readonly params: BucketParams;
  readonly unlimited: boolean;
  readonly shadowMode: boolean;
  readonly quotaMode: boolean;
  readonly detailedMetric: boolean;
  /** Empty when the rule has none. */
  readonly name: string;
  /** Names of the rules that this one sets aside in the same request. */
  readonly replaces: readonly string[];
  readonly metadata: JsonObject | undefined;
  readonly consistency: Consistency;
  readonly onError: FailureMode;
  /** Undefined: its service's. */
  readonly priority: Priority | undefined;
  /** Its part among those of one priority that wait for the same; undefined: it says nothing. */
  readonly weight: number | undefined;
  /** How calls wait for it; undefined: they are rejected. */
  readonly queue: QueuePolicy | undefined;
  /** Where it stands in the limits files. */
  readonly at: SourcePosition;
  /** The counters of its id; metric keys made of a request's values have their own. */
  readonly counters: RuleCounters;
  /** Where what is asked of it is counted; undefined where nobody observes. */
  readonly demand: RuleDemand | undefined;
  /** What control makes of its sizes; undefined where it belongs to no pool. */
  readonly tuning: RuleTuning | undefined;
}

/** What a rule does not say itself. */
export interface RuleDefaults {
  readonly algorithm: BucketParams['algorithm'];
  readonly consistency: Consistency;
  readonly onError: FailureMode;
}
