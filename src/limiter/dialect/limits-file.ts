/** What a limits file says, as data, before defaults are applied and rules are compiled. */
import type { Algorithm, FailureMode } from '../../core/buckets';
import type { SourcePosition, TidegateError } from '../../core/errors';
import type { Priority } from '../../core/priority';
import type { QueuePolicy } from '../../core/queueing';
import type { JsonObject } from '../../core/rls';

/** How a rule's bucket is shared by several Tidegates. */
export const CONSISTENCIES = ['exact', 'leased'] as const;
/** One of {@link CONSISTENCIES}. */
export type Consistency = (typeof CONSISTENCIES)[number];

/** One limits file's text and the name that errors show. */
export interface LimitsText {
  readonly name: string;
  readonly text: string;
}

/** What may be said of a rule beyond the reference's dialect. */
export interface RuleAdditions {
  readonly algorithm?: Algorithm;
  /** Tokens. */
  readonly capacity?: number;
  readonly consistency?: Consistency;
  readonly onError?: FailureMode;
  readonly priority?: Priority;
  /** Its part among those of one priority that wait for the same, 1 to 1,000. */
  readonly weight?: number;
  readonly queue?: QueuePolicy;
}

/** The `rate_limit` of a descriptor. */
export interface RateLimitSpec extends RuleAdditions {
  readonly unlimited: boolean;
  /** Tokens a window, 0 to 2^32-1. */
  readonly requestsPerUnit: number;
  /** Envoy's number of the unit; 0 when the window is given by `per`, or the rule is unlimited. */
  readonly unit: number;
  /** The window, us; 0 when unlimited. */
  readonly windowUs: number;
  readonly name: string;
  readonly replaces: readonly string[];
  readonly at: SourcePosition;
}

/** A descriptor and everything below it. */
export interface DescriptorSpec {
  readonly key: string;
  /** Empty when the descriptor matches any value. */
  readonly value: string;
  readonly rateLimit?: RateLimitSpec;
  readonly descriptors: readonly DescriptorSpec[];
  readonly shadowMode: boolean;
  readonly quotaMode: boolean;
  readonly detailedMetric: boolean;
  readonly valueToMetric: boolean;
  readonly shareThreshold: boolean;
  readonly metadata?: JsonObject;
  readonly at: SourcePosition;
}

/** A whole file. */
export interface LimitsFile {
  readonly name: string;
  readonly domain: string;
  readonly descriptors: readonly DescriptorSpec[];
  readonly at: SourcePosition;
}

/** A file's claim to a domain. */
export interface DomainClaim {
  readonly name: string;
  readonly file: string;
  readonly at: SourcePosition;
}

/** A file read, with every mistake found in it; `file` is present only when there is none. */
export interface LimitsFileResult {
  readonly file?: LimitsFile;
  /** The domain, also of a file with mistakes, so that two files of one domain are found whatever else is wrong. */
  readonly domain?: DomainClaim;
  readonly errors: readonly TidegateError[];
  /** What the reference lets pass in silence; given only when reading leniently. */
  readonly warnings: readonly TidegateError[];
}
