/** What the admin port shows and does, as the composition root hands it in. Plain data; nothing here knows HTTP. */
import type { ControlDeskPort, ControlEvent } from '../core/control-desk';
import type { TidegateError } from '../core/errors';
import type { MeshDeskPort } from '../core/mesh-view';
import type { ForecastDesk } from '../core/forecast-desk';
import type { RlsDescriptor } from '../core/rls';
import type { Explanation, RuleSummary } from '../limiter/explanation';

/** Whether the process should get traffic. */
export interface HealthView {
  readonly ok: boolean;
  /** Why not, when it should not. */
  readonly reason?: string;
}

/** The state of the limits files. */
export interface LimitsView {
  /** Counts the loads that succeeded. */
  readonly generation: number;
  /** ISO 8601; null before the first load. */
  readonly loadedAt: string | null;
  readonly files: readonly string[];
  readonly rules: number;
  readonly domains: readonly string[];
  /** The mistakes that rejected the last load; empty when it succeeded. */
  readonly errors: readonly TidegateError[];
  readonly warnings: readonly TidegateError[];
  readonly failedAt: string | null;
}

/** One setting as it is in effect; secrets are already left out. */
export interface SettingView {
  readonly path: string;
  readonly value: unknown;
  /** Where the value comes from, such as `default` or an environment name. */
  readonly source: unknown;
}

/** The process: what it is and where it listens. */
export interface ProcessView {
  readonly version: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** The addresses by port name, such as `data`. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** A key that is denied often. */
export interface HeavyKeyView {
  readonly rule: string;
  readonly key: string;
  /** Denied hits, an estimate. */
  readonly count: number;
  /** By how much it may be too high. */
  readonly error: number;
}

/** The store and how it is. */
export interface StoreView {
  readonly kind: string;
  readonly ready: boolean;
  /** Figures of this kind of store, such as the breaker's state or the number of buckets. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

/** An HTTP status and a JSON body. */
export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Where events of control come from. */
export interface ControlEvents {
  /** @returns what ends the subscription. Listeners do not throw. */
  subscribe(listener: (event: ControlEvent) => void): () => void;
}

/** Everything the admin port needs. Reads are quick and do not throw. */
export interface AdminDeps {
  health(): HealthView;
  /** Decides the JSON form of a RateLimitRequest. Rejects with a TidegateError, TG_REQUEST_BAD_JSON for a bad body. */
  decideJson(body: unknown): Promise<JsonAnswer>;
  /** The text of `/rlconfig`. */
  rlconfig(): string;
  /** The text of `/metrics` and its content type. */
  scrape(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** The reference's counters under their dotted names, sorted. */
  stats(): Promise<readonly (readonly [name: string, value: number])[]>;
  /** The counters of a rule by figure, such as `over_limit`; undefined when it has none of its own. */
  ruleFigures(ruleId: string): Readonly<Record<string, number>> | undefined;
  process(): ProcessView;
  limitsStatus(): LimitsView;
  settings(): readonly SettingView[];
  rules(): readonly RuleSummary[];
  explain(domain: string, descriptor: RlsDescriptor): Explanation;
  /** Heaviest first. */
  topDenied(): readonly HeavyKeyView[];
  store(): StoreView;
  /** Answers what is asked of history and forecasts. */
  readonly forecasts: ForecastDesk;
  /** Answers what is asked of discovery, traffic and what Envoys tell. */
  readonly mesh: MeshDeskPort;
  /** Answers what is asked of control; absent where no pool is configured. */
  readonly control?: ControlDeskPort;
  /** Tells what control does; absent where no pool is configured. */
  readonly events?: ControlEvents;
  /** Reads the limits files again. @returns whether the new limits are in use; {@link limitsStatus} tells why not. */
  reloadLimits(): Promise<boolean>;
}
