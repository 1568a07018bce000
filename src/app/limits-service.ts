/**
 * Keeps the limiter's table in step with the limits files. A load is whole or not at all: a bad one keeps the limits
 * that were there, and is told in the log, a metric and the API.
 */
import { TidegateError } from '../core/errors';
import type { Clock } from '../core/clock';
import type { Logger, RuleCounters } from '../core/ports';
import { compileLimits, type CompileOptions } from '../limiter/compile-limits';
import type { LimitsText } from '../limiter/dialect/limits-file';
import type { LimitTable } from '../limiter/limit-table';
import type { RuleDefaults } from '../limiter/rule';

/** What the service stands on. */
export interface LimitsServiceParts {
  /** Reads the limits files. Rejects with a TidegateError. */
  readonly read: () => Promise<readonly LimitsText[]>;
  /** Called with each new table, before `load` resolves. */
  readonly use: (table: LimitTable) => void;
  readonly counted: (ok: boolean, at: { readonly generation: number; readonly unixTimeS: number }) => void;
  readonly countersFor: (metricKey: string) => RuleCounters;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** How limits are read; see {@link CompileOptions}. */
export interface LimitsServiceOptions {
  readonly defaults: RuleDefaults;
  readonly mergeDomains: boolean;
  readonly lenient: boolean;
}

/** The state of the limits, for the API. */
export interface LimitsStatus {
  /** Counts the loads that succeeded; 0 before the first. */
  readonly generation: number;
  readonly loadedAt: string | null;
  readonly files: readonly string[];
  readonly rules: number;
  readonly domains: readonly string[];
  /** The mistakes of the last load; empty when it succeeded. */
  readonly errors: readonly TidegateError[];
  readonly warnings: readonly TidegateError[];
  readonly failedAt: string | null;
}

/** See the file's head. */
export class LimitsService {
  private current: LimitsStatus = {
    generation: 0,
    loadedAt: null,
    files: [],
    rules: 0,
    domains: [],
    errors: [],
    warnings: [],
    failedAt: null,
  };
  private running: Promise<boolean> = Promise.resolve(true);

  constructor(
    private readonly parts: LimitsServiceParts,
    private readonly options: LimitsServiceOptions,
  ) {}

  get status(): LimitsStatus {
    return this.current;
  }

  /** Loads the files, after any load under way. @returns whether the new limits are in use. */
  load(): Promise<boolean> {
    this.running = this.running.then(() => this.loadOnce());
    return this.running;
  }

  private async loadOnce(): Promise<boolean> {
    let files: readonly LimitsText[];
    try {
      files = await this.parts.read();
    } catch (thrown) {
      return this.failed([TidegateError.from(thrown)], []);
    }
    const generation = this.current.generation + 1;
    const options: CompileOptions = { ...this.options, generation, countersFor: this.parts.countersFor };
    const { table, errors, warnings } = compileLimits(files, options);
    if (table === undefined) return this.failed(errors, warnings);
    const unixTimeS = this.parts.clock.nowUs() / 1_000_000;
    this.parts.use(table);
    this.current = {
      generation,
      loadedAt: new Date(unixTimeS * 1_000).toISOString(),
      files: files.map((file) => file.name),
      rules: table.rules.length,
      domains: [...table.domains.keys()],
      errors: [],
      warnings,
      failedAt: null,
    };
    this.parts.counted(true, { generation, unixTimeS });
    const { logger } = this.parts;
    for (const warning of warnings)
      logger.warn({ err: warning }, 'the reference overlooks this in a limits file; so does compat');
    logger.info(
      { generation, files: files.length, domains: table.domains.size, rules: table.rules.length },
      'limits loaded',
    );
    return true;
  }

  private failed(errors: readonly TidegateError[], warnings: readonly TidegateError[]): false {
    const unixTimeS = this.parts.clock.nowUs() / 1_000_000;
    const { generation } = this.current;
    this.current = { ...this.current, errors, warnings, failedAt: new Date(unixTimeS * 1_000).toISOString() };
    this.parts.counted(false, { generation, unixTimeS });
    const kept = generation === 0 ? 'there are none to keep' : `the limits of load ${generation} stay`;
    for (const error of errors) this.parts.logger.error({ err: error }, `limits rejected; ${kept}`);
    return false;
  }
}
